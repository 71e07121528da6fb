"""What a window's rows come to, batch by batch: whole numbers and bounded samples, the same in any order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.batch import Batch
from monitoring.baseline.predictions import NO_LABEL, Predictions
from monitoring.baseline.profile import Profile
from monitoring.baseline.profile_builder import ProfileBuilder
from monitoring.judging.window.bottom_k_sample import BottomKSample
from monitoring.judging.window.row_scorer import RowScorer, ScoredRows
from monitoring.judging.window.tally import Tally
from monitoring.watches.label_delays import EDGES, delay_counts, merged_counts
from monitoring.watches.sampling import splitmix64

Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AnsweredSums:
    """A window's answered rows. `newest` is the last event time, 0 where there is no row.

    `sample` are at most 512 rows for the joint watch, `usable` of those whose answer is a number for the estimates.
    """

    rows: int
    newest: int
    counts: Profile
    tally: Tally
    sample: Predictions
    usable: Predictions


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelledSums:
    """The rows whose labels arrived in a window, in all `rows`; tallies by the beginnings of their own windows.

    `delays` are counts as `monitoring.watches.label_delays.delay_counts` has them.
    """

    rows: int
    delays: tuple[int, ...]
    tallies: Mapping[int, Tally]
    whole: Tally
    usable: Predictions

    def without_losses(self) -> LabelledSums:
        """The same labels, of which no loss is made."""
        return replace(self, whole=Tally(), usable=self.usable.take(np.zeros(0, dtype=np.int64)))


class WindowAggregator:
    """Takes one window's batches, in any order and of any size, and keeps what its judgement needs of them.

    Memory does not grow with the rows. Cost: about 3 ns a value for the profile, 100 ns a row for the rest.
    """

    def __init__(self, scorer: RowScorer, counter: ProfileBuilder) -> None:
        self._scorer = scorer
        self._counting = counter.begin()
        self._rows = 0
        self._newest = 0
        self._answered = Tally()
        self._labelled: dict[int, Tally] = {}
        self._known = 0
        self._delays: tuple[int, ...] = ()
        self._sample = self._usable = self._labelled_sample = BottomKSample()  # one, until they differ

    def add_answered(self, batch: Batch, start: int | None = None) -> None:
        """Rows answered in the window, each once; with `start`, the labels beside them arrived as well."""
        if not len(batch):
            return
        self._rows += len(batch)
        self._newest = max(self._newest, int(batch.event_times.max()))
        self._counting.add(batch.features, len(batch))
        usable = _usable(batch.probabilities)
        keys = splitmix64(batch.event_times)
        if usable is not None and self._usable is self._sample:
            self._usable = self._sample.copy()
        if start is None and self._labelled_sample in (self._sample, self._usable):
            self._labelled_sample = self._labelled_sample.copy()
        scored = self._scorer.scored(batch.probabilities, batch.features, usable)
        self._answered = self._answered + self._scorer.answered(scored)
        if start is None:
            self._add(batch, keys, usable)
            return
        known = batch.labels != NO_LABEL
        self._known += int(known.sum())
        self._delay(batch, known)
        both = None if known.all() and usable is None else known if usable is None else known & usable
        if (both is not None or usable is not None) and self._labelled_sample in (self._sample, self._usable):
            self._labelled_sample = self._labelled_sample.copy()
        self._add(batch, keys, usable)
        if self._labelled_sample not in (self._sample, self._usable):
            self._labelled_sample.add(batch, keys, both)
        same = both is None or (usable is not None and bool(known[usable].all()))
        inside = scored if same else self._scorer.scored(batch.probabilities, batch.features, both)
        self._label(inside, batch.labels if both is None else batch.labels[both], start)

    def add_labelled(self, batch: Batch, start: int) -> None:
        """Rows whose labels arrived in the window, all of them answered in the window that begins at `start`."""
        self._known += len(batch)
        self._delay(batch, np.ones(len(batch), dtype=np.bool_))
        if self._labelled_sample in (self._sample, self._usable):
            self._labelled_sample = self._labelled_sample.copy()
        usable = _usable(batch.probabilities)
        self._labelled_sample.add(batch, splitmix64(batch.event_times), usable)
        scored = self._scorer.scored(batch.probabilities, batch.features, usable)
        self._label(scored, batch.labels if usable is None else batch.labels[usable], start)

    def _add(self, batch: Batch, keys: NDArray[np.uint64], usable: NDArray[np.bool_] | None) -> None:
        self._sample.add(batch, keys, None)
        if self._usable is not self._sample:
            self._usable.add(batch, keys, usable)

    def _delay(self, batch: Batch, known: NDArray[np.bool_]) -> None:
        if batch.label_times is batch.event_times:  # known at once: of no delay, every one
            found = (int(known.sum()), *(0 for _ in EDGES)) if known.any() else ()
        else:
            found = delay_counts(batch.event_times[known], batch.label_times[known])
        self._delays = merged_counts([self._delays, found])

    def _label(self, scored: ScoredRows, labels: Whole, start: int) -> None:
        if labels.size:
            found = self._scorer.labelled(scored, labels)
            self._labelled[start] = self._labelled.get(start, Tally()) + found

    def result(self, empty: Predictions) -> tuple[AnsweredSums, LabelledSums]:
        """All of it; `empty` stands for samples without a row."""
        answered = AnsweredSums(
            rows=self._rows,
            newest=self._newest,
            counts=self._counting.profile(),
            tally=self._answered,
            sample=self._sample.rows(empty),
            usable=self._usable.rows(empty),
        )
        labelled = LabelledSums(
            rows=self._known,
            delays=self._delays,
            tallies={start: self._labelled[start] for start in sorted(self._labelled)},
            whole=sum(self._labelled.values(), start=Tally()),
            usable=self._labelled_sample.rows(empty),
        )
        return answered, labelled


def _usable(probabilities: NDArray[np.float64]) -> NDArray[np.bool_] | None:
    """Which rows' answers are numbers, [n]; None if all are."""
    finite = np.isfinite(probabilities[:, 0])
    for place in range(1, probabilities.shape[1]):
        finite &= np.isfinite(probabilities[:, place])
    return None if finite.all() else finite
