"""Incidents, with their causes in numbers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Literal, TypeAlias

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
#: Between the parts of a message: what it said when the incident was opened, and each time when it became worse.
WORSE_SINCE: Final = " Worse since: "
#: And what is known of its cause some windows later, followed by the day or the batch.
ASSESSED_AGAIN: Final = " Assessed again "
FACT_SEPARATOR: Final = ", "


def message_parts(message: str) -> tuple[str, ...]:
    """An incident's message in paragraphs: what opened it, and each time that it was assessed again or became worse.

    >>> message_parts("It rose. Worse since: it rose more. Assessed again on 9 May: it fell.")
    ('It rose.', 'Worse since: it rose more.', 'Assessed again on 9 May: it fell.')
    """
    for marker in (WORSE_SINCE, ASSESSED_AGAIN):
        message = message.replace(marker, "\n" + marker.lstrip())
    return tuple(message.split("\n"))


IncidentState: TypeAlias = Literal["open", "acknowledged", "worse", "recovering", "closed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LossSplit:
    """The change of a loss since the onset: that of the expected loss, and that of the surprise.

    The expected loss is the one that the model's own probabilities imply; surprise is the realised minus the expected
    loss, a calibration gap.
    """

    metric: str
    difficulty: float
    surprise: float

    @property
    def change(self) -> float:
        """The change of the realised loss."""
        return self.difficulty + self.surprise


@dataclass(frozen=True, slots=True, kw_only=True)
class SlicePart:
    """One slice's contribution to the change of a metric's mean over labelled rows, in the metric's own unit.

    With shares w and mean losses l, before and after, and the overall mean L before: `mix` is (w₁ - w₀)(l₀ - L), the
    contribution of its share; `loss` is w₁(l₁ - l₀), that of its own loss. The contributions of all values of a column
    add up to the change.
    """

    metric: str
    column: str
    slice: str
    mix: float
    loss: float

    @property
    def total(self) -> float:
        """The slice's whole contribution."""
        return self.mix + self.loss


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
    """The numbers behind an incident's message; empty where the watch that opened it has none.

    `subgroup` is the one that an incident of a search is about.
    """

    split: LossSplit | None = None
    parts: tuple[SlicePart, ...] = ()
    inputs: tuple[InputDrift, ...] = ()
    rows: tuple[CauseRow, ...] = ()
    subgroup: Subgroup | None = None


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
    """An incident: what opened it, its state in the life cycle, and what people did with it.

    `number` counts from 1 within a deployment. `recovery` is the state of the test that closes the incident, as text.
    `history` has every state that the incident has entered, in order, its opening first. `previous` is the number of
    the last closed incident on the same watch and slice.

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
    cause: str
    message: str
    recovery: str = ""
    acknowledged_at: datetime | None = None
    closed_at: datetime | None = None
    detail: CauseDetail = field(default_factory=CauseDetail)
    history: tuple[IncidentEvent, ...] = ()
    previous: int | None = None
    owner: str = ""
    snoozed_until: datetime | None = None
    snoozed_until_worse: bool = False
    closed_from: IncidentState | Literal["", "judged again"] = ""
    actions: tuple[IncidentAction, ...] = ()

    @property
    def inputs_of_fact(self) -> tuple[str, ...]:
        """The inputs that an incident names which a fact opened; none of another incident."""
        return tuple(self.slice.split(FACT_SEPARATOR)) if self.watch == FACT_WATCH else ()

    @property
    def scored_by(self) -> str:
        """The watch in whose unit its rows are: its own, or the one that a search for subgroups compared."""
        return self.watch if self.detail.subgroup is None else self.detail.subgroup.watch

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

Sign: TypeAlias = Literal["<", "≥", "=", "≠"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A condition on one input. A missing value meets ``<`` and ``≠`` alone.

    >>> str(Condition(input="age", sign="≥", value=65.0)), str(Condition(input="shop", sign="=", value="north"))
    ('age ≥ 65', 'shop = north')
    """

    input: str
    sign: Sign
    value: float | str

    def __str__(self) -> str:
        value = f"{self.value:.4g}" if isinstance(self.value, float) else self.value
        return f"{self.input} {self.sign} {value}"


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
