"""One loaded version of a model, and the requests that hold it."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, final

from serving.metrics.version_statistics import VersionStatistics
from serving.status import Code


class VersionState(StrEnum):
    """The life cycle of a version; the names are those of ``tensorflow.serving.ModelVersionStatus``."""

    START = "START"
    LOADING = "LOADING"
    AVAILABLE = "AVAILABLE"
    UNLOADING = "UNLOADING"
    END = "END"


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionStatus:
    """The state of one version, and the error if it could not be loaded."""

    number: int
    state: VersionState
    code: Code = Code.OK
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often a version that cannot be loaded is tried again while its files do not change."""

    count: int = 5
    interval_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionSettings:
    """What holds for the versions of all models of a server."""

    retries: RetryPolicy = field(default_factory=RetryPolicy)
    newest_is_zero: bool = True
    """Whether version 0 means the newest where there is no version 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadFailure:
    """When a version failed to load, and how often."""

    modified_ns: int
    """When its files were last changed, in ns since 1970."""
    tries: int
    at_s: float
    """Seconds of the clock of `serving.models.versions.Models`."""


BASELINE_FILE = "assets.extra/baseline/baseline.json"
MLMD_FILE = "assets.extra/mlmd_uuid"
MLMD_BYTES = 256

if TYPE_CHECKING:
    from pathlib import Path

    from serving.models.runner import Runner


@final
class ServedVersion:
    """A loaded version. Requests that use it hold leases; it is unloaded when the last lease is released."""

    def __init__(self, *, model: str, number: int, runner: Runner, path: Path) -> None:
        self.model = model
        self.number = number
        self.runner = runner
        self.path = path
        self.statistics = VersionStatistics()
        self.mlmd_uuid = _read_mlmd_uuid(path)
        """The version's key in ML Metadata, which TFX leaves in its folder; empty if there is none."""
        self.labelled_outputs = labelled_outputs(path)
        """The outputs that have a label each; none where a label is one value, or that is not known."""
        self._leases = 0
        self._is_unloading = False
        # The lock itself is entered, not the condition around it, whose methods are Python and paid by every request.
        self._lock = threading.Lock()
        self._released = threading.Condition(self._lock)

    @property
    def is_unloading(self) -> bool:
        """Whether the version takes no new requests."""
        return self._is_unloading

    def acquire(self) -> bool:
        """Take a lease. Returns False, and no lease, if the version is being unloaded."""
        with self._lock:
            self._leases += not self._is_unloading
            return not self._is_unloading

    def release(self) -> None:
        """Release one lease."""
        with self._lock:
            self._leases -= 1
            if self._is_unloading and not self._leases:  # before that `unload` does not wait
                self._released.notify_all()

    def unload(self, *, timeout_s: float) -> None:
        """Refuse new leases, wait at most ``timeout_s`` seconds for the others, and free the model's memory."""
        with self._released:
            self._is_unloading = True
            self._released.wait_for(lambda: not self._leases, timeout=timeout_s)
        self.runner.close()


def _read_mlmd_uuid(path: Path) -> str:
    try:
        with (path / MLMD_FILE).open("rb") as file:
            return "".join(filter(str.isprintable, file.read(MLMD_BYTES).decode("utf-8", "replace"))).strip()
    except OSError:  # most versions have none
        return ""


def labelled_outputs(version: Path) -> tuple[str, ...]:
    """Read which outputs of a version have a label each.

    Returns:
        Their names; none where a label is one value, or the folder does not say.
    """
    with suppress(OSError, ValueError, LookupError, TypeError):  # a SavedModel without a baseline, or another format
        document = json.loads((version / BASELINE_FILE).read_text(encoding="utf-8"))
        return tuple(str(output["output"]) for output in document["several"])
    return ()
