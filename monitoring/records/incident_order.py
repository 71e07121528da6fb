"""The one order of incidents, which every view has: what is broken first, then what may follow from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Literal, TypeAlias, get_args

from monitoring.records.diagnosis import AlarmCause
from monitoring.records.incident import FACT_WATCH, SUBGROUP_WATCH, IncidentRecord
from monitoring.records.watch import LOSS_FAMILIES

#: What an incident is about, causes before what may follow from them: an input; the feed of rows and ids; labels; the
#: model's answers; its losses; and values that drifted.
BrokenPart: TypeAlias = Literal["input", "feed", "labels", "answers", "losses", "drift"]

_PLACES: Mapping[BrokenPart, int] = MappingProxyType({part: place for place, part in enumerate(get_args(BrokenPart))})

#: What each kind of fact is about that is not about an input.
_FACTS: Mapping[str, BrokenPart] = MappingProxyType(
    {
        "traffic volume": "feed",
        "traffic volume changed": "feed",
        "traffic volume unusual": "feed",
        "labels without predictions": "feed",
        "predictions repeated": "feed",
        "rows copied": "feed",
        "unknown labels": "labels",
        "labels lost a class": "labels",
        "label shares jumped": "labels",
        "labels constant": "labels",
        "labels stopped": "labels",
        "labels too late": "labels",
        "fewer labels": "labels",
        "unusable answers": "answers",
        "no answers": "answers",
        "answers constant": "answers",
        "answers independent of inputs": "answers",
        "answers reversed": "answers",
        "classes in another order": "answers",
        "labels contradict answers": "losses",
        "losses far outside the baseline": "losses",
        "better than the benchmark": "losses",
    }
)


def part_of_fact(kind: str) -> BrokenPart:
    """What a kind of fact is about.

    >>> part_of_fact("answers constant"), part_of_fact("column gone")
    ('answers', 'input')
    """
    return _FACTS.get(kind, "input")


def fact_place(kind: str) -> int:
    """The place of a kind of fact among those of one window, causes first."""
    return _PLACES[part_of_fact(kind)]


def part_of(incident: IncidentRecord) -> BrokenPart:
    """What an incident is about; of an alarm of an earlier store whether it is a page says whether it is of losses."""
    cause = incident.opening
    if incident.watch == FACT_WATCH:
        return part_of_fact(incident.fact)
    if incident.watch == SUBGROUP_WATCH:
        return "losses"
    if not isinstance(cause, AlarmCause):
        return "losses" if incident.level == "page" else "drift"
    if cause.family == "labelled":
        return "labels"
    if cause.family == "integrity":
        return "input" if cause.feature else "answers"
    return "losses" if cause.family in LOSS_FAMILIES and not cause.is_improvement else "drift"


def _names_no_input(incident: IncidentRecord) -> bool:
    """Whether it is of drift that is of no one input: what moved by itself says more."""
    return isinstance(incident.opening, AlarmCause) and incident.opening.family in ("joint", "embedding")


def by_cause(incidents: Iterable[IncidentRecord], now: datetime | None = None) -> tuple[IncidentRecord, ...]:
    """Incidents in the order of every view.

    Those that are not closed first, of them pages, of them those that nobody has acknowledged or snoozed; of these what
    is broken before what follows from it, then the newest. Closed ones follow, the newest first.

    Args:
        now: The time, aware; None where it is not known: then no snooze counts.
    """

    def place(incident: IncidentRecord) -> tuple[float, ...]:
        newest, part = -incident.window_start.timestamp(), _PLACES[part_of(incident)]
        follows = incident.consequence_of is not None or _names_no_input(incident)
        if incident.state == "closed":
            return (1, newest, part, follows, incident.number)
        seen = incident.acknowledged_at is not None or (now is not None and incident.is_snoozed(now))
        return (0, incident.level != "page", seen, part, follows, newest, incident.number)

    return tuple(sorted(incidents, key=place))
