"""Labels themselves: how often each class is the label, or where labelled numbers lie. Drift of the target.

A loss says nothing of a label feed that loses a class: where all labels become 0, most models look better. The same
scores of the answers to the same rows say what was to be expected of the labels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from monitoring.records import ScoreSum, Watch, WatchKey
from monitoring.tasks.label_scores import VarietyPart
from monitoring.tasks.task import Floats, LabelPart, Task, Whole
from monitoring.watches.family import Counts, ScoredRows, Sums, WatchFamily
from monitoring.watches.scoring import fixed_point_sum
from monitoring.watches.tally import Tally
from monitoring.watches.variety import tally_of

#: Of the sums of the answers' scores, what precedes the name of the watch on labels.
ANSWERED = "answered_"

Scores: TypeAlias = dict[str, Floats]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelWatches(WatchFamily):
    """The watches on labels.

    >>> from monitoring.tasks.classification import Classification
    >>> task = Classification(classes=("no", "yes"))
    >>> labels = LabelWatches.fit(task, np.array([0, 1, 0, 0]))
    >>> [watch.name for watch in labels.watches]
    ['label:yes']
    >>> shares, _ = labels.tallies(np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([1, 0]))
    >>> rows, of_labels, of_answers = shares[0].tolist()
    >>> of_labels / rows / 2**32, of_answers / rows / 2**32
    (0.5, 0.25)
    """

    parts: tuple[LabelPart, ...] = ()

    @classmethod
    def fit(cls, task: Task, labels: Whole) -> LabelWatches:
        """From a baseline.

        Args:
            labels: The codes of the labels of rows that have one, [n] or [n, parts].

        Returns:
            The watches: of two classes on the second, of more on the commonest; none where a label says nothing.
        """
        return cls(parts=task.label_parts(labels)) if len(labels) else cls()

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each watch."""
        return tuple(part.name(name) for part in self.parts for name in part.scores.names)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of those that are shares of a class."""
        return tuple(part.name(name) for part in self.parts for name in part.scores.class_names)

    @property
    def jumping(self) -> tuple[str, ...]:
        """The names of those of which the answers to the same rows say what is to be expected, and their spread not."""
        return tuple(part.name(name) for part in self.parts for name in part.scores.jumping)

    @property
    def watches(self) -> tuple[Watch, ...]:
        """The watches: notices, either way."""
        return tuple(
            Watch(name=name, family="labels", level="notice", needs_label=True, direction="both") for name in self.names
        )

    @property
    def variety_parts(self) -> tuple[VarietyPart, ...]:
        """The labelled numbers whose variety is known."""
        varied = ((part, part.scores.varied) for part in self.parts)
        return tuple(replace(of, name=f"{part.output} {of.name}".strip()) for part, of in varied if of is not None)

    def group(self, watch: Watch) -> str:
        """One for all."""
        return "labels"

    def tallies(self, answers: Floats, labels: Whole, *, power: int = 1) -> tuple[Whole, Whole]:
        """Sums in fixed point over labelled rows.

        Args:
            answers: Finite answers, [n, width].
            labels: Codes of labels, [n] or [n, parts].

        Returns:
            For each watch the rows that have its label, the sum of the labels' scores, and that of the answers', int64
            [watches, 3]; and the tally of each of `variety_parts`.
        """
        scored = list(self._scored(answers, labels))
        variety = [
            tally_of(varied, np.ascontiguousarray(codes[:, None] if codes.ndim == 1 else codes).view(float), of_labels)
            for part, codes, of_labels, _ in scored
            if (varied := part.scores.varied) is not None
        ]
        return self._sums(scored, power=power), np.array(variety, dtype=np.int64)

    def tally_labels(self, rows: ScoredRows, labels: Whole, power: int) -> Counts:
        """See `WatchFamily`: `tallies`."""
        shares, variety = self.tallies(rows.probabilities, labels, power=power)
        return {"label shares": shares, "label variety": variety}

    def label_sums(self, labelled: Tally) -> Sums:
        """See `WatchFamily`; besides, the sums of the answers' scores, under `ANSWERED` and the watch's name."""
        sums = Sums()
        rows = labelled.counts.get("label shares", np.zeros((len(self.names), 3), dtype=np.int64))
        for name, (count, labels, answers) in zip(self.names, rows.tolist(), strict=True):
            sums[WatchKey(watch=name)] = ScoreSum(count, labels)
            sums[WatchKey(watch=f"{ANSWERED}{name}")] = ScoreSum(count, answers)
        return sums

    def _scored(self, answers: Floats, labels: Whole) -> Iterator[tuple[LabelPart, Whole, Scores, Scores]]:
        """Each part with the codes of its labels, their scores, and those of the answers to the same rows."""
        for part in self.parts:
            part_answers, codes = part.rows(answers, labels)
            yield part, codes, part.scores.of_labels(codes), part.scores.of_answers(part_answers)

    def _sums(self, scored: Iterable[tuple[LabelPart, Whole, Scores, Scores]], *, power: int) -> Whole:
        sums = [
            (scores.size, fixed_point_sum(scores**power), _sum(of_answers, name, power))
            for _, _, of_labels, of_answers in scored
            for name, scores in of_labels.items()
        ]
        return np.array(sums, dtype=np.int64).reshape(len(self.names), 3)


def _sum(scores: Mapping[str, NDArray[np.float64]], name: str, power: int) -> int:
    return fixed_point_sum(scores[name] ** power) if name in scores else 0
