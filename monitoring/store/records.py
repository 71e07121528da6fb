"""The records that only the store knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from monitoring.records import WindowRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentRecord:
    """One version of a model under one set of settings: what evidence belongs together.

    `settings_digest` stands for everything that changes the meaning of evidence. `created_at` is aware; thresholds are
    the evidence at which a level alarms.
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
    """A judged window, and how many rows of each label segment had been read by then."""

    record: WindowRecord
    label_cursor: Mapping[str, int]
