"""Windows judged again: backfills, and what windows were before them; attempts at judging a window."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from monitoring.records.window import WindowStatus

#: Which windows of a range are judged: those never judged, or judged without rows that are there now; or those whose
#: last attempt failed.
Only: TypeAlias = Literal["missing", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowAttempt:
    """The attempts at judging one window.

    Attributes:
        judged_at: When it had judged the window, aware; None where it failed, was killed, or goes on.
    """

    start: datetime
    end: datetime
    attempts: int
    started_at: datetime
    judged_at: datetime | None = None
    error: str = ""

    @property
    def unfinished(self) -> bool:
        """Whether the last attempt has not judged the window: it failed, was killed, or goes on."""
        return self.judged_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRevision:
    """What a window was before it was judged again."""

    start: datetime
    end: datetime
    backfill: int
    rows: int
    labels: int
    status: WindowStatus
    page_log_evidence: float
    notice_log_evidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """A range of windows that somebody asked to judge, late or again. All times are aware.

    Attributes:
        end: When the last one ends: windows that begin then or later are not part of it.
        only: Which windows of the range were asked for; None: all.
        until: Windows that begin before that time are judged: the end of the range, or of what had been judged before.
        ended_at: When all of them were judged; None before.
    """

    start: datetime
    end: datetime
    by: str
    at: datetime
    only: Only | None = None
    until: datetime
    revised: int = 0
    ended_at: datetime | None = None
    number: int = 0


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
