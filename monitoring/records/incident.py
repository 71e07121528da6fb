"""Incidents, with their causes in numbers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Literal, TypeAlias

from monitoring.records.diagnosis import (
    AlarmCause,
    Diagnosis,
    FactCause,
    LegacyCause,
    LossSplit,
    SlicePart,
    SubgroupCause,
)
from monitoring.records.relation import Condition, RelationChange
from monitoring.records.watch import Level

ActionKind: TypeAlias = Literal["acknowledge", "snooze", "assign", "note", "close", "reopen", "run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentAction:
    """Something that a person did with an incident.

    Attributes:
        text: The note, the new owner (empty: nobody), the reason, or which action of the config ran, and its outcome.
        until: When a snooze ends, aware; None: only when the incident becomes worse. A time that is not later than `at`
            ends a snooze.
    """

    at: datetime
    by: str
    kind: ActionKind
    text: str = ""
    until: datetime | None = None
    until_worse: bool = False


#: The watch of an incident that a fact opened, and what separates the inputs that its `slice` names.
FACT_WATCH: Final = "schema"
FACT_SEPARATOR: Final = ", "

IncidentState: TypeAlias = Literal["open", "acknowledged", "worse", "recovering", "closed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseRow:
    """A row to look at first: one with a large score, in the unit of the watch that opened the incident."""

    prediction_id: str
    event_time: datetime
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class InputDrift:
    """An input that drifted, and the largest log evidence of its watches.

    `explained` is the part of the change of the alarm's loss that its values' other shares explain, from 0 to 1; None
    where the alarm is about no loss. `change` is how far the watch that changed most has moved since the onset, in
    standard deviations between baseline windows; None in records of earlier versions.
    """

    input: str
    log_evidence: float
    explained: float | None = None
    change: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseDetail:
    """The numbers behind an incident; empty where the watch that opened it has none.

    `subgroup` is the one that an incident of a search is about. `relation` is how that of inputs and label has changed;
    None where that is not known, or is not beyond chance.
    """

    split: LossSplit | None = None
    parts: tuple[SlicePart, ...] = ()
    inputs: tuple[InputDrift, ...] = ()
    rows: tuple[CauseRow, ...] = ()
    subgroup: Subgroup | None = None
    relation: RelationChange | None = None


#: Stands for the state from which an incident was closed while the windows since it opened are judged again: it goes on
#: where they open it again.
JUDGED_AGAIN: Final = "judged again"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentEvent:
    """A state that an incident entered, and when: the end of a window, or the time of an acknowledgement."""

    at: datetime
    state: IncidentState


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRecord:
    """An incident: what opened it, its state in the life cycle, and what people did with it. It has no sentence.

    `number` counts from 1 within a deployment. `diagnoses` has what is known of its cause: when it was opened, and each
    time that it became worse. `consequence_of` is the number of the incident that it follows from. `recovery` is the
    state of the test that closes the incident, as text. `history` has every state that the incident has entered, in
    order, its opening first. `previous` is the number of the last closed incident on the same watch and slice.

    `owner`, the snooze and `actions` are people's: evidence changes none of them, except that what became worse ends a
    snooze that says so. `closed_from` is the state from which a person closed the incident, until the next window takes
    account of it, or `JUDGED_AGAIN`. `actions` has everything that people did, in order; it is empty where it was not
    read.
    """

    number: int
    level: Level
    state: IncidentState
    opened_at: datetime
    window_start: datetime
    window_end: datetime
    watch: str
    slice: str
    diagnoses: tuple[Diagnosis, ...] = ()
    recovery: str = ""
    acknowledged_at: datetime | None = None
    closed_at: datetime | None = None
    detail: CauseDetail = field(default_factory=CauseDetail)
    history: tuple[IncidentEvent, ...] = ()
    previous: int | None = None
    consequence_of: int | None = None
    owner: str = ""
    snoozed_until: datetime | None = None
    snoozed_until_worse: bool = False
    closed_from: IncidentState | Literal["", "judged again"] = ""
    actions: tuple[IncidentAction, ...] = ()

    @property
    def opening(self) -> AlarmCause | FactCause | SubgroupCause | LegacyCause | None:
        """The cause as it was when the incident was opened; None of a notification that is about no incident."""
        return self.diagnoses[0].cause if self.diagnoses else None

    @property
    def fact(self) -> str:
        """The kind of the fact that opened it; empty where an alarm or a search did."""
        return self.opening.fact if isinstance(self.opening, FactCause | LegacyCause) else ""

    @property
    def subjects(self) -> tuple[str, ...]:
        """The inputs that a fact names, or what else it is about; none where an alarm or a search opened it."""
        return self.opening.subjects if isinstance(self.opening, FactCause | LegacyCause) else ()

    @property
    def has_evidence(self) -> bool:
        """Whether an alarm added its evidence to the fact that opened it."""
        cause = self.opening
        if not isinstance(cause, FactCause | LegacyCause):
            return False
        return cause.evidence is not None or (isinstance(cause, LegacyCause) and cause.has_evidence)

    @property
    def is_improvement(self) -> bool:
        """Whether it says that every loss is better than the benchmark."""
        return isinstance(self.opening, AlarmCause | LegacyCause) and self.opening.is_improvement

    @property
    def scored_by(self) -> str:
        """The watch in whose unit its rows are: its own, that of a fact's evidence, or what a search compared."""
        if self.detail.subgroup is not None:
            return self.detail.subgroup.watch
        evidence = self.opening.evidence if isinstance(self.opening, FactCause | LegacyCause) else None
        return self.watch if evidence is None else evidence.key.watch

    @property
    def worsenings(self) -> int:
        """How often it has become worse."""
        return sum(event.state == "worse" for event in self.history)

    def is_snoozed(self, now: datetime) -> bool:
        """Whether nobody wants to hear of the incident at a time, aware: a closed one is not snoozed."""
        if self.state == "closed":
            return False
        return self.snoozed_until_worse if self.snoozed_until is None else now < self.snoozed_until

    def entered(self, state: IncidentState, at: datetime) -> IncidentRecord:
        """Move the incident to a state, with the event in its history; only "worse" is an event again and again."""
        if state == self.state and self.history and state != "worse":
            return self
        return replace(self, state=state, history=(*self.history, IncidentEvent(at=at, state=state)))


#: The watch of an incident that a search for subgroups opened; its slice is the subgroup in words.
SUBGROUP_WATCH: Final = "subgroup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subgroup:
    """A subgroup in which the excess of losses has risen more than in all other rows.

    Attributes:
        p_value: How likely a difference so large is by chance, corrected for the number of subgroups compared.
        watch: Whose values were compared, in its own unit: the surprise of a loss; empty where it is not known.

    >>> str(
    ...     Subgroup(
    ...         conditions=(
    ...             Condition(input="hour", sign="≥", value=18.0),
    ...             Condition(input="shop", sign="=", value="north"),
    ...         ),
    ...         rows=120,
    ...         rise=0.4,
    ...         others=0.0,
    ...         error=0.05,
    ...         p_value=1e-9,
    ...     )
    ... )
    'hour ≥ 18 and shop = north'
    """

    conditions: tuple[Condition, ...]
    rows: int
    rise: float
    others: float
    error: float
    p_value: float
    watch: str = ""

    def __str__(self) -> str:
        return " and ".join(map(str, self.conditions))

    @property
    def excess(self) -> float:
        """By how much more its rows rose than the others."""
        return self.rise - self.others

    def is_within(self, other: Subgroup) -> bool:
        """Whether all of its rows are rows of another subgroup, as its conditions say."""
        return set(other.conditions) <= set(self.conditions)
