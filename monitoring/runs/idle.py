"""A run with nothing to do: known from the store alone, before anything large is loaded."""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import partial
from pathlib import Path

from monitoring.config import MonitorConfig, settings_digest
from monitoring.config.loading import STORE_VARIABLE
from monitoring.config.made_beside import is_read_only
from monitoring.deployment.files_state import are_readable, files_state
from monitoring.deployment.metrics.metric_file import codes_text
from monitoring.deployment.places import find_baseline, published_versions, traffic_place, with_version
from monitoring.distribution import installed_version
from monitoring.errors import CannotRun
from monitoring.runs.idle_stamp import IdleStamp, config_digest, read_stamp, versions_in, write_stamp
from monitoring.store.checks import Check, IdleDeployment, idle_in, plain_database
from monitoring.traffic.format.layout import LABELS


def idle_deployment(config: MonitorConfig, now: datetime) -> IdleDeployment | None:
    """The deployment of a config for which a run would find nothing to do.

    Nothing is due where the config, the baseline and the release are those of the last complete run, and either no
    window can be due yet, or the files of the traffic have not changed since all of their rows were judged. Traffic
    that is gone, cut off or may not be read is left to a run, which says so. The check is recorded.

    Cost: a tenth of a second, whatever the history, the labels, and the length of windows.
    """
    if not are_readable(_traffic_files(config)):
        return None
    try:
        inputs = {inputs_digest(of_version) for of_version in _of_versions(config)}
    except CannotRun:
        return None
    with plain_database(config.store.url) as database:
        if database is None:
            return None
        state, logs = partial(_traffic_state, config), _label_folders(config)
        return idle_in(database, config.name, inputs, state, now, logs)


def _of_versions(config: MonitorConfig) -> list[MonitorConfig]:
    """The config for each version that a run may judge."""
    if config.model.bundle is None or config.model.version is not None:
        return [config]
    return [with_version(config, version) for version in published_versions(config.model.folder)]


def keep_stamp(path: Path, config: MonitorConfig) -> None:
    """Keep what a run with nothing to do went by, for `stamped_idle`; not of a config that has more to look at."""
    section, url = config.heartbeat, config.store.url
    told = (section.url, section.url_file, section.url_env) != (None, None, None)
    if told or config.metric or is_read_only(path) or any(route.REFRESHED for route in config.notify):
        return
    places = [find_baseline(of_version) for of_version in _of_versions(config)]
    models = config.model.folder if config.model.bundle is not None and config.model.version is None else None
    stamp = IdleStamp(
        config=config_digest(path, STORE_VARIABLE),
        variable=STORE_VARIABLE,
        release=installed_version(),
        name=config.name,
        store=url if url.startswith("sqlite:") else "",
        inputs=tuple(inputs_digest(of_version) for of_version in _of_versions(config)),
        models="" if models is None else str(models),
        versions=() if models is None else versions_in(models),
        files={str(file): files_state(file) for place in places for file in (place.baseline, place.schema)},
        traffic=tuple(str(file) for file in _traffic_files(config)),
        label_logs=tuple(map(str, _label_folders(config))),
    )
    if stamp != read_stamp(path):
        write_stamp(path, stamp)


def has_news(config: MonitorConfig, idle: IdleDeployment) -> bool:
    """Whether somebody is to be notified although no window is due."""
    return bool(idle.pending or idle.rollouts) or any(route.REFRESHED for route in config.notify)


def inputs_digest(config: MonitorConfig) -> str:
    """A digest of all that a run goes by but its traffic: settings, places, the baseline's files, the release."""
    place = find_baseline(config)
    parts = [
        installed_version(),
        settings_digest(config),
        traffic_place(config),
        str(config.traffic.path),
        *([config.traffic.labels_query] if config.traffic.labels_query is not None else []),
        str(place.folder),
        *([] if place.since is None else [place.since.isoformat()]),
        files_state(place.baseline),
        files_state(place.schema),
        *([codes_text(config)] if config.metric else []),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def check_begun(config: MonitorConfig, now: datetime) -> Check:
    """The check that a run leaves if it judges all that is due, with the files as they are before it."""
    return Check(checked_at=now, inputs=inputs_digest(config), traffic_state=_traffic_state(config))


def _traffic_state(config: MonitorConfig) -> str:
    """What files the traffic and its labels are in; empty where some of them are not looked at."""
    return " ".join(map(files_state, _traffic_files(config)))


def _traffic_files(config: MonitorConfig) -> tuple[Path, ...]:
    """Where the files of the traffic and its labels are; nowhere if some of them are not looked at."""
    places = (config.traffic.path, config.traffic.labels)
    files = tuple(place for place in places if isinstance(place, Path))
    return files if config.traffic.path is not None and len(files) == sum(map(bool, places)) else ()


def label_logs_of(config: MonitorConfig) -> tuple[Path, ...]:
    """The folders in which the config's label log may be: that of tables, or that of a traffic log of this machine."""
    path = config.traffic.path
    return (config.traffic.label_log, path) if isinstance(path, Path) else ()


def _label_folders(config: MonitorConfig) -> tuple[Path, ...]:
    """The folders that have the segments of the config's label log."""
    return tuple(root / LABELS for root in label_logs_of(config))
