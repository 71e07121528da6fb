"""Records that several packages of the monitor share."""

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
    """A bounded score of each prediction, g(x, ŷ, y) in [0, 1], whose mean is tested in every window.

    `scale` and `offset` convert scores to the metric's own unit: ``value = offset + scale * g``. `feature` is the input
    that the watch is about, where it is about one.

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
    """Something wrong with a window's rows, labels or inputs; a `fact` pages at once, outside the budget."""

    kind: str
    feature: str
    message: str
    fact: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRecord:
    """One watch in one window: its mean in the metric's own unit, None while rows are too few; and its evidence."""

    level: Level
    watch: str
    slice: str
    rows: int
    value: float | None
    log_evidence: float


EstimateMethod: TypeAlias = Literal["calibrated", "threshold", "weighted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalChecks:
    """Checks of an estimate's intervals against labels, over all windows so far.

    Attributes:
        rows: Labelled rows pooled for the next check.
        expected: The sum of their estimated losses, in fixed point.
        realised: The sum of their true losses, in fixed point.
        variance: The sum of the variances of their estimated losses.
        checks: Intervals checked.
        misses: Those that did not contain the true loss.
        log_capital: For each alternative miss rate, log(1 + M) of the betting capital M.
        trusted: Whether the estimate is trusted; once lost, trust does not come back.
    """

    rows: int = 0
    expected: int = 0
    realised: int = 0
    variance: float = 0.0
    checks: int = 0
    misses: int = 0
    log_capital: tuple[float, ...] = ()
    trusted: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateRecord:
    """One window's loss as estimated without labels, and the check of estimates against the labels that arrived.

    Attributes:
        method: How it is estimated.
        metric: Which loss.
        rows: Rows of the estimate.
        value: The estimate; None while rows are too few.
        low: Lower end of its 90 % interval.
        high: Upper end of the interval.
        checked: Labelled rows of this window's check; 0 where there was none.
        expected: Their estimated loss.
        half: Half the width of the interval of `expected`.
        realised: Their true loss.
        trusted: Whether the estimate was trusted before the window.
        interval_checks: The checks up to this window.
        confusion: Estimated confusion matrix as shares of all rows, [predicted class][true class]; may be empty.
        effective: Effective sample size of a weighted estimate, None for others; if too small, there is no value.
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
    interval_checks: IntervalChecks
    confusion: tuple[tuple[float, ...], ...] = ()
    effective: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RealisedLosses:
    """Labels that arrived for predictions of the window that began at `start`: rows, and sums of losses in fixed point.

    `WindowRecord.realised_losses` has one for each window whose predictions got labels in the recorded window.
    """

    start: datetime
    rows: int
    error: int
    brier: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRecord:
    """One judged window. Times are aware, in UTC; log evidence is -inf before the first score."""

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
    realised_losses: tuple[RealisedLosses, ...] = ()
    unseen: int = 0
    """Answered rows that are not among `rows`: lost by the log, or left out of its sample."""
    labels_conflicting: int = 0
    """Labels of predictions that already had a different one; they are ignored."""
    label_delays: tuple[int, ...] = ()
    """`labels` by delay, in the classes of `monitoring.watches.label_delays`; empty without labels."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoreHistory:
    """The scores of one level's watches over n windows in order of time.

    Attributes:
        starts: When each window begins, [n].
        ends: When each window ends, [n].
        scores: For each watch, the indices of the windows in which it had a score, int64 [k], and the scores there in
            the watch's own unit, float64 [k].
    """

    starts: tuple[datetime, ...]
    ends: tuple[datetime, ...]
    scores: Mapping[WatchKey, tuple[NDArray[np.int64], NDArray[np.float64]]]


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
class InputMove:
    """An input that drifted, and the largest log evidence of its watches."""

    input: str
    log_evidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseDetail:
    """The numbers behind an incident's message, as far as the watch that opened it has them."""

    split: LossSplit | None = None
    parts: tuple[SlicePart, ...] = ()
    inputs: tuple[InputMove, ...] = ()
    rows: tuple[CauseRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRecord:
    """An incident: what opened it, and its state in the life cycle.

    `number` counts from 1 within a deployment. `recovery` is the state of the test that closes the incident, as text.
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
    """The smallest rise of a metric detected within `windows` in 9 of 10 simulated streams; None where none is."""

    metric: str
    slice: str
    windows: int
    rise: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How many of the answered rows and of the labels due the monitor has read."""

    rows: int
    repeats: int
    labels: int
    labels_due: int
    labels_unknown: int
    windows: int
    thin_windows: int
    labels_conflicting: int
    answered: int
    """`rows`, those lost by the log, and an estimate of those left out of its sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineScore:
    """A watch in the baseline: mean and standard deviation over its windows, and its tolerance, in its own unit.

    `cycle` is the period of the seasonality that was removed ("day", "week" or ""); `deviation` is what is left, and
    `gain` the factor by which the removal raised the signal-to-noise ratio of a lasting rise.
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
    """All that the store has of one deployment: what reports and `--json` show."""

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
