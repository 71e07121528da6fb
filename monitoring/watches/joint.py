"""The joint watch: the joint distribution of all inputs, by a witness fitted on earlier windows and scored on the next.

A watch on one input does not see that inputs which used to rise together no longer do. The witness function of a kernel
two-sample test does: it is the direction in the feature space (`monitoring.watches.feature_space`) in which recent
windows differ most from the baseline. It is fitted on windows before the one that it scores, and on rows of the
baseline that are not among those it ranks against. Where a model takes tensors, the numbers of their embedding are
inputs as well.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.predictions import Predictions
from monitoring.records import ScoreSum, Watch, WatchKey
from monitoring.watches.family import WatchFamily
from monitoring.watches.feature_space import MAX_COORDINATES, STEPS_PER_STD, FeatureSpace
from monitoring.watches.sampling import sample_indices
from monitoring.watches.scoring import fixed_point

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

#: Rows of a window that are scored, at most: enough for a standard error of .04 standard deviations of a mean.
SAMPLE = 512

#: Windows that the witness is fitted on: the last ones before the window that it scores.
RECENT_WINDOWS = 5

#: Largest integer weight of the witness; with it, sums are exact (see `STEPS_PER_STD`).
MAX_WEIGHT = 1 << 15

#: A pair of inputs is named from so many standard errors on; the largest of sound windows is at 2 to 4.
PAIR_ERRORS = 5.0

#: Baseline windows whose points are kept while fitting, rather than computed twice: at most 37 MB.
KEPT_WINDOWS = 64

#: Rows of the baseline to rank against, about.
RANKING_ROWS = 2048

#: The variance of a rank, of which a window's score is the mean.
RANK_VARIANCE = 1.0 / 12.0

WATCH = Watch(name="joint", family="joint", level="notice", needs_label=False)

#: The same where inputs are seen by their embedding.
EMBEDDING_WATCH = replace(WATCH, name="embedding")


@dataclass(frozen=True, slots=True, kw_only=True)
class JointWatch(WatchFamily):
    """The watch on all inputs together, called after the embedding where there is one. It needs earlier windows."""

    watch: Watch = WATCH

    @classmethod
    def of(cls, space: FeatureSpace) -> JointWatch:
        """For the inputs that are looked at together."""
        return cls(watch=EMBEDDING_WATCH if space.single.size > 0 else WATCH)

    @property
    def watches(self) -> tuple[Watch, ...]:
        """It alone."""
        return (self.watch,)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentWindows:
    """The state of the joint watch: rows and sums of points of the last windows, oldest first, as integers.

    >>> state = RecentWindows().updated(np.array([[1.0, -2.0], [3.0, 0.0]]))
    >>> state.to_text(), RecentWindows.from_text(state.to_text()) == state
    ('2 4 -2', True)
    """

    windows: tuple[tuple[int, tuple[int, ...]], ...] = ()

    def updated(self, points: Floats) -> RecentWindows:
        """The state after a window with points [n, size]; a window without rows changes nothing."""
        if not len(points):
            return self
        window = (len(points), tuple(int(total) for total in points.sum(axis=0)))
        return RecentWindows(windows=(*self.windows, window)[-RECENT_WINDOWS:])

    @property
    def total(self) -> tuple[int, Whole]:
        """Rows and sums [size] over all the windows; there must be one."""
        sums = np.sum([np.asarray(sums, dtype=np.int64) for _, sums in self.windows], axis=0)
        return sum(rows for rows, _ in self.windows), sums

    def to_text(self) -> str:
        """The state as integers, one line per window."""
        return "\n".join(" ".join(map(str, (rows, *sums))) for rows, sums in self.windows)

    @classmethod
    def from_text(cls, text: str) -> RecentWindows:
        """The inverse of `to_text`."""
        lines = [tuple(map(int, line.split())) for line in text.splitlines()]
        return cls(windows=tuple((line[0], line[1:]) for line in lines))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WitnessReference:
    """The baseline's points, for the witness.

    `mean` [size] is over the rows to fit on, in the points' unit; `window_std` [size] is the standard deviation of
    windows' means; `ranking_points` [m, size] are the points of other rows, to rank against, in a byte each, as they
    are whole numbers of at most `CLIPPING_BOUND`.
    """

    mean: Floats
    window_std: Floats
    ranking_points: NDArray[np.int8]

    def difference(self, recent: RecentWindows) -> Floats:
        """The mean of recent windows, of which there must be one, less the baseline's, in `window_std`, [size]."""
        rows, sums = recent.total
        difference: Floats = (sums / rows - self.mean) / self.window_std
        return difference

    def scores(self, recent: RecentWindows, points: Floats) -> Floats:
        """The rank of each row among the baseline's rows, along the witness.

        With d the difference of the recent windows' mean from the baseline's, in standard deviations of windows' means,
        the witness weighs each value by d³ over that standard deviation: a large difference counts, and many small ones
        hardly do. While recent windows are like the baseline, the expected score is 1/2 whatever the witness, since it
        was not fitted on the rows. Cost: one matrix-vector product for the rows and the ranking points.

        Args:
            points: The rows to score, [n, size].

        Returns:
            Scores in [0, 1], [n]; 1/2 without recent windows.
        """
        if not recent.windows:
            return np.full(len(points), 0.5)
        weights = self.difference(recent) ** 3 / self.window_std
        largest = float(np.abs(weights).max())
        if largest == 0.0:
            return np.full(len(points), 0.5)
        whole = np.rint(weights * (MAX_WEIGHT / largest))
        order = np.sort(self.ranking_points.astype(np.float64) @ whole)
        along = points @ whole
        below = np.searchsorted(order, along, side="left") + np.searchsorted(order, along, side="right")
        ranks: Floats = below / (2.0 * order.size)
        return ranks


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Witness:
    """The joint watch of a deployment: its feature space, the baseline in it, and the baseline windows' own scores."""

    space: FeatureSpace
    reference: WitnessReference
    baseline: tuple[ScoreSum, ...]

    @property
    def key(self) -> WatchKey:
        """The watch that it scores."""
        return WatchKey(watch=JointWatch.of(self.space).watch.name)

    @classmethod
    def fit(cls, space: FeatureSpace, windows: Iterable[Predictions], sizes: Sequence[int] | None = None) -> Witness:
        """Score the baseline's windows as live ones, in order of time.

        Each is scored by a witness fitted on the windows before it, against a baseline without it and without those.
        Cost: two passes over a sample of at most 512 rows of each window; one where there are few windows, whose points
        are kept, in a byte each.

        Args:
            windows: The baseline's windows, at least one with rows; iterated twice.
        """
        rows = [len(window) for window in windows] if sizes is None else sizes
        ranked = max(RANKING_ROWS // max(sum(1 for size in rows if size), 1), 1)
        parts, stored_points = [], []
        for window in windows:
            points = space.points(_sample(window))
            parts.append(_BaselineWindow.of(points, ranked))
            if len(rows) <= KEPT_WINDOWS:
                stored_points.append(points.astype(np.int8))
        window_std = _window_std(parts)
        scores, recent = [], RecentWindows()
        again = (
            (points.astype(np.float64) for points in stored_points)
            if stored_points
            else (space.points(_sample(window)) for window in windows)
        )
        for place, points in enumerate(again):
            others = [part for at, part in enumerate(parts) if not place - RECENT_WINDOWS <= at <= place]
            score = ScoreSum()
            if recent.windows and sum(part.rows for part in others):
                score = score_sum(_reference(others, window_std).scores(recent, points), rows[place])
            scores.append(score)
            recent = recent.updated(points)
        return cls(space=space, reference=_reference(parts, window_std), baseline=tuple(scores))

    def step(self, recent: RecentWindows, window: Predictions) -> tuple[ScoreSum, RecentWindows]:
        """One window on.

        Returns:
            The sum of its scores, empty for the very first window and without rows; and the state after it.
        """
        return self.step_sample(recent, _sample(window), len(window))

    def step_sample(self, recent: RecentWindows, sample: Predictions, rows: int) -> tuple[ScoreSum, RecentWindows]:
        """As `step`, from a sample in any order that has every column of the space."""
        if not len(sample):
            return ScoreSum(), recent
        points = self.space.points(sample)
        score = score_sum(self.reference.scores(recent, points), rows) if recent.windows else ScoreSum()
        return score, recent.updated(points)

    def pairs(self, recent: RecentWindows, most: int) -> tuple[tuple[str, str], ...]:
        """The pairs of inputs whose products differ most in recent windows, each once, largest difference first.

        Numbers of an embedding are left out, as their names say nothing, and so is what is within chance.

        Returns:
            Pairs of input names; none where no product alone shows a change.
        """
        if not recent.windows:
            return ()
        off = np.abs(self.reference.difference(recent))[: len(self.space.pairs)]
        error = math.sqrt(1.0 / len(recent.windows) + 1.0 / len(self.baseline))
        pairs: dict[tuple[str, str], None] = {}
        for place in np.argsort(-off, kind="stable")[: most * MAX_COORDINATES]:
            if off[place] > PAIR_ERRORS * error and not np.isin(self.space.pairs[place], self.space.single).any():
                first, other = (self.space.coordinates[at].bins.feature for at in self.space.pairs[place])
                pairs.setdefault((first, other))
        return tuple(pairs)[:most]


def score_sum(scores: Floats, rows: int) -> ScoreSum:
    """The sum of a window's scores from a sample, whose mean stands for all rows.

    Args:
        scores: Scores of the sample, [n].

    >>> score_sum(np.array([0.25, 0.75]), 10).mean
    0.5
    """
    total = int(fixed_point(scores).sum())
    return ScoreSum(rows, total * rows // max(scores.size, 1))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _BaselineWindow:
    """One window of the baseline: its mean, the sum over the rows to fit on, and the points to rank against."""

    rows: int
    total: Floats
    mean: Floats
    ranking_points: NDArray[np.int8]

    @classmethod
    def of(cls, points: Floats, ranked: int) -> _BaselineWindow:
        fit = points[::2] if len(points) > 1 else points
        return cls(
            rows=len(fit),
            total=fit.sum(axis=0),
            mean=points.mean(axis=0) if len(points) else np.zeros(points.shape[1]),
            ranking_points=points[1::2][:ranked].astype(np.int8),
        )


def _sample(window: Predictions) -> Predictions:
    return window.take(sample_indices(window, SAMPLE))


def _reference(parts: Sequence[_BaselineWindow], window_std: Floats) -> WitnessReference:
    rows = sum(part.rows for part in parts)
    return WitnessReference(
        mean=np.sum([part.total for part in parts], axis=0) / rows,
        window_std=window_std,
        ranking_points=np.concatenate([part.ranking_points for part in parts]),
    )


def _window_std(parts: Sequence[_BaselineWindow]) -> Floats:
    """The standard deviation of windows' means, at least the sampling error of a window of the median size."""
    filled = [part for part in parts if part.rows]
    sampling_error = STEPS_PER_STD / np.sqrt(2.0 * float(np.median([part.rows for part in filled])))
    std: Floats = np.maximum(np.std([part.mean for part in filled], axis=0), sampling_error)
    return std
