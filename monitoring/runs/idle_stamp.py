"""What the last run with nothing to do went by: the next one knows from bytes and files that it is so still.

Reading a config loads what validates it, which takes more than all else that such a run does. A stamp is a file among
this user's caches, and may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from monitoring.atomic import write_text
from monitoring.deployment.files_state import are_readable, files_state
from monitoring.distribution import installed_version
from monitoring.store.checks import IdleDeployment, idle_in, plain_database

#: What others than the owner may do with a stamp that is read: read it.
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleStamp:
    """What a run with nothing to do went by.

    Attributes:
        config: The digest of the config's text, and of the variable that may name its store.
        variable: The name of that variable.
        store: The URL of an SQLite store; empty: the config's text has that of another one, which may hold a password.
        inputs: Digests of all that a run goes by but its traffic, one for each version.
        models: The folder whose versions are all judged; empty: one version is.
        versions: The versions in it.
        files: The states of the baseline's files, by their place.
        traffic: Where the files of the traffic and its labels are.
        label_logs: The folders that may have the label log.
    """

    config: str
    variable: str
    release: str
    name: str
    store: str
    inputs: tuple[str, ...]
    models: str
    versions: tuple[str, ...]
    files: Mapping[str, str]
    traffic: tuple[str, ...]
    label_logs: tuple[str, ...]

    def holds(self, path: Path) -> bool:
        """Whether a run of the config would go by the same."""
        return (
            self.release == installed_version()
            and self.config == config_digest(path, self.variable)
            and (not self.models or self.versions == versions_in(Path(self.models)))
            and all(files_state(Path(place)) == state for place, state in self.files.items())
            and are_readable(map(Path, self.traffic))
        )

    def traffic_state(self) -> str:
        """What files the traffic and its labels are in now."""
        return " ".join(files_state(Path(place)) for place in self.traffic)


def stamped_idle(path: Path, now: datetime) -> IdleDeployment | None:
    """`monitoring.runs.idle.idle_deployment` of a config by its stamp; None where that does not know it.

    Cost: a few ms; with the start of the command line a tenth of a second.
    """
    try:
        stamp = read_stamp(path)
        if stamp is None or not stamp.holds(path):
            return None
        url = stamp.store or os.environ.get(stamp.variable) or _url_in(path)
    except (OSError, ValueError, LookupError):  # the long way says what is wrong
        return None
    with plain_database(url) as database:
        logs = tuple(map(Path, stamp.label_logs))
        return None if database is None else idle_in(database, stamp.name, stamp.inputs, stamp.traffic_state, now, logs)


def config_digest(path: Path, variable: str) -> str:
    """A digest of a config's text, and of what a variable says."""
    text = path.read_bytes() + b"\0" + os.environ.get(variable, "").encode(errors="surrogateescape")
    return hashlib.sha256(text).hexdigest()


def versions_in(folder: Path) -> tuple[str, ...]:
    """The names in a folder of models' versions, in order."""
    return tuple(sorted(child.name for child in folder.iterdir())) if folder.is_dir() else ()


def read_stamp(path: Path) -> IdleStamp | None:
    """The stamp of a config; None where there is none that this user alone may have written."""
    try:
        with _file(path).open("rb") as opened:
            status = os.fstat(opened.fileno())
            if status.st_uid != os.geteuid() or status.st_mode & _WRITABLE_BY_OTHERS:
                return None
            document: dict[str, Any] = json.loads(opened.read())
        lists = {name: tuple(document[name]) for name in ("inputs", "versions", "traffic", "label_logs")}
        return IdleStamp(**{**document, **lists})
    except (OSError, RuntimeError, ValueError, TypeError, LookupError, AttributeError):  # the long way needs none
        return None


def write_stamp(path: Path, stamp: IdleStamp) -> None:
    """Keep the stamp of a config, where this user has caches."""
    with suppress(OSError, RuntimeError):
        file = _file(path)
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_text(file, json.dumps(asdict(stamp)), durable=False)


def _url_in(path: Path) -> str:
    """The URL of the store that a config's text names."""
    return str(tomllib.loads(path.read_text(encoding="utf-8"))["store"]["url"])


def _file(path: Path) -> Path:
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    name = hashlib.sha256(str(path.absolute()).encode(errors="surrogateescape")).hexdigest()
    return Path(caches, "pitfalls", "idle", f"{name[:32]}.json")
