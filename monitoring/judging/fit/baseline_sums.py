"""The score sums of a baseline's windows: cut, and joined to their labels, as live windows are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.batch import in_batches
from monitoring.baseline.folder import Baseline
from monitoring.baseline.predictions import Predictions
from monitoring.baseline.profile import Profile
from monitoring.baseline.profile_builder import ProfileBuilder
from monitoring.baseline.reference import ReferenceRows
from monitoring.evidence.sampling_variance import SamplingVariance
from monitoring.judging.facts.input_values import WindowValues
from monitoring.judging.window.event_scores import EventScores
from monitoring.judging.window.row_scorer import RowScorer, finite_rows
from monitoring.judging.window.windowing import split_by_label_arrival, split_by_window
from monitoring.records import ScoreSum, WatchKey
from monitoring.tasks.label_codes import has_label
from monitoring.timestamps import duration_microseconds
from monitoring.traffic.descriptors.vocabulary import MOST_PARTS, HashedVocabulary
from monitoring.traffic.expected_events import ExpectedEvent
from monitoring.traffic.windows import WindowPlan
from monitoring.watches import integrity, joint
from monitoring.watches.catalogue import Catalogue, labelled_rows
from monitoring.watches.family import AnsweredCounts
from monitoring.watches.joint import SAMPLE, Witness
from monitoring.watches.label_coverage import CoverageGroups
from monitoring.watches.sampling import sample_indices
from monitoring.watches.tally import Tally

Whole = NDArray[np.int64]

#: Hashes for each different value of a column with a long tail, so that few new values share one with an old one; and
#: at most so many in all, a byte each.
HASHES_PER_VALUE = 16
MOST_HASHES = 1 << 22


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnseenValues:
    """One category of a baseline.

    Attributes:
        counts: The rows of each window with a value that no other window has, int64 [windows].
    """

    feature: str
    counts: Whole
    vocabulary: HashedVocabulary | None = None


def unseen_values(baseline: Baseline, windows: Sequence[Whole]) -> Iterator[UnseenValues]:
    """The values of each category that one window alone has.

    A window's own values are in the baseline, unlike those of a window to come: so each is judged by the others. Where
    all values are listed they are compared themselves; of others by hash, as those of live windows are, each by the
    windows but for one that its hash draws.

    Cost: one category of all rows in memory at a time. Categories of which no value can be in one window alone are not
    read.
    """
    largest = max((positions.size for positions in windows), default=0)
    window_of = np.full(len(baseline.rows.answers), -1, dtype=np.int64)
    for number, positions in enumerate(windows):
        window_of[positions] = number
    for bins, counts in zip(baseline.bins, baseline.profile.features, strict=True):
        if bins.categories is None or (not counts.counts[-1] and min(counts.counts[:-1], default=0) > largest):
            continue
        column = baseline.rows.inputs([bins.feature])[bins.feature].combine_chunks()
        there = np.asarray(pc.is_valid(column)) & (window_of >= 0)
        words, inside = column.filter(pa.array(there)), window_of[there]
        if counts.counts[-1]:
            vocabulary, alone = _by_hash(words, inside, len(windows))
        else:
            vocabulary, alone = None, in_one_window(words, inside)
        window_counts = np.bincount(inside[alone], minlength=len(windows)).astype(np.int64)
        yield UnseenValues(feature=bins.feature, counts=window_counts, vocabulary=vocabulary)


def in_one_window(words: pa.Array, windows: Whole) -> NDArray[np.bool_]:
    """Which values are in one window alone. Returns bool [n].

    >>> in_one_window(pa.array(["a", "b", "a", "c"]), np.array([0, 0, 1, 1])).tolist()
    [False, True, False, True]

    Args:
        words: Text, [n], none null.
        windows: The window of each, [n].
    """
    coded = words.dictionary_encode()
    codes = np.asarray(coded.indices, dtype=np.int64)
    first = np.full(len(coded.dictionary), np.iinfo(np.int64).max)
    last = np.full(len(coded.dictionary), -1)
    np.minimum.at(first, codes, windows)
    np.maximum.at(last, codes, windows)
    alone: NDArray[np.bool_] = (first == last)[codes]
    return alone


def _by_hash(words: pa.Array, windows: Whole, count: int) -> tuple[HashedVocabulary, NDArray[np.bool_]]:
    """The vocabulary of a category with a long tail, and which of its values no other part of the windows has."""
    parts = min(count, MOST_PARTS)
    of_part = windows * parts // count
    different = pc.count_distinct(words).as_py()
    hashes = min(1 << (HASHES_PER_VALUE * different).bit_length(), MOST_HASHES)
    vocabulary = HashedVocabulary.fit([(words, of_part)], parts=parts, hashes=hashes)
    return vocabulary, vocabulary.unknown(words, of_part)


#: A watch on a part of the rows is evaluated on as few rows as give the baseline this many windows: from as many on the
#: test has its power for skewed scores.
POOLED_WINDOWS = 30

#: And on no fewer rows than this.
MIN_POOLED_ROWS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineSums:
    """The score sums of a baseline's windows.

    Attributes:
        events: The expected event that each window touches; empty where no window touches one.
        values: What is kept of the values of each window with rows, in its order, windows of events included.
    """

    starts: Sequence[datetime]
    sums: Sequence[Mapping[WatchKey, ScoreSum]]
    squares: Sequence[Mapping[WatchKey, ScoreSum]]
    events: Sequence[ExpectedEvent | None] = ()
    vocabularies: Mapping[str, HashedVocabulary] = field(default_factory=dict)
    values: tuple[WindowValues, ...] = ()

    def without_events(self) -> BaselineSums:
        """The windows that touch no expected event."""
        if not self.events:
            return self
        places = [place for place, event in enumerate(self.events) if event is None]
        return BaselineSums(
            starts=[self.starts[place] for place in places],
            sums=[self.sums[place] for place in places],
            squares=[self.squares[place] for place in places],
            values=self.values,
        )

    def event_scores(self, min_rows: int) -> EventScores:
        """The scores of the windows that touch an expected event, of watches with at least `min_rows` rows there."""
        scores = EventScores()
        for event, sums in zip(self.events, self.sums, strict=False):
            if event is not None:
                means = {key: score_sum.mean for key, score_sum in sums.items() if score_sum.rows >= max(min_rows, 1)}
                scores = scores.with_window(event, means)
        return scores

    @property
    def median_rows(self) -> int:
        """The median of the windows' rows, by the watch with most rows in each; at least 1."""
        rows = [max(total.rows for total in part.values()) for part in self.sums if part]
        return max(int(np.median(rows)) if self.sums else 1, 1)

    def sampling_variance(self, key: WatchKey, pooled: Sequence[ScoreSum], min_rows: int) -> SamplingVariance:
        """How much a watch's window means vary with the number of rows.

        Args:
            pooled: Its sums over windows pooled to `min_rows`, [R].
        """
        rows = np.array([score_sum.rows for score_sum in pooled])
        if key.watch in {joint.WATCH.name, joint.EMBEDDING_WATCH.name}:
            return SamplingVariance.from_row_variance(joint.RANK_VARIANCE, np.minimum(rows, joint.SAMPLE))
        squares, _ = pooled_sums(self.squares, key, min_rows)
        return SamplingVariance.fit(mean_scores(pooled), mean_scores(squares), rows)


