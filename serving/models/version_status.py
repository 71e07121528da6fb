"""The state of one version of a model, and how often a failed load is retried."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

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
