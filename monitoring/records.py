"""The small records that travel between the rooms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Family: TypeAlias = Literal[
    "performance", "surprise", "estimates", "integrity", "outputs", "inputs", "joint", "labelled"
]
Level: TypeAlias = Literal["page", "notice"]
Direction: TypeAlias = Literal["up", "both"]

LEVELS: tuple[Level, ...] = ("page", "notice")

#: One score unit in fixed point. Sums of scores are integers, so that no order of adding can change them.
SCORE_ONE = 1 << 32

#: The slice that means "the whole traffic".
WHOLE = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One question put to the traffic: a bounded score per prediction, g(x, ŷ, y) in [0, 1].

    `scale` and `offset` lead back from the score to the metric's own unit: ``value = offset + scale * g``.

    >>> surprise = Watch(
    ...     name="surprise_brier", family="surprise", level="page", needs_label=True, scale=2.0, offset=-1.0
    ... )
    >>> surprise.value(0.5)
    0.0
    """

    name: str
    family: Family
    level: Level
    needs_label: bool
    direction: Direction = "up"
    scale: float = 1.0
    offset: float = 0.0
    feature: str | None = None

    def value(self, score: float) -> float:
        """The score in the metric's own unit."""
        return self.offset + self.scale * score


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchKey:
    """A watch on the whole traffic (``slice == ""``) or on one slice, written ``column=value``."""

    watch: str
    slice: str = WHOLE

    def __str__(self) -> str:
        return f"{self.watch} [{self.slice}]" if self.slice else self.watch


@dataclass(frozen=True, slots=True)
class ScoreSum:
    """A sum of scores in fixed point: merging is integer addition, exact in any order.

    >>> ScoreSum(2, SCORE_ONE) + ScoreSum(2, 0)
    ScoreSum(rows=4, total=4294967296)
    >>> (ScoreSum(2, SCORE_ONE) + ScoreSum(2, 0)).mean
    0.25
    """

    rows: int = 0
    total: int = 0

    def __add__(self, other: ScoreSum) -> ScoreSum:
        return ScoreSum(self.rows + other.rows, self.total + other.total)

    @property
    def mean(self) -> float:
        """Mean score; only for sums of at least one row."""
        return self.total / (self.rows * SCORE_ONE)