def sum_baseline(
    baseline: Baseline,
    catalogue: Catalogue,
    plan: WindowPlan,
    *,
    reference: Predictions,
    witness: Witness | None,
    horizon: timedelta,
) -> BaselineSums:
    """Sum the scores of each window: watches without labels by event time, those with labels by the labels' arrival.

    Args:
        horizon: Labels that arrive later than this after their row are left out of the label coverage.
    """
    windows, scorer = list(split_by_window(reference.event_times, plan)), baseline_scorer(catalogue)
    builder = ProfileBuilder(baseline.bins, described=False)
    by_start: dict[datetime, dict[WatchKey, ScoreSum]] = {}
    squared: dict[datetime, dict[WatchKey, ScoreSum]] = {}
    ends: dict[datetime, datetime] = {}
    values: dict[int, WindowValues] = {}
    for number, counts in window_profiles(baseline.rows, builder, [positions for _, positions in windows]):
        window, positions = windows[number]
        ends[window.start] = window.end
        values[number] = WindowValues.of(counts)
        rows = reference.take(positions)
        sums, squares = by_start.setdefault(window.start, {}), squared.setdefault(window.start, {})
        for into, found in zip((sums, squares), answer_sums(scorer, rows, counts), strict=True):
            into.update(found)
        if catalogue.coverage is not None and len(rows):
            coverage = _label_coverage(catalogue.coverage, rows, horizon)
            sums.update(catalogue.coverage.sums(*coverage))
            squares.update(catalogue.coverage.squares(*coverage))
        if witness is not None:
            sums[witness.key] = witness.baseline[number]
    categories = tuple(unseen_values(baseline, [positions for _, positions in windows]))
    for category in categories:
        for (window, positions), count in zip(windows, category.counts.tolist(), strict=True):
            unseen = integrity.unseen_sum(category.feature, positions.size, count)
            by_start[window.start].update(unseen)
            squared[window.start].update(unseen)
    for window, positions in split_by_label_arrival(reference, plan):
        labelled = reference.take(positions)
        ends[window.start] = window.end
        for windows_sums, found in zip((by_start, squared), label_sums(scorer, labelled), strict=True):
            windows_sums.setdefault(window.start, {}).update(found)
    starts = sorted(by_start)
    return BaselineSums(
        starts=starts,
        sums=[by_start[start] for start in starts],
        squares=[squared[start] for start in starts],
        events=[plan.events.at(start, ends[start]) for start in starts] if plan.events.sources else (),
        vocabularies={
            category.feature: category.vocabulary for category in categories if category.vocabulary is not None
        },
        values=tuple(values[number] for number in sorted(values) if values[number].rows),
    )


