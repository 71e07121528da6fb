"""Label coverage: which rows get their label.

A loss over labelled rows holds for all rows only if labels come for all alike. For each group of rows, its share of the
labelled rows is compared with its share of all rows, once the labels of a window are no longer waited for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.predictions import Predictions
from monitoring.baseline.spec import BaselineSpec
from monitoring.records import SCORE_ONE, ScoreSum, Watch, WatchKey
from monitoring.tasks.task import Task
from monitoring.watches.family import WatchFamily
from monitoring.watches.scoring import slice_masks

#: What precedes the group in a watch's name.
PREFIX = "labelled:"

#: The difference between a group's share of the labelled rows and its share of all rows that counts as harmless.
TOLERANCE = 0.05

#: Groups of rows by their score, each a quarter of the baseline.
QUARTERS = ("lowest", "low", "high", "highest")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CoverageGroups(WatchFamily):
    """How rows are grouped: by quarters of the score, or by the predicted class where there are no scores; by slices.

    `edges` float64 [3] separate the quarters of the score (`Task.score`); None where only predicted classes are known.
    """

    task: Task
    edges: NDArray[np.float64] | None
    slices: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, reference: Predictions, spec: BaselineSpec, slices: Mapping[str, tuple[str, ...]]) -> CoverageGroups:
        """The groups of a baseline: by predicted class where it has no probabilities."""
        if spec.has_probabilities:
            return cls.fit(reference, spec.task, slices)
        return cls(task=spec.task, edges=None, slices=slices)

    @classmethod
    def fit(cls, reference: Predictions, task: Task, slices: Mapping[str, tuple[str, ...]]) -> CoverageGroups:
        """Groups by quarters of the reference's scores; rows with non-finite probabilities do not count."""
        scores = task.score(reference.probabilities)
        scores = scores[np.isfinite(scores)]
        edges = np.quantile(scores, [0.25, 0.5, 0.75]) if scores.size else np.zeros(3)
        return cls(task=task, edges=edges, slices=slices)

    @property
    def names(self) -> tuple[str, ...]:
        """Every group, as its watch names it after `PREFIX`."""
        by_class = tuple(f"answer={name}" for name in self.task.classes)
        first = by_class if self.edges is None else tuple(f"score={quarter}" for quarter in QUARTERS)
        return (*first, *(f"{column}={value}" for column, values in self.slices.items() for value in values))

    @property
    def watches(self) -> tuple[Watch, ...]:
        """One watch per group: its share of the labelled rows less its share of all, in [-1, 1]."""
        return tuple(
            Watch(
                name=f"{PREFIX}{name}",
                family="labelled",
                level="notice",
                needs_label=False,
                direction="both",
                scale=2.0,
                offset=-1.0,
            )
            for name in self.names
        )

    def group(self, watch: Watch) -> str:
        """One for all."""
        return "labelled"

    def counts(self, rows: Predictions) -> tuple[int, ...]:
        """How many rows have finite probabilities, and how many of these are in each group."""
        usable = rows.take(np.asarray(np.isfinite(rows.probabilities).all(axis=1), dtype=np.bool_))
        return (len(usable), *(int(inside.sum()) for _, inside in self._masks(usable)))

    def sums(self, answered: tuple[int, ...], labelled: tuple[int, ...]) -> dict[WatchKey, ScoreSum]:
        """The watches' sums over the labelled rows of one window whose labels are no longer waited for.

        Of n rows, k of them in a group, a labelled row scores ``(1 + its membership - k/n) / 2``. Where labels come for
        all alike that is 1/2 on average, however few they are, since it is compared with the window's own shares.
        """
        sums = {}
        for name, of_all, among in zip(self.names, answered[1:], labelled[1:], strict=True):
            share = labelled[0] * of_all * SCORE_ONE // max(answered[0], 1)
            total = ((labelled[0] + among) * SCORE_ONE - share) // 2
            sums[WatchKey(watch=f"{PREFIX}{name}")] = ScoreSum(labelled[0], total)
        return sums

    def squares(self, answered: tuple[int, ...], labelled: tuple[int, ...]) -> dict[WatchKey, ScoreSum]:
        """Sums of the squared scores that `sums` adds up, each to 2^-32; arguments as of `sums`."""
        sums = {}
        for name, of_all, among in zip(self.names, answered[1:], labelled[1:], strict=True):
            share = of_all / max(answered[0], 1)
            total = among * (1.0 - share / 2.0) ** 2 + (labelled[0] - among) * ((1.0 - share) / 2.0) ** 2
            sums[WatchKey(watch=f"{PREFIX}{name}")] = ScoreSum(labelled[0], round(total * SCORE_ONE))
        return sums

    def _masks(self, rows: Predictions) -> Iterator[tuple[str, NDArray[np.bool_]]]:
        predicted = rows.probabilities.argmax(axis=1) if len(rows) else np.zeros(0, np.int64)
        if self.edges is None:
            codes, names = predicted, tuple(f"answer={name}" for name in self.task.classes)
        else:
            codes = np.searchsorted(self.edges, self.task.score(rows.probabilities), side="right")
            names = tuple(f"score={quarter}" for quarter in QUARTERS)
        for code, name in enumerate(names):
            yield name, np.asarray(codes == code, dtype=np.bool_)
        yield from slice_masks(rows, self.slices).items()


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingWindow:
    """One window whose labels are still waited for: its start and newest event (microseconds), and counts so far."""

    start: int
    newest: int
    answered: tuple[int, ...]
    labelled: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelWindow:
    """A window and the label horizon, in microseconds."""

    start: int
    end: int
    horizon: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingLabels:
    """The windows whose labels are still waited for, oldest first: counts, and no rows.

    >>> one = PendingWindow(start=0, newest=5, answered=(4, 2), labelled=(1, 0))
    >>> PendingLabels.from_text(PendingLabels(windows=(one,)).to_text()).windows == (one,)
    True
    """

    windows: tuple[PendingWindow, ...] = ()

    def updated(
        self,
        groups: CoverageGroups,
        answered: Predictions,
        labelled: Predictions,
        starts: NDArray[np.int64],
        *,
        window: LabelWindow,
    ) -> tuple[PendingLabels, dict[WatchKey, ScoreSum]]:
        """One window on, from rows. Returns the new state, and the sums of the windows whose label horizon is over.

        Args:
            starts: The start of the window of each labelled row, [n].
        """
        arrived = {int(start): groups.counts(labelled.take(starts == start)) for start in np.unique(starts)}
        newest = int(answered.event_times.max()) if len(answered) else None
        return self.updated_by_counts(groups, groups.counts(answered), newest, arrived, window=window)

    def updated_by_counts(
        self,
        groups: CoverageGroups,
        answered: tuple[int, ...],
        newest: int | None,
        labelled: Mapping[int, tuple[int, ...]],
        *,
        window: LabelWindow,
    ) -> tuple[PendingLabels, dict[WatchKey, ScoreSum]]:
        """One window on, from counts of the groups.

        Args:
            newest: The newest of their event times; None where no row was answered.
            labelled: Counts of the rows whose labels arrived, by the start of their own window.
        """
        windows, over = self._counted(answered, newest, labelled, window)
        sums = dict[WatchKey, ScoreSum]()
        for pending in over:
            for key, total in groups.sums(pending.answered, pending.labelled).items():
                sums[key] = sums.get(key, ScoreSum()) + total
        return PendingLabels(windows=windows), sums

    def completed(
        self,
        answered: tuple[int, ...],
        newest: int | None,
        labelled: Mapping[int, tuple[int, ...]],
        *,
        window: LabelWindow,
    ) -> tuple[tuple[int, int], ...]:
        """Rows, and labels, of each window whose label horizon is over with this one; arguments as of the above."""
        _, over = self._counted(answered, newest, labelled, window)
        return tuple((pending.answered[0], pending.labelled[0]) for pending in over)

    def _counted(
        self,
        answered: tuple[int, ...],
        newest: int | None,
        labelled: Mapping[int, tuple[int, ...]],
        window: LabelWindow,
    ) -> tuple[tuple[PendingWindow, ...], tuple[PendingWindow, ...]]:
        """The windows that wait for labels after this one, and those that wait no more, with the labels so far."""
        nothing = (0,) * len(answered)
        waiting = list(self.windows)
        if newest is not None:
            waiting.append(PendingWindow(start=window.start, newest=newest, answered=answered, labelled=nothing))
        windows, over = list[PendingWindow](), list[PendingWindow]()
        for before in waiting:
            arrived = labelled.get(before.start, nothing)
            pending = replace(before, labelled=tuple(a + b for a, b in zip(before.labelled, arrived, strict=True)))
            (windows if pending.newest >= window.end - window.horizon else over).append(pending)
        return tuple(windows), tuple(over)

    def to_text(self) -> str:
        """The state as integers, one line per window."""
        return "\n".join(
            " ".join(map(str, (window.start, window.newest, *window.answered, *window.labelled)))
            for window in self.windows
        )

    @classmethod
    def from_text(cls, text: str) -> PendingLabels:
        """The inverse of `to_text`."""
        windows = []
        for line in text.splitlines():
            start, newest, *counts = map(int, line.split())
            half = len(counts) // 2
            answered, labelled = tuple(counts[:half]), tuple(counts[half:])
            windows.append(PendingWindow(start=start, newest=newest, answered=answered, labelled=labelled))
        return cls(windows=tuple(windows))