WindowStatus: TypeAlias = Literal["ok", "notice", "page", "thin"]
IncidentState: TypeAlias = Literal["open", "acknowledged", "recovering", "closed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that the schema or the traffic itself says outright; a `fact` pages at once, outside the budget."""

    kind: str
    feature: str
    message: str
    fact: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRecord:
    """One watch in one window: its mean in the metric's own unit (None while rows are too few), and its evidence."""

    level: Level
    watch: str
    slice: str
    rows: int
    value: float | None
    log_evidence: float


EstimateMethod: TypeAlias = Literal["calibrated", "threshold", "weighted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What an estimate has been held to: intervals checked against labels, and how many missed.

    `rows` labelled rows wait for company, with the sums of their estimated and their true losses in fixed point and the
    sum of the variances. `log_doubt` are logs of one more than the stakes against the estimate. Once `trusted` is lost,
    it stays lost.
    """

    rows: int = 0
    expected: int = 0
    realised: int = 0
    variance: float = 0.0
    checks: int = 0
    misses: int = 0
    log_doubt: tuple[float, ...] = ()
    trusted: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateRecord:
    """A loss of one window's predictions as estimated without labels, and what came of estimates when labels came.

    `value` lies between `low` and `high` (a 90 % interval), all None while rows are too few. `checked` labelled rows
    that had gathered up to this window had the estimate `expected` ± `half` and the true loss `realised`; None where
    none were checked. `trusted` was decided before the window, `account` is what it left. `confusion` are shares of
    all rows, [answered class][true class], where it is known. `effective` are the rows of the baseline that a weighted
    estimate rests on in effect, None for others; where they are too few there is no value.
    """

    method: EstimateMethod
    metric: str
    rows: int
    value: float | None
    low: float | None
    high: float | None
    checked: int
    expected: float | None
    half: float | None
    realised: float | None
    trusted: bool
    account: Account
    confusion: tuple[tuple[float, ...], ...] = ()
    effective: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledLosses:
    """Labels that arrived for the predictions of the window that began at `start`: rows and sums of their losses."""

    start: datetime
    rows: int
    error: int
    brier: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRecord:
    """One judged window, as it goes to the store. Times are aware, UTC; log evidence is -inf while nothing was seen."""

    start: datetime
    end: datetime
    rows: int
    labels: int
    labels_due: int
    labels_unknown: int
    repeats: int
    status: WindowStatus
    page_log_evidence: float
    notice_log_evidence: float
    findings: tuple[Finding, ...] = ()
    scores: tuple[ScoreRecord, ...] = ()
    estimates: tuple[EstimateRecord, ...] = ()
    settled: tuple[SettledLosses, ...] = ()
    unseen: int = 0
    """Rows that were answered and are not among `rows`: lost by the log, or left out of its sample."""
    labels_conflicting: int = 0
    """Labels that contradict the one that their prediction already had; they change nothing."""
    label_delays: tuple[int, ...] = ()
    """`labels` by how long they took, in the classes of `monitoring.watches.label_delays`; empty where none came."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoreHistory:
    """The scores of one level's watches over n evaluated windows in order of time, which begin and end at these times.

    `scores` has for each watch the positions of the windows in which it had a score, int64 [k], and the scores there,
    float64 [k], in the watch's own unit.
    """

    starts: tuple[datetime, ...]
    ends: tuple[datetime, ...]
    scores: Mapping[WatchKey, tuple[NDArray[np.int64], NDArray[np.float64]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LossSplit:
    """The change of a metric since the onset, against the baseline: what the model expected, and what surprised it."""

    metric: str
    difficulty: float
    surprise: float

    @property
    def change(self) -> float:
        """Both together."""
        return self.difficulty + self.surprise


@dataclass(frozen=True, slots=True, kw_only=True)
class SlicePart:
    """One slice's part in the change of a metric's mean over labelled rows, in the metric's own unit.

    With shares w and mean losses l, before and after, and the whole's mean L before: `mix` is (w₁ - w₀)(l₀ - L), what
    the slice's weight explains; `loss` is w₁(l₁ - l₀), what its own loss explains. Over the slices of one column, all
    other values among them, the parts add up to the change.
    """

    metric: str
    column: str
    slice: str
    mix: float
    loss: float

    @property
    def total(self) -> float:
        """Both together."""
        return self.mix + self.loss


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseRow:
    """A row to look at: `score` is what it carries, in the unit of the watch that opened the incident."""

    prediction_id: str
    event_time: datetime
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class InputMove:
    """An input that moved, and the largest evidence of its watches, as a logarithm."""

    input: str
    log_evidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseDetail:
    """What an incident's message says in words, in numbers: as far as the watch that opened it has any of it."""

    split: LossSplit | None = None
    parts: tuple[SlicePart, ...] = ()
    inputs: tuple[InputMove, ...] = ()
    rows: tuple[CauseRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRecord:
    """Opened by an alarm: what moved first, in plain words, and how far its life has come.

    `number` counts from 1 within a deployment. `recovery` is the state of the test that closes it, as text.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """The rise of a metric, in its own unit, caught within so many windows in 9 of 10 simulated streams, if any is."""

    metric: str
    slice: str
    windows: int
    rise: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How much of what was answered and of what was due the monitor has seen."""

    rows: int
    repeats: int
    labels: int
    labels_due: int
    labels_unknown: int
    windows: int
    thin_windows: int
    labels_conflicting: int
    answered: int
    """`rows`, those that the log lost, and about as many as its sample left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineScore:
    """A watch as the baseline knew it: mean and deviation over its windows, and the tolerance, in its own unit.

    `cycle` is the one that was taken out of it ("day", "week" or none); the deviation is then what is left, and `gain`
    is how many times more a lasting rise stands out for it.
    """

    level: Level
    watch: str
    slice: str
    mean: float
    deviation: float
    tolerance: float
    windows: int
    cycle: str = ""
    gain: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorStatus:
    """Everything that the store knows of one deployment: what the report draws and `--json` prints."""

    model: str
    version: int
    page_budget: str
    page_threshold: float
    notice_budget: str
    notice_threshold: float
    timezone: str
    windows: tuple[WindowRecord, ...]
    incidents: tuple[IncidentRecord, ...]
    sensitivity: tuple[Sensitivity, ...]
    coverage: Coverage
    baseline: tuple[BaselineScore, ...]
