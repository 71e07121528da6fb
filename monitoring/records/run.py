"""Runs of the monitor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One run of the monitor over a deployment that had something to judge, or failed.

    Attributes:
        ended_at: When it ended, aware; None while it goes on, or if it was killed.
        error: The error that ended it; empty if none did.
    """

    started_at: datetime
    ended_at: datetime | None = None
    windows: int = 0
    rows: int = 0
    error: str = ""
    host: str = ""
    version: str = ""

    @property
    def seconds(self) -> float | None:
        """How long it took; None for one without an end."""
        return None if self.ended_at is None else (self.ended_at - self.started_at).total_seconds()
