"""The score sums of a baseline's windows: cut, and joined to their labels, as live windows are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.folder import Baseline
from monitoring.baseline.predictions import Predictions
from monitoring.baseline.profile_builder import ProfileBuilder
from monitoring.evidence.sampling_variance import SamplingVariance
from monitoring.judging.fit.baseline_windows import window_profiles
from monitoring.judging.fit.unseen_values import unseen_values
from monitoring.judging.window.event_scores import EventScores
from monitoring.judging.window.windowing import split_by_label_arrival, split_by_window
from monitoring.records import ScoreSum, WatchKey
from monitoring.tasks.label_codes import has_label
from monitoring.timestamps import duration_microseconds
from monitoring.traffic.descriptors.vocabulary import HashedVocabulary
from monitoring.traffic.expected_events import ExpectedEvent
from monitoring.traffic.windows import RowPlan, WindowPlan
from monitoring.watches import integrity, joint
from monitoring.watches.catalogue import Catalogue
from monitoring.watches.joint import Witness
from monitoring.watches.label_coverage import CoverageGroups

#: A watch on a part of the rows is evaluated on as few rows as give the baseline this many windows: from as many on the
#: test has its power for skewed scores.
POOLED_WINDOWS = 30

#: And on no fewer rows than this.
MIN_POOLED_ROWS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineSums:
    """The score sums of a baseline's windows.

    Attributes:
        starts: When each window begins, in order.
        sums: For each window, every watch's sum of scores.
        squares: For each window, every watch's sum of squared scores.
        events: The expected event that each window touches; empty where no window touches one.
        vocabularies: What the values of categories with a long tail are looked up in, by input.
    """

    starts: Sequence[datetime]
    sums: Sequence[Mapping[WatchKey, ScoreSum]]
    squares: Sequence[Mapping[WatchKey, ScoreSum]]
    events: Sequence[ExpectedEvent | None] = ()
    vocabularies: Mapping[str, HashedVocabulary] = field(default_factory=dict)

    def without_events(self) -> BaselineSums:
        """The windows that touch no expected event."""
        if not self.events:
            return self
        kept = [place for place, event in enumerate(self.events) if event is None]
        return BaselineSums(
            starts=[self.starts[place] for place in kept],
            sums=[self.sums[place] for place in kept],
            squares=[self.squares[place] for place in kept],
        )

    def event_scores(self, min_rows: int) -> EventScores:
        """The scores of the windows that touch an expected event, of watches with at least `min_rows` rows there."""
        found = EventScores()
        for event, sums in zip(self.events, self.sums, strict=False):
            if event is not None:
                means = {key: one.mean for key, one in sums.items() if one.rows >= max(min_rows, 1)}
                found = found.with_window(event, means)
        return found

    @property
    def median_rows(self) -> int:
        """The median of the windows' rows, by the watch with most rows in each; at least 1."""
        rows = [max(total.rows for total in part.values()) for part in self.sums if part]
        return max(int(np.median(rows)) if self.sums else 1, 1)

    def sampling_variance(self, key: WatchKey, pooled: Sequence[ScoreSum], min_rows: int) -> SamplingVariance:
        """How much a watch's window means vary with the number of rows.

        Args:
            pooled: Its sums over windows pooled to `min_rows`, [R].

        Returns:
            The variance of one row's score, and the rows below which it is added.
        """
        rows = np.array([one.rows for one in pooled])
        if key.watch in {joint.WATCH.name, joint.EMBEDDING_WATCH.name}:
            return SamplingVariance.from_row_variance(joint.RANK_VARIANCE, np.minimum(rows, joint.SAMPLE))
        squares, _ = pooled_sums(self.squares, key, min_rows)
        return SamplingVariance.fit(mean_scores(pooled), mean_scores(squares), rows)


