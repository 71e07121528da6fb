"""Notices about subgroups in which a model has got worse: opened by a search, closed by later ones."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from monitoring.incidents.life_cycle import HARM_LEFT, step_fact_recovery
from monitoring.records import (
    SUBGROUP_WATCH,
    CauseDetail,
    Condition,
    Diagnosis,
    IncidentEvent,
    IncidentRecord,
    NextStep,
    Subgroup,
    SubgroupCause,
    Watch,
)
from monitoring.subgroups.subgroups import ERROR_RATE, ScoredSide, measured_subgroup, meeting, worst_subgroups
from monitoring.timestamps import as_microseconds
from monitoring.traffic.windows import Window

#: A subgroup is told by an incident if more than this share of the rows of the smaller one of both are in the other.
SAME_ROWS = 0.5

#: A rise is over where it is below half of the one that was told, by so many standard errors: one-sided, 95 %.
OVER_ERRORS = 1.645


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SubgroupSearch:
    """The rows of a search, and what it may say.

    Attributes:
        error_rate: How many subgroups it may name for nothing, on average.
    """

    baseline: ScoredSide
    live: ScoredSide
    watch: Watch
    searched: Window
    windows: int
    now: Window
    error_rate: float
    slices: tuple[str, ...] = ()
    timezone: str = "UTC"

    @property
    def seed(self) -> int:
        """Of the halves: another one for other windows, the same when they are searched again."""
        return abs(as_microseconds(self.searched.start))


def open_subgroup_incidents(
    search: SubgroupSearch, current: Sequence[IncidentRecord], losses: Collection[str], *, first_number: int
) -> tuple[IncidentRecord, ...]:
    """Search for subgroups, and open a notice for each that no open incident tells."""
    subgroups = worst_subgroups(search.baseline, search.live, seed=search.seed, error_rate=search.error_rate)
    incident_conditions = [conditions for incident in current if (conditions := _conditions_of(incident, losses))]
    new = [
        replace(subgroup, watch=search.watch.name)
        for subgroup in subgroups
        if not _is_told(subgroup, incident_conditions, search.live)
    ]
    return tuple(_incident(subgroup, search, first_number + place) for place, subgroup in enumerate(new))


def advance_subgroup_incident(incident: IncidentRecord, search: SubgroupSearch) -> IncidentRecord:
    """Advance an incident of a search by a later one.

    It is closed once the same rows rose by less than `monitoring.incidents.life_cycle.HARM_LEFT` of what was told, by
    `OVER_ERRORS` standard errors; or after as many searches without a significant rise as windows close a fact.
    """
    subgroup = incident.detail.subgroup
    if subgroup is None or subgroup.watch != search.watch.name or not _are_known(subgroup.conditions, search):
        return incident
    subgroup_now = measured_subgroup(subgroup.conditions, search.baseline, search.live)
    if subgroup_now is None:
        return incident
    if subgroup_now.excess + OVER_ERRORS * subgroup_now.error < HARM_LEFT * subgroup.excess:
        return replace(incident, closed_at=search.now.end).entered("closed", search.now.end)
    return step_fact_recovery(incident, is_present=subgroup_now.p_value <= ERROR_RATE, now=search.now.end)


def _are_known(conditions: Sequence[Condition], search: SubgroupSearch) -> bool:
    return all(condition.input in side.inputs for condition in conditions for side in (search.baseline, search.live))


def _conditions_of(incident: IncidentRecord, losses: Collection[str]) -> tuple[Condition, ...]:
    """What the rows meet that an incident is about; none where it is about all rows, or about no loss."""
    if incident.detail.subgroup is not None:
        return incident.detail.subgroup.conditions
    column, separator, value = incident.slice.partition("=")
    return (Condition(input=column, sign="=", value=value),) if separator and incident.watch in losses else ()


def _is_told(subgroup: Subgroup, incident_conditions: Sequence[tuple[Condition, ...]], live: ScoredSide) -> bool:
    inside = meeting(subgroup.conditions, live.inputs)
    for conditions in incident_conditions:
        if all(each.input in live.inputs for each in conditions):
            theirs = meeting(conditions, live.inputs)
            if (inside & theirs).sum() > SAME_ROWS * min(inside.sum(), theirs.sum()):
                return True
    return False


def _incident(subgroup: Subgroup, search: SubgroupSearch, number: int) -> IncidentRecord:
    now, zone = search.now, ZoneInfo(search.timezone)
    cause = SubgroupCause(
        start=search.searched.start.astimezone(zone),
        end=search.searched.end.astimezone(zone),
        windows=search.windows,
        step=_next_step(subgroup, search.slices),
    )
    return IncidentRecord(
        number=number,
        level="notice",
        state="open",
        opened_at=now.end,
        window_start=now.start,
        window_end=now.end,
        watch=SUBGROUP_WATCH,
        slice=str(subgroup),
        diagnoses=(Diagnosis(at=now.end, cause=cause),),
        recovery="0",
        detail=CauseDetail(subgroup=subgroup),
        history=(IncidentEvent(at=now.end, state="open"),),
    )


def _next_step(subgroup: Subgroup, slices: Sequence[str]) -> NextStep:
    """Look at the rows, and have them judged in every window from now on."""
    categories = list(dict.fromkeys(each.input for each in subgroup.conditions if each.sign == "="))
    new = [name for name in categories if name not in slices]
    if new:
        return NextStep(kind="declare the slices", subjects=(*slices, *new))
    return NextStep(kind="look at its rows", subjects=tuple(categories[:1]))
