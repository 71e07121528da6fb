"""What is usual of a count of windows, while a notice that it has changed is open and after a person has closed it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeAlias

from monitoring.records import IncidentRecord, WindowRecord
from monitoring.timestamps import as_microseconds

Places: TypeAlias = Mapping[str, int]
Counts: TypeAlias = tuple[tuple[Places, int], ...]

#: The subjects of the notices that tell another level of rows, and fewer labels.
LASTING_SUBJECT = "recent row count"
FEWER_LABELS_SUBJECT = "recent label count"

#: So many windows are a level that lasts.
LASTING_WINDOWS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class UsualLevel:
    """What is usual of one count. Times are microseconds since 1970.

    A change that lasts would become usual after some weeks, and its notice would close. So while the notice is open,
    the comparison stays with the windows before the change, and afterwards these windows are left out. A person who
    closes the notice says that the new level is right: what was before it counts no more.

    Attributes:
        before: Place and count of the windows before the change; empty while there is none.
        share: The reference's share of labelled rows, where that showed the change; 0 while it does not.
        began: When the change began, while there is one.
        since: Windows that begin before this count no more, as a person accepted a level that began then; 0: never.
        accepted: When that was: windows before are usual, whatever was found of them.
    """

    before: Counts = ()
    share: float = 0.0
    began: int = 0
    since: int = 0
    accepted: int = 0

    @property
    def is_changed(self) -> bool:
        """Whether the count is compared with what was before a change."""
        return bool(self.before) or self.share > 0.0

    def changed(self, *, began: datetime, before: Counts = (), share: float = 0.0) -> UsualLevel:
        """The level with what was usual before a change that began then."""
        return replace(self, before=before, share=share, began=as_microseconds(began))

    def over(self) -> UsualLevel:
        """The level after the end of a change."""
        return replace(self, before=(), share=0.0, began=0)

    def closed_by_hand(self, now: int) -> UsualLevel:
        """The level after a person closed the notice: the new one is usual, if the change goes on."""
        return UsualLevel(since=self.began, accepted=now) if self.is_changed else self

    def ordinary(self, history: Sequence[WindowRecord], subject: str) -> tuple[bool, ...]:
        """Whether each window is usual: none with a finding about the subject, nor the others of a level that lasts."""
        starts = [as_microseconds(window.start) for window in history]
        usual = [start >= self.since for start in starts]
        for place, window in enumerate(history):
            if starts[place] >= self.accepted and any(finding.feature == subject for finding in window.findings):
                first = max(place + 1 - LASTING_WINDOWS, 0)
                usual[first : place + 1] = [False] * (place + 1 - first)
        return tuple(usual)


@dataclass(frozen=True, slots=True, kw_only=True)
class UsualLevels:
    """What is usual of rows and of labels.

    Attributes:
        completed: Rows, and labels, of the last `LASTING_WINDOWS` windows whose labels are no longer waited for.
        gap: So many windows up to the last one had no rows.

    >>> levels = UsualLevels(rows=UsualLevel(before=(({"week": 1}, 400),), began=5), completed=((400, 210),), gap=2)
    >>> UsualLevels.from_text(levels.to_text()) == levels, UsualLevels.from_text("") == UsualLevels()
    (True, True)
    """

    rows: UsualLevel = field(default_factory=UsualLevel)
    labels: UsualLevel = field(default_factory=UsualLevel)
    completed: tuple[tuple[int, int], ...] = ()
    gap: int = 0

    def after_actions(self, incidents: Sequence[IncidentRecord], history: Sequence[WindowRecord]) -> UsualLevels:
        """The levels after people closed notices since the last window."""
        closed = {name for incident in incidents if incident.state == "closed" for name in incident.subjects}
        now = as_microseconds(history[-1].end) if history else 0
        rows = self.rows.closed_by_hand(now) if LASTING_SUBJECT in closed else self.rows
        labels = self.labels.closed_by_hand(now) if FEWER_LABELS_SUBJECT in closed else self.labels
        return replace(self, rows=rows, labels=labels)

    def with_completed(self, windows: Sequence[tuple[int, int]]) -> UsualLevels:
        """The levels after windows whose labels are no longer waited for; those without rows say nothing."""
        return replace(self, completed=(*self.completed, *(one for one in windows if one[0]))[-LASTING_WINDOWS:])

    def to_text(self) -> str:
        """The levels as JSON."""
        values = {"rows": _values(self.rows), "labels": _values(self.labels), "completed": self.completed}
        return json.dumps(values | ({"gap": self.gap} if self.gap else {}), separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> UsualLevels:
        """Read what `to_text` wrote; nothing is the state before the first window, and of stores without it."""
        if not text:
            return cls()
        values = json.loads(text)
        completed = tuple((rows, labels) for rows, labels in values["completed"])
        rows, labels = _level(values["rows"]), _level(values["labels"])
        return cls(rows=rows, labels=labels, completed=completed, gap=values.get("gap", 0))


def _values(level: UsualLevel) -> dict[str, Any]:
    values = {name: getattr(level, name) for name in UsualLevel.__slots__}
    return {name: value for name, value in values.items() if value}


def _level(values: Mapping[str, Any]) -> UsualLevel:
    before = tuple((places, count) for places, count in values.get("before", ()))
    return UsualLevel(**{**values, "before": before})
