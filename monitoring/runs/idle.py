"""A run with nothing to do: known from the store alone, before anything large is loaded."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path

from monitoring.config import MonitorConfig, settings_digest
from monitoring.deployment.metrics.metric_file import codes_text
from monitoring.deployment.places import files_state, find_baseline, published_versions, traffic_place, with_version
from monitoring.distribution import installed_version
from monitoring.errors import CannotRun
from monitoring.store.checks import Check, IdleDeployment, plain_database, read_idle, together, touch


def idle_deployment(config: MonitorConfig, now: datetime) -> IdleDeployment | None:
    """The deployment of a config for which a run would find nothing to do.

    Nothing is due where the config, the baseline and the release are those of the last complete run, and either no
    window can be due yet, or the files of the traffic have not changed since all of their rows were judged. The check
    is recorded.

    Cost: a tenth of a second, whatever the history, the labels, and the length of windows.
    """
    is_open = config.model.bundle is not None and config.model.version is None
    configs = (
        [with_version(config, version) for version in published_versions(config.model.folder)] if is_open else [config]
    )
    try:
        inputs = {inputs_digest(config) for config in configs}
    except CannotRun:
        return None
    with plain_database(config.store.url) as database:
        deployments = () if database is None else read_idle(database, config.name, now)
        if database is None or not deployments:
            return None
        state = _traffic_state(config) if any(deployment.check.traffic_state for deployment in deployments) else ""
        for deployment in deployments:
            if deployment.check.inputs not in inputs:
                return None
            if not deployment.check.nothing_due(inputs=deployment.check.inputs, traffic_state=state, now=now):
                return None
        idle = together(deployments)
        return idle if touch(database, config.name, idle.numbers, now) else None


def has_news(config: MonitorConfig, idle: IdleDeployment) -> bool:
    """Whether somebody is to be notified although no window is due."""
    return bool(idle.pending) or any(route.REFRESHED for route in config.notify)


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
    path, labels = config.traffic.path, config.traffic.labels
    states = [files_state(place) for place in (path, labels) if place is not None]
    return "" if path is None or not all(states) else " ".join(states)


def label_logs_of(config: MonitorConfig) -> tuple[Path, ...]:
    """The folders in which the config's label log may be: that of tables, or that of a traffic log of this machine."""
    path = config.traffic.path
    return (config.traffic.label_log, path) if isinstance(path, Path) else ()
