"""Judged windows, with their scores and findings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

from monitoring.records.estimate import EstimateRecord, RealisedLosses
from monitoring.records.finding_parts import FindingParts
from monitoring.records.watch import Level, WatchKey

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredMetric:
    """One metric over the labels that arrived in a window, or over the windows of a baseline.

    Attributes:
        metric: Its name, such as ``auc``.
        high: The upper bound.
    """

    metric: str
    rows: int
    value: float
    low: float
    high: float


WindowStatus: TypeAlias = Literal["ok", "notice", "suspected", "page", "thin"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something wrong with a window's rows, labels or inputs; a `fact` pages at once, outside the budget.

    Attributes:
        message: What it says, where it is of a store from before it had parts, or has none.
        parts: What it is made of; its sentence is `monitoring.sentences.finding_text.finding_text`.
    """

    kind: str
    feature: str
    message: str = ""
    fact: bool = False
    parts: FindingParts | None = None


#: The kind of the finding of a window in an expected event, whose `feature` is the event's name.
EXPECTED_EVENT = "expected event"

#: The kind of the finding of a window of a batch, whose `feature` is the batch's name.
BATCH = "batch"

#: The kind of the finding of a window in a burn-in, and of those after it, which says what it has shown.
BURN_IN = "burn-in"
AFTER_BURN_IN = "after the burn-in"

#: The kind of the finding of a window in which no label has arrived for an unusually long time.
LABELS_STOPPED = "labels stopped"

#: The kind of the finding of a window whose first loss is higher than in any before, which suspects harm.
HIGHEST_LOSS = "loss higher than in any window"

#: The kind of the finding of a window in which no row has a usable answer.
NO_ANSWERS = "no answers"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRecord:
    """One watch in one window: its mean in the metric's own unit, None while rows are too few; and its evidence."""

    level: Level
    watch: str
    slice: str
    rows: int
    value: float | None
    log_evidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowClaims:
    """What the windows of a deployment alone say against it after the last of them; each empty where it does not hold.

    Attributes:
        fact: The message of the first fact of the last window; it counts while no page is open.
        unlabelled: A clause that labels were due and none counted lately.
        burn_in: A clause that the last window is in a burn-in.
    """

    fact: str = ""
    unlabelled: str = ""
    burn_in: str = ""


NO_CLAIMS = WindowClaims()


@dataclass(frozen=True, kw_only=True)
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
    scores: tuple[ScoreRecord, ...] = field(default=(), repr=False)
    estimates: tuple[EstimateRecord, ...] = field(default=(), repr=False)
    realised_losses: tuple[RealisedLosses, ...] = field(default=(), repr=False)
    unseen: int = 0
    """Answered rows that are not among `rows`: lost by the log, or left out of its sample."""
    labels_conflicting: int = 0
    """Labels of predictions that already had a different one; they are ignored."""
    label_delays: tuple[int, ...] = ()
    """`labels` by delay, in the classes of `monitoring.watches.label_delays`; empty without labels."""
    measured: tuple[MeasuredMetric, ...] = field(default=(), repr=False)
    """Metrics of the labels that arrived, which are shown and not tested."""
    loss_log_evidence: float = -math.inf
    """Log of the evidence that a loss has risen, for whatever reason: at the page level's threshold it is suspected."""
    claims: WindowClaims = field(default=NO_CLAIMS, compare=False, repr=False)
    """What the windows up to it say against the deployment, which a run writes with it."""

    @cached_property
    def scores_by_key(self) -> dict[tuple[str, str], ScoreRecord]:
        """The scores by watch and slice."""
        return {(score.watch, score.slice): score for score in reversed(self.scores)}

    @property
    def expected(self) -> str | None:
        """The name of the expected event that the window touches; None for an ordinary window."""
        return next((finding.feature for finding in self.findings if finding.kind == EXPECTED_EVENT), None)

    @property
    def batch(self) -> str | None:
        """The name of the batch that the window is; None where rows have event times."""
        return next((finding.feature for finding in self.findings if finding.kind == BATCH), None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoreHistory:
    """The scores of one level's watches over n windows in order of time.

    Attributes:
        scores: For each watch, the indices of the windows in which it had a score, int64 [k], and the scores there in
            the watch's own unit, float64 [k].
    """

    starts: tuple[datetime, ...]
    ends: tuple[datetime, ...]
    scores: Mapping[WatchKey, tuple[NDArray[np.int64], NDArray[np.float64]]]


def _seconds(starts: Sequence[datetime]) -> NDArray[np.float64]:
    import numpy as np  # noqa: PLC0415 - a tenth of what a run takes that has nothing to do

    return np.array([start.timestamp() for start in starts], dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoreSeries:
    """The scores of some watches in each of n windows in order of time; NaN where a watch has none.

    Attributes:
        seconds: The same in seconds since 1970, float64 [n].
        values: For each watch, its scores in its own unit, float64 [n].
        log_evidence: For each watch, the logarithm of its evidence, float64 [n].
    """

    starts: tuple[datetime, ...] = ()
    seconds: NDArray[np.float64] = field(default_factory=lambda: _seconds(()))
    values: Mapping[WatchKey, NDArray[np.float64]] = field(default_factory=dict)
    log_evidence: Mapping[WatchKey, NDArray[np.float64]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        starts: Sequence[datetime],
        values: Mapping[WatchKey, NDArray[np.float64]],
        log_evidence: Mapping[WatchKey, NDArray[np.float64]],
    ) -> ScoreSeries:
        """The scores of windows that begin at these times."""
        return cls(starts=tuple(starts), seconds=_seconds(starts), values=values, log_evidence=log_evidence)

    def points(self, key: WatchKey) -> tuple[tuple[datetime, float], ...]:
        """The starts of the windows in which a watch has a score, and the scores."""
        values = self.values.get(key)
        if values is None:
            return ()
        pairs = zip(self.starts, values.tolist(), strict=True)
        return tuple((start, value) for start, value in pairs if not math.isnan(value))