def baseline_scorer(catalogue: Catalogue) -> RowScorer:
    """What scores rows of the baseline: as live rows, but without what is shown and not tested."""
    return RowScorer(replace(catalogue, measured=None, answer_parts=()))


def answer_sums(
    scorer: RowScorer, rows: Predictions, inputs: Profile, powers: Sequence[int] = (1, 2)
) -> list[dict[WatchKey, ScoreSum]]:
    """The sums of the watches that need no label over rows of the baseline, for each power of their scores.

    Args:
        inputs: The counts of the rows' inputs.
        powers: The squares of scores give the sampling variance of a window's mean.
    """
    tallies = [Tally() for _ in powers]
    for batch in in_batches(rows):
        scored = scorer.score(batch.probabilities, batch.features, finite_rows(batch.probabilities), batch.event_times)
        pairs = zip(tallies, powers, strict=True)
        tallies = [tally + scorer.tally_answers(scored, power) for tally, power in pairs]
    counts = (AnsweredCounts(rows=len(rows), inputs=inputs, tally=tally) for tally in tallies)
    return [scorer.answer_sums(answered, power) for answered, power in zip(counts, powers, strict=True)]


def label_sums(scorer: RowScorer, rows: Predictions, powers: Sequence[int] = (1, 2)) -> list[dict[WatchKey, ScoreSum]]:
    """As `answer_sums`, of the watches that need a label, over those of the rows that have one."""
    tallies = [Tally() for _ in powers]
    for batch in in_batches(rows.take(labelled_rows(rows))):
        scored = scorer.score(batch.probabilities, batch.features, None, batch.event_times)
        pairs = zip(tallies, powers, strict=True)
        tallies = [tally + scorer.tally_losses(scored, batch.labels, power) for tally, power in pairs]
    return [scorer.label_sums(tally) for tally in tallies]


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

    Returns:
        The R pooled sums, and the position in `windows` of the window that completed each, int64 [R].
    """
    sums, completed = [], []
    pool, enough = ScoreSum(), max(min_rows, 1)
    for position, window in enumerate(windows):
        window_sum = window.get(key)
        if window_sum is None:
            continue
        pool = pool + window_sum if pool.rows else window_sum
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

    Returns:
        `min_rows`, or fewer where the part is too rare for `POOLED_WINDOWS` baseline windows of as many.
    """
    rows = sum(window[key].rows for window in windows if key in window)
    return min(min_rows, max(rows // POOLED_WINDOWS, MIN_POOLED_ROWS))


def mean_scores(sums: Sequence[ScoreSum]) -> NDArray[np.float64]:
    """The mean score of each sum, [n]; each has at least one row."""
    return np.array([score_sum.mean for score_sum in sums], dtype=np.float64)


def _label_coverage(
    parts: CoverageGroups, rows: Predictions, horizon: timedelta
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Counts of one window's rows, at least one, and of those whose label arrived within the horizon, by group."""
    in_time = rows.label_times - rows.event_times <= duration_microseconds(horizon)
    arrived = rows.take(has_label(rows.labels) & in_time)
    return parts.counts(rows), parts.counts(arrived)


#: Windows whose samples are in memory at a time.
WINDOWS_IN_MEMORY = 64


class BaselineSamples:
    """Samples of each window's rows, in order of windows; iterated any number of times, and read each time.

    Memory: the samples of `WINDOWS_IN_MEMORY` windows. Cost: a pass over the file for each so many.
    """

    def __init__(self, rows: ReferenceRows, windows: Sequence[Whole], names: Sequence[str]) -> None:
        answers = rows.answers
        self._rows = rows
        self._names = names
        self._samples = [positions[sample_indices(answers.take(positions), SAMPLE)] for positions in windows]

    def __iter__(self) -> Iterator[Predictions]:
        for first in range(0, len(self._samples), WINDOWS_IN_MEMORY):
            samples = self._samples[first : first + WINDOWS_IN_MEMORY]
            rows = self._rows.take(np.concatenate(samples), self._names)
            ends = np.cumsum([positions.size for positions in samples]).tolist()
            for positions, end in zip(samples, ends, strict=True):
                yield rows.take(np.arange(end - positions.size, end))


def window_profiles(
    rows: ReferenceRows, builder: ProfileBuilder, windows: Sequence[Whole]
) -> Iterator[tuple[int, Profile]]:
    """The profile of each window, in one pass over the baseline's inputs.

    Memory: a batch, and the profiles of windows with some rows read and some not.

    Yields:
        The index of a window and its profile, as soon as its last row was read.
    """
    if not builder.columns:  # a table without columns has no rows
        for window, positions in enumerate(windows):
            yield window, Profile(rows=positions.size, features=())
        return
    window_of = np.full(len(rows.answers), -1, dtype=np.int64)
    for window, positions in enumerate(windows):
        window_of[positions] = window
    partial: dict[int, Profile] = {}
    unread = {window: positions.size for window, positions in enumerate(windows)}
    first = 0
    for inputs in rows.batches():
        for window in [window for window, size in unread.items() if not size]:
            del unread[window]
            yield window, builder.count(inputs.slice(0, 0))
        here = window_of[first : first + inputs.num_rows]
        first += inputs.num_rows
        order = np.argsort(here, kind="stable")
        for positions in np.split(order, np.flatnonzero(np.diff(here[order])) + 1):
            window = int(here[positions[0]]) if positions.size else -1
            if window < 0:
                continue
            part = builder.count(_take(inputs, positions))
            partial[window] = partial[window] + part if window in partial else part
            unread[window] -= positions.size
            if not unread[window]:
                del unread[window]
                yield window, partial.pop(window)


def _take(inputs: pa.Table, positions: Whole) -> pa.Table:
    """Some rows, in order; a range of them is not copied."""
    if positions[-1] - positions[0] == positions.size - 1:
        return inputs.slice(int(positions[0]), positions.size)
    return inputs.take(pa.array(positions))
