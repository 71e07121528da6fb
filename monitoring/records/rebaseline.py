"""A baseline that was made from traffic: the new normal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebaseline:
    """A change of a deployment's baseline to windows of its own traffic. All times are aware.

    Attributes:
        at: When it was asked for.
        by: Who asked for it.
        reason: Why what these windows show is normal.
        start: When the first of the windows begins.
        end: When the last of them ends.
        since: Windows that begin before that time are not judged against the new baseline.
        former_basis: The digest of the settings and the baseline before.
        former_section: The config's [baseline] section before, as text; empty where there was none.
        closed: The incidents that it closed, by their numbers.
        undone_at: When it was undone; None while it stands.
        undone_by: Who undid it.
    """

    at: datetime
    by: str
    reason: str
    start: datetime
    end: datetime
    since: datetime
    former_basis: str
    former_section: str = ""
    closed: tuple[int, ...] = ()
    undone_at: datetime | None = None
    undone_by: str = ""
