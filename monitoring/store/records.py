"""The records of the store itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from monitoring.records import WindowRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentRecord:
    """One version of a model under one set of settings, whose evidence belongs together.

    Attributes:
        model: The model's name.
        version: Its version.
        settings_digest: The digest of everything that changes the meaning of evidence.
        created_at: When it was first used, aware.
        timezone: IANA name of the zone of its windows.
        page_budget: The budget of false pages, as text.
        page_threshold: The evidence at which a page is raised.
        notice_budget: The budget of false notices, as text.
        notice_threshold: The evidence at which a notice is raised.
    """

    model: str
    version: int
    settings_digest: str
    created_at: datetime
    timezone: str
    page_budget: str
    page_threshold: float
    notice_budget: str
    notice_threshold: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredWindow:
    """A judged window, and the rows of each label segment that had been read by then."""

    record: WindowRecord
    label_cursor: Mapping[str, int]
