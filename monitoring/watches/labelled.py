"""Which rows get their label: a loss over labelled rows is everybody's only while labels come for all alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.predictions import Predictions
from monitoring.records import SCORE_ONE, ScoreSum, Watch, WatchKey
from monitoring.watches.scoring import row_maxima, slice_masks

#: What precedes the part of the rows in a watch's name.
PREFIX = "labelled:"

#: Labels may come for a part of the rows this much more or less often than for all, in shares of the labelled rows.
TOLERANCE = 0.05

#: CoverageGroups of the rows by their score, each a quarter of the baseline.
QUARTERS = ("lowest", "low", "high", "highest")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CoverageGroups:
    """How rows are divided: by quarters of the score, or by the answer where there are no scores, and by slices.

    `edges` float64 [3] divide the score, which is the second class's probability, or the largest of more than two; None
    where only answers are known.
    """

    classes: tuple[str, ...]
    edges: NDArray[np.float64] | None
    slices: Mapping[str, tuple[str, ...]]

    @classmethod
    def fit(
        cls, reference: Predictions, classes: tuple[str, ...], slices: Mapping[str, tuple[str, ...]]
    ) -> CoverageGroups:
        """Quarters of the reference's scores; rows whose answer is not a number do not count."""
        scores = score_of(reference.probabilities)
        scores = scores[np.isfinite(scores)]
        edges = np.quantile(scores, [0.25, 0.5, 0.75]) if scores.size else np.zeros(3)
        return cls(classes=classes, edges=edges, slices=slices)

    @property
    def names(self) -> tuple[str, ...]:
        """Every part, as its watch calls it after `PREFIX`."""
        by_answer = tuple(f"answer={name}" for name in self.classes)
        first = by_answer if self.edges is None else tuple(f"score={quarter}" for quarter in QUARTERS)
        return (*first, *(f"{column}={value}" for column, values in self.slices.items() for value in values))

    @property
    def watches(self) -> tuple[Watch, ...]:
        """One watch for each part: its share of the labelled rows less its share of all, in [-1, 1]."""
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

    def counted(self, rows: Predictions) -> tuple[int, ...]:
        """How many rows with a usable answer there are, and how many in each part."""
        usable = rows.take(np.asarray(np.isfinite(rows.probabilities).all(axis=1), dtype=np.bool_))
        return (len(usable), *(int(inside.sum()) for _, inside in self._masks(usable)))

    def sums(self, answered: tuple[int, ...], labelled: tuple[int, ...]) -> dict[WatchKey, ScoreSum]:
        """The watches' sums over the labelled rows of one window whose labels are no longer waited for.

        Both are as `counted`. Of n rows, k of them in a part, a labelled row scores (1 + its membership - k/n) / 2.
        Where labels come for all alike that is 1/2 on average, however few they are, for the window's own shares are
        what it is held against.
        """
        found = {}
        for name, of_all, among in zip(self.names, answered[1:], labelled[1:], strict=True):
            share = labelled[0] * of_all * SCORE_ONE // max(answered[0], 1)
            total = ((labelled[0] + among) * SCORE_ONE - share) // 2
            found[WatchKey(watch=f"{PREFIX}{name}")] = ScoreSum(labelled[0], total)
        return found

    def squares(self, answered: tuple[int, ...], labelled: tuple[int, ...]) -> dict[WatchKey, ScoreSum]:
        """The sums of the squares of what `sums` adds up, to 2^-32 of each part's."""
        found = {}
        for name, of_all, among in zip(self.names, answered[1:], labelled[1:], strict=True):
            share = of_all / max(answered[0], 1)
            total = among * (1.0 - share / 2.0) ** 2 + (labelled[0] - among) * ((1.0 - share) / 2.0) ** 2
            found[WatchKey(watch=f"{PREFIX}{name}")] = ScoreSum(labelled[0], round(total * SCORE_ONE))
        return found

    def _masks(self, rows: Predictions) -> Iterator[tuple[str, NDArray[np.bool_]]]:
        answers = rows.probabilities.argmax(axis=1) if len(rows) else np.zeros(0, np.int64)
        if self.edges is None:
            places, names = answers, tuple(f"answer={name}" for name in self.classes)
        else:
            places = np.searchsorted(self.edges, score_of(rows.probabilities), side="right")
            names = tuple(f"score={quarter}" for quarter in QUARTERS)
        for place, name in enumerate(names):
            yield name, np.asarray(places == place, dtype=np.bool_)
        yield from slice_masks(rows, self.slices).items()


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingWindow:
    """One window whose labels are waited for: its beginning and newest event (microseconds), and counts so far."""

    start: int
    newest: int
    answered: tuple[int, ...]
    labelled: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingLabels:
    """What is remembered of windows whose labels are waited for, oldest first: counts, and no row.

    >>> one = PendingWindow(start=0, newest=5, answered=(4, 2), labelled=(1, 0))
    >>> PendingLabels.from_text(PendingLabels(windows=(one,)).to_text()).windows == (one,)
    True
    """

    windows: tuple[PendingWindow, ...] = ()

    def after(
        self,
        parts: CoverageGroups,
        answered: Predictions,
        labelled: Predictions,
        starts: NDArray[np.int64],
        *,
        window: LabelWindow,
    ) -> tuple[PendingLabels, dict[WatchKey, ScoreSum]]:
        """One window on, and the sums of those windows that have waited long enough.

        `labelled` are the labels that arrived, of rows answered in the windows that begin at `starts` [n].
        """
        came = {int(start): parts.counted(labelled.take(starts == start)) for start in np.unique(starts)}
        newest = int(answered.event_times.max()) if len(answered) else None
        return self.after_counts(parts, parts.counted(answered), newest, came, window=window)

    def after_counts(
        self,
        parts: CoverageGroups,
        answered: tuple[int, ...],
        newest: int | None,
        labelled: Mapping[int, tuple[int, ...]],
        *,
        window: LabelWindow,
    ) -> tuple[PendingLabels, dict[WatchKey, ScoreSum]]:
        """As `after`, from counts of the parts: of rows answered, the `newest` of them then, and of those labelled.

        `newest` is None where no row was answered; `labelled` goes by the beginnings of the rows' own windows.
        """
        oldest = window.end - window.horizon
        done = [one for one in self.windows if one.newest < oldest]
        sums: dict[WatchKey, ScoreSum] = {}
        for one in done:
            for key, total in parts.sums(one.answered, one.labelled).items():
                sums[key] = sums.get(key, ScoreSum()) + total
        waiting = [one for one in self.windows if one.newest >= oldest]
        nothing = (0,) * len(answered)
        if newest is not None:
            waiting.append(PendingWindow(start=window.start, newest=newest, answered=answered, labelled=nothing))
        windows = []
        for one in waiting:
            came = labelled.get(one.start, nothing)
            windows.append(replace(one, labelled=tuple(a + b for a, b in zip(one.labelled, came, strict=True))))
        return PendingLabels(windows=tuple(windows)), sums

    def to_text(self) -> str:
        """Whole numbers: a line for each window."""
        return "\n".join(
            " ".join(map(str, (one.start, one.newest, *one.answered, *one.labelled))) for one in self.windows
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


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelWindow:
    """A window and how long its labels are waited for, in microseconds."""

    start: int
    end: int
    horizon: int


def score_of(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """What rows are divided by: the second class's probability, or the largest of more than two."""
    if probabilities.shape[1] == 2 or not len(probabilities):
        return probabilities[:, -1]
    return row_maxima(probabilities)
