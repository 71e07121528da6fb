"""What people do with incidents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

ActionKind: TypeAlias = Literal["acknowledge", "snooze", "assign", "note", "close", "reopen", "run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentAction:
    """Something that a person did with an incident.

    Attributes:
        at: When, aware.
        by: Who.
        kind: What.
        text: The note, the new owner (empty: nobody), the reason, or which action of the config ran, and its outcome.
        until: When a snooze ends, aware; None: only when the incident becomes worse. A time that is not later than `at`
            ends a snooze.
        until_worse: Whether a snooze ends when the incident becomes worse.
    """

    at: datetime
    by: str
    kind: ActionKind
    text: str = ""
    until: datetime | None = None
    until_worse: bool = False