def sum_baseline(
    baseline: Baseline,
    catalogue: Catalogue,
    plan: WindowPlan | RowPlan,
    *,
    reference: Predictions,
    witness: Witness | None,
    horizon: timedelta,
) -> BaselineSums:
    """Sum the scores of each window: watches without labels by event time, those with labels by the labels' arrival.

    Args:
        reference: All rows of the baseline, with the inputs that they are sliced by.
        horizon: Labels that arrive later than this after their row are left out of the label coverage.

    Returns:
        The sums, of windows with rows or labels.
    """
    windows = list(split_by_window(reference.event_times, plan))
    builder = ProfileBuilder(baseline.bins, described=False)
    by_start: dict[datetime, dict[WatchKey, ScoreSum]] = {}
    squared: dict[datetime, dict[WatchKey, ScoreSum]] = {}
    ends: dict[datetime, datetime] = {}
    for number, counts in window_profiles(baseline.rows, builder, [positions for _, positions in windows]):
        window, positions = windows[number]
        ends[window.start] = window.end
        rows = reference.take(positions)
        sums, squares = by_start.setdefault(window.start, {}), squared.setdefault(window.start, {})
        sums.update(catalogue.prediction_sums(rows, counts))
        squares.update(catalogue.prediction_sums(rows, counts, power=2))
        if catalogue.coverage is not None and len(rows):
            coverage = _label_coverage(catalogue.coverage, rows, horizon)
            sums.update(catalogue.coverage.sums(*coverage))
            squares.update(catalogue.coverage.squares(*coverage))
        if witness is not None:
            sums[WatchKey(watch=catalogue.joint_watch.name)] = witness.baseline[number]
    categories = tuple(unseen_values(baseline, [positions for _, positions in windows]))
    for one in categories:
        for (window, positions), count in zip(windows, one.counts.tolist(), strict=True):
            unseen = integrity.unseen_sum(one.feature, positions.size, count)
            by_start[window.start].update(unseen)
            squared[window.start].update(unseen)
    for window, positions in split_by_label_arrival(reference, plan):
        labelled = reference.take(positions)
        ends[window.start] = window.end
        by_start.setdefault(window.start, {}).update(catalogue.label_sums(labelled))
        squared.setdefault(window.start, {}).update(catalogue.label_sums(labelled, power=2))
    starts = sorted(by_start)
    return BaselineSums(
        starts=starts,
        sums=[by_start[start] for start in starts],
        squares=[squared[start] for start in starts],
        events=[plan.events.at(start, ends[start]) for start in starts] if plan.events.sources else (),
        vocabularies={one.feature: one.vocabulary for one in categories if one.vocabulary is not None},
    )


def pooled_sums(
    windows: Sequence[Mapping[WatchKey, ScoreSum]], key: WatchKey, min_rows: int
) -> tuple[tuple[ScoreSum, ...], NDArray[np.int64]]:
    """One watch's sums, windows of fewer than `min_rows` rows pooled with those after them.

    Rows left over at the end are dropped: live windows would still be waiting for more.

    >>> error = WatchKey(watch="error")
    >>> windows = [{error: ScoreSum(rows, 0)} for rows in (5, 3, 1, 4, 2)]
    >>> sums, completed = pooled_sums(windows, error, min_rows=4)
    >>> [total.rows for total in sums], completed.tolist()
    ([5, 4, 4], [0, 2, 3])

    Args:
        windows: For each window in order of time, every watch's sum.

    Returns:
        The R pooled sums, and the position in `windows` of the window that completed each, int64 [R].
    """
    sums, completed = [], []
    pool, enough = ScoreSum(), max(min_rows, 1)
    for position, window in enumerate(windows):
        found = window.get(key)
        if found is None:
            continue
        pool = pool + found if pool.rows else found
        if pool.rows >= enough:
            sums.append(pool)
            completed.append(position)
            pool = ScoreSum()
    return tuple(sums), np.asarray(completed, dtype=np.int64)


def rows_of_part(windows: Sequence[Mapping[WatchKey, ScoreSum]], key: WatchKey, min_rows: int) -> int:
    """The rows that a watch on a part of the rows, such as those of a rare class, is evaluated from.

    >>> rare = WatchKey(watch="error", slice="label=fraud")
    >>> [rows_of_part([{rare: ScoreSum(rows, 0)}] * 90, rare, min_rows=200) for rows in (1, 9, 500)]
    [10, 27, 200]

    Args:
        windows: For each window of the baseline, every watch's sum.
        min_rows: The rows that watches on the whole traffic need.

    Returns:
        `min_rows`, or fewer where the part is too rare for `POOLED_WINDOWS` baseline windows of as many.
    """
    rows = sum(window[key].rows for window in windows if key in window)
    return min(min_rows, max(rows // POOLED_WINDOWS, MIN_POOLED_ROWS))


def mean_scores(sums: Sequence[ScoreSum]) -> NDArray[np.float64]:
    """The mean score of each sum, [n]; each has at least one row."""
    return np.array([one.mean for one in sums], dtype=np.float64)


def _label_coverage(
    parts: CoverageGroups, rows: Predictions, horizon: timedelta
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Counts of one window's rows, at least one, and of those whose label arrived within the horizon, by group."""
    in_time = rows.label_times - rows.event_times <= duration_microseconds(horizon)
    arrived = rows.take(has_label(rows.labels) & in_time)
    return parts.counts(rows), parts.counts(arrived)
