"""Where a config's baseline and traffic are, and whether their files are as they were. Loads no Arrow."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from monitoring.config import MonitorConfig
from monitoring.config.addresses import redacted
from monitoring.config.sections import CANDIDATE
from monitoring.errors import CannotRun

EXTRAS = "assets.extra"
BASELINE = "baseline"
SCHEMA_FILE = "schema.pbtxt"
_SQLITE = "sqlite:///"


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselinePlace:
    """Where a model's baseline is.

    Attributes:
        version: the model version; a table has none, and counts as version 1.
        since: windows that begin before that time are not judged; None: all are.
        leave_out: spans of days whose rows of the reference are not read, as the config has them.
    """

    folder: Path
    baseline: Path
    schema: Path
    version: int
    since: datetime | None = None
    leave_out: tuple[str, ...] = ()


def find_baseline(config: MonitorConfig) -> BaselinePlace:
    """The baseline that a config names: that of its [baseline] section, or else the model's own."""
    place, section = _own_baseline(config), config.baseline
    if section.version not in (None, place.version):
        return place
    if section.path is None:
        return replace(place, since=section.since, leave_out=section.leave_out)
    folder = place.folder if config.model.baseline is None else section.path
    return BaselinePlace(
        folder=folder,
        baseline=section.path,
        schema=section.path / SCHEMA_FILE,
        version=place.version,
        since=section.since,
        leave_out=section.leave_out,
    )


def _own_baseline(config: MonitorConfig) -> BaselinePlace:
    """The baseline of the model itself: a table's, or that of a bundle."""
    if config.model.baseline is not None:
        folder = config.model.baseline
        return BaselinePlace(folder=folder, baseline=folder, schema=folder / SCHEMA_FILE, version=1)
    bundle, version = find_bundle(config)
    extras = bundle / EXTRAS
    return BaselinePlace(folder=bundle, baseline=extras / BASELINE, schema=extras / SCHEMA_FILE, version=version)


def find_bundle(config: MonitorConfig) -> tuple[Path, int]:
    """The bundle of the version that a config names, or else of the newest."""
    folder, wanted = config.model.folder, config.model.version
    folders = published_versions(folder) if wanted is None else known_versions(folder)
    versions = sorted(folders)
    if not versions or (wanted is not None and wanted not in versions):
        raise CannotRun(
            "The bundle to watch is not there.",
            got=f"{folder}, with {'versions ' + ', '.join(map(str, versions)) if versions else 'no version'}",
            expected="a folder MODELS/NAME/VERSION" if wanted is None else f"version {wanted}",
            fix="Export the model there, or change `bundle` in the [model] section.",
        )
    version = versions[-1] if wanted is None else wanted
    return folders[version], version


def published_versions(folder: Path) -> dict[int, Path]:
    """The versions that have a bundle in a model's folder, with where it is."""
    children = folder.iterdir() if folder.is_dir() else iter(())
    return {int(child.name): child for child in children if child.is_dir() and child.name.isdigit()}


def candidate_versions(folder: Path) -> dict[int, Path]:
    """The candidates in a model's folder, MODELS/NAME/N.candidate, with where they are: no server takes them up."""
    numbers = {child: child.name.removesuffix(CANDIDATE) for child in folder.glob(f"*{CANDIDATE}") if child.is_dir()}
    return {int(number): child for child, number in numbers.items() if number.isascii() and number.isdecimal()}


def known_versions(folder: Path) -> dict[int, Path]:
    """The versions and candidates in a model's folder, with where they are."""
    return candidate_versions(folder) | published_versions(folder)


def with_version(config: MonitorConfig, version: int) -> MonitorConfig:
    """The config for one version of its model alone."""
    folder = config.model.folder
    bundle = known_versions(folder).get(version, folder / str(version))
    model = config.model.model_copy(update={"bundle": bundle})
    return config.model_copy(update={"model": model})


def traffic_place(config: MonitorConfig) -> str:
    """The place of a config's traffic, for telling two configs of one store apart.

    Paths count from the folder of an SQLite store, so that a folder with both may be moved. A config whose traffic is
    named with each run is told apart by its label log.
    """
    declared = config.traffic.declared
    path = declared.path
    if path is None:
        return f"named with each run, labels in {_relative(config.traffic.label_log, config.store.url)}"
    if isinstance(path, Path):
        return _relative(path, config.store.url)
    place = path.partition("?")[0]
    if place.startswith(_SQLITE):
        place = _relative(Path(place.removeprefix(_SQLITE)), config.store.url)
    elif "@" in place:
        place = f"{redacted(path)}{place.rpartition('@')[2].partition('/')[2]}"
    if declared.query is None:
        return place
    query = hashlib.sha256(" ".join(declared.query.split()).encode()).hexdigest()[:12]
    return f"{place}, query {query}"


def _relative(path: Path, store: str) -> str:
    if not store.startswith(_SQLITE):
        return str(path)
    return os.path.relpath(path, Path(store.removeprefix(_SQLITE).partition("?")[0]).parent)
