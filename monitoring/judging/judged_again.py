"""Windows that are judged again: an incident that they open once more keeps its number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from monitoring.judging.judge import Judgement
from monitoring.records import IncidentRecord


def with_numbers_of(
    judgement: Judgement, before: Mapping[int, IncidentRecord], *, first_number: int
) -> tuple[Judgement, frozenset[int]]:
    """A judgement whose new incidents have the numbers that they had when the same windows were judged before.

    The incidents of one level, watch and slice are the same in their order.

    Args:
        before: The incidents that were opened when these windows and later ones were judged before, by number, without
            those that were opened again already.

    Returns:
        The judgement, whose other new incidents count from `first_number`; and the numbers that are taken up again.
    """
    left = dict(sorted(before.items()))
    numbers, following = dict[int, int](), first_number
    for opened in (incident for incident in judgement.changed if incident.number >= first_number):
        same = (number for number, incident in left.items() if _harm(incident) == _harm(opened))
        number = next(same, None)
        numbers[opened.number] = following if number is None else number
        if number is None:
            following += 1
        else:
            del left[number]

    def numbered(incidents: tuple[IncidentRecord, ...]) -> tuple[IncidentRecord, ...]:
        return tuple(replace(incident, number=numbers.get(incident.number, incident.number)) for incident in incidents)

    state = judgement.state
    closed = {key: numbers.get(number, number) for key, number in state.closed.items()}
    state = replace(state, incidents=numbered(state.incidents), next_number=following, closed=closed)
    again = replace(judgement, state=state, changed=numbered(judgement.changed))
    return again, frozenset(numbers.values()) & frozenset(before)


def _harm(incident: IncidentRecord) -> tuple[str, str, str]:
    return incident.level, incident.watch, incident.slice
