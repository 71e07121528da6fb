"""The types of the JSON document that ``pitfalls monitor run --json`` prints."""

from __future__ import annotations

from typing import TypedDict


class SpanDocument(TypedDict):
    """A half-open window, ISO 8601 in UTC."""

    start: str
    end: str


class EvidenceDocument(TypedDict):
    """Evidence of each level; 0 before the first score."""

    page: float
    notice: float


class EstimateDocument(TypedDict):
    """A loss of the window's predictions, estimated without labels (90 % interval), and the realised loss.

    `realised` is the loss of the window's own predictions that have a label by now, `labelled` how many have one;
    `effective_rows` is the effective sample size of a weighted estimate, `outside` the share of the window's rows that
    lie outside the reference.
    """

    method: str
    metric: str
    estimate: float | None
    low: float | None
    high: float | None
    realised: float | None
    labelled: int
    trusted: bool
    confusion: list[list[float]] | None
    effective_rows: float | None
    outside: float | None


class TrustDocument(TypedDict):
    """Whether an estimate is trusted after the last window, and how often its interval missed the realised loss.

    `unchecked_since` is when labels last sufficed for a check, null where they did in the last windows.
    """

    method: str
    metric: str
    trusted: bool
    checks: int
    misses: int
    distrusted_since: str | None
    unchecked_since: str | None


class MetricDocument(TypedDict):
    """A metric that is shown and not tested, with its 95 % interval."""

    metric: str
    rows: int
    value: float
    low: float
    high: float


class WindowMetricDocument(MetricDocument):
    """A metric of the labels that arrived in a window, and its value over the baseline's windows, null if unknown."""

    benchmark: float | None


class WindowDocument(TypedDict):
    """One judged window; `expected` is the name of the expected event that it touches, null for none."""

    start: str
    end: str
    rows: int
    labels: int
    labels_due: int
    repeats: int
    unseen: int
    status: str
    expected: str | None
    evidence: EvidenceDocument
    estimates: list[EstimateDocument]
    metrics: list[WindowMetricDocument]


class SplitDocument(TypedDict):
    """The change of a loss: that of the expected loss (`difficulty`), and that of the surprise."""

    metric: str
    change: float
    difficulty: float
    surprise: float


class PartDocument(TypedDict):
    """One slice's part in a change: by its share of the rows (`mix`), and by its own loss."""

    slice: str
    mix: float
    loss: float


class DecompositionDocument(TypedDict):
    """The change of a metric over labelled rows by the slices of one column; the parts add up to `change`."""

    metric: str
    column: str
    change: float
    parts: list[PartDocument]


class InputDriftDocument(TypedDict):
    """An input that drifted, the evidence of it, and the part of the loss's rise that it explains, if that is known."""

    input: str
    evidence: float
    explained: float | None
    change: float | None


class RowDocument(TypedDict):
    """A row to look at first, and its score in the unit of the incident's watch."""

    prediction_id: str
    event_time: str
    score: float


class EventDocument(TypedDict):
    """A state that an incident entered."""

    at: str
    state: str


class ActionDocument(TypedDict):
    """Something that a person did with an incident; `until` is when a snooze ends, null for no fixed time."""

    at: str
    by: str
    kind: str
    text: str
    until: str | None
    until_worse: bool


class ConditionDocument(TypedDict):
    """A condition on one input: a value, and `<`, `≥`, `=` or `≠`."""

    input: str
    sign: str
    value: float | str


class SubgroupDocument(TypedDict):
    """A subgroup that rose more than the other rows, in the unit of a watch; `rows` are those that measured it."""

    conditions: list[ConditionDocument]
    watch: str
    rows: int
    rise: float
    others: float
    p_value: float


class IncidentDocument(TypedDict):
    """One incident; times that have not come are null.

    `previous` is the number of the last closed incident on the same watch and slice. A snooze without a time ends when
    the incident becomes worse (`snoozed_until_worse`).
    """

    id: int
    level: str
    opened_at: str
    acknowledged_at: str | None
    closed_at: str | None
    window: SpanDocument
    watch: str
    slice: str
    cause: str
    message: str
    state: str
    history: list[EventDocument]
    previous: int | None
    owner: str | None
    snoozed_until: str | None
    snoozed_until_worse: bool
    actions: list[ActionDocument]
    split: SplitDocument | None
    decomposition: list[DecompositionDocument]
    inputs: list[InputDriftDocument]
    rows: list[RowDocument]
    subgroup: SubgroupDocument | None


class SensitivityDocument(TypedDict):
    """The smallest rise of a metric that is detected within so many windows; null if none is."""

    metric: str
    slice: str
    windows: int
    rise: float | None


class CycleDocument(TypedDict):
    """A watch with a daily or weekly cycle, and by how much removing it raises the signal-to-noise ratio."""

    level: str
    watch: str
    slice: str
    cycle: str
    gain: float


class ArrivalDocument(TypedDict):
    """The share of the arrived labels that arrived within so many seconds of their event."""

    within: int
    share: float


class CoverageDocument(TypedDict):
    """How many of the answered rows and of their labels the monitor has read."""

    rows: int
    repeats: int
    labels: int
    labels_due: int
    labels_unknown: int
    labels_conflicting: int
    arrival: list[ArrivalDocument]
    windows: int
    thin_windows: int
    answered: int


class LevelBudgetDocument(TypedDict):
    """A budget of false alarms as text, and the evidence at which its level alarms."""

    text: str
    threshold: float


class BudgetDocument(TypedDict):
    """Both levels' budgets."""

    page: LevelBudgetDocument
    notice: LevelBudgetDocument


class FindingDocument(TypedDict):
    """One kind of finding on one feature, over all windows that had it."""

    kind: str
    feature: str
    fact: bool
    windows: int
    first: SpanDocument
    last: SpanDocument
    message: str


class RebaselineDocument(TypedDict):
    """A new baseline made from windows of the traffic; `from` and `to` are in `window`."""

    at: str
    by: str
    reason: str
    window: SpanDocument
    since: str
    closed: list[int]


class ColumnDocument(TypedDict):
    """What the data dictionary says of a column."""

    unit: str
    description: str


class StatusDocument(TypedDict):
    """The whole document."""

    model: str
    version: int
    timezone: str
    budget: BudgetDocument
    checked_at: str | None
    next_due_at: str | None
    windows: list[WindowDocument]
    incidents: list[IncidentDocument]
    sensitivity: list[SensitivityDocument]
    cycles: list[CycleDocument]
    coverage: CoverageDocument
    findings: list[FindingDocument]
    trust: list[TrustDocument]
    rebaselines: list[RebaselineDocument]
    benchmark: list[MetricDocument]
    columns: dict[str, ColumnDocument]
