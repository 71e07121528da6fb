"""Where a deployment's traffic is, as its store remembers it."""

from __future__ import annotations

import os.path
from pathlib import Path

from monitoring.config import MonitorConfig
from monitoring.config.addresses import redacted

_SQLITE = "sqlite:///"


def traffic_place(config: MonitorConfig) -> str:
    """The place of a config's traffic, for telling two configs of one store apart.

    Paths count from the folder of an SQLite store, so that a folder with both may be moved. A config whose traffic is
    named with each run is told apart by its label log.

    Args:
        config: A config.

    Returns:
        A path, or a URL without password and query.
    """
    path = config.traffic.declared_path
    if path is None:
        return f"named with each run, labels in {_relative(config.traffic.label_log, config.store.url)}"
    if isinstance(path, Path):
        return _relative(path, config.store.url)
    place = path.partition("?")[0]
    return place if "@" not in place else f"{redacted(path)}{place.rpartition('@')[2].partition('/')[2]}"


def _relative(path: Path, store: str) -> str:
    if not store.startswith(_SQLITE):
        return str(path)
    return os.path.relpath(path, Path(store.removeprefix(_SQLITE).partition("?")[0]).parent)
