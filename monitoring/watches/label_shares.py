"""Labels themselves: how often each class is the label, or where labelled numbers lie. Drift of the target.

A loss says nothing of a label feed that loses a class: where all labels become 0, most models look better. The same
scores of the answers to the same rows say what was to be expected of the labels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from monitoring.records import ScoreSum, Watch, WatchKey
from monitoring.tasks.multilabel import class_matrix
from monitoring.tasks.output_names import named
from monitoring.tasks.ranking import AnsweredIds
from monitoring.tasks.registry import ranking_of
from monitoring.tasks.row_operations import baseline_ranks
from monitoring.tasks.task import NO_LABEL, Floats, Task, Whole
from monitoring.watches.classes import MAX_CLASSES
from monitoring.watches.family import Counts, ScoredRows, Sums, WatchFamily
from monitoring.watches.scoring import fixed_point_sum
from monitoring.watches.tally import Tally
from monitoring.watches.variety import VarietyPart

#: What precedes the class, or `location` and `spread`, in the name of a watch.
PREFIX = "label:"

#: Of the sums of the answers' scores, what precedes the name of the watch on labels.
ANSWERED = "answered_"

#: Quantiles of the baseline's labels, on which ranks are measured.
KNOTS = 99

Scores: TypeAlias = dict[str, Floats]


class LabelScores(Protocol):
    """The scores of labels of one kind."""

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each score's watch."""

    def of_labels(self, labels: Whole) -> Scores:
        """The scores of labels, in [0, 1], [n], by the name of their watch."""

    def of_answers(self, answers: Floats) -> Scores:
        """What the answers to the same rows say of these scores, [n] each; none where they say nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassShares:
    """Of labels that are one class each: the indicator of some classes.

    >>> shares = ClassShares(classes=(("yes", 1),))
    >>> shares.of_labels(np.array([0, 1]))["label:yes"].tolist(), shares.of_answers(np.array([[0.75, 0.25]]))
    ([0.0, 1.0], {'label:yes': array([0.25])})
    """

    classes: tuple[tuple[str, int], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """See `LabelScores`."""
        return tuple(f"{PREFIX}{name}" for name, _ in self.classes)

    def of_labels(self, labels: Whole) -> Scores:
        """See `LabelScores`."""
        return {f"{PREFIX}{name}": (labels == index).astype(np.float64) for name, index in self.classes}

    def of_answers(self, answers: Floats) -> Scores:
        """See `LabelScores`: probabilities."""
        return {f"{PREFIX}{name}": answers[:, index] for name, index in self.classes}


@dataclass(frozen=True, slots=True, kw_only=True)
class SetShares:
    """Of labels that are any of several classes: the indicator of each class."""

    classes: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """See `LabelScores`."""
        return tuple(f"{PREFIX}{name}" for name in self.classes)

    def of_labels(self, labels: Whole) -> Scores:
        """See `LabelScores`."""
        return dict(zip(self.names, class_matrix(labels, len(self.classes)).T, strict=True))

    def of_answers(self, answers: Floats) -> Scores:
        """See `LabelScores`: probabilities."""
        return dict(zip(self.names, answers.T, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberRanks:
    """Of a labelled number: its rank among the baseline's labels, and how far it lies from their middle.

    Attributes:
        knots: Quantiles of the baseline's labels, in order.
    """

    number: str
    column: int
    knots: tuple[float, ...]

    @classmethod
    def fit(cls, number: str, column: int, labels: Whole) -> NumberRanks:
        """From the baseline's labels of the number, codes [n]."""
        values = np.ascontiguousarray(labels[labels != NO_LABEL]).view(np.float64)
        quantiles = np.linspace(0, 1, KNOTS + 2)[1:-1]
        knots = tuple(np.quantile(values, quantiles).tolist()) if values.size else ()
        return cls(number=number, column=column, knots=knots)

    @property
    def names(self) -> tuple[str, ...]:
        """See `LabelScores`."""
        number = f"{self.number}:" if self.number else ""
        return f"{PREFIX}{number}location", f"{PREFIX}{number}spread"

    def of_labels(self, labels: Whole) -> Scores:
        """See `LabelScores`."""
        return self._scores(self.values(labels))

    def values(self, labels: Whole) -> Floats:
        """The numbers of labels, [n]."""
        return np.ascontiguousarray(labels if labels.ndim == 1 else labels[:, self.column]).view(np.float64)

    def of_answers(self, answers: Floats) -> Scores:
        """See `LabelScores`: ranks of the answers among the labels."""
        return self._scores(answers[:, self.column])

    def _scores(self, values: Floats) -> Scores:
        ranks = baseline_ranks(values, self.knots)
        return dict(zip(self.names, (ranks, np.abs(2.0 * ranks - 1.0)), strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class RelevantIds:
    """Of sets of relevant ids: the shares that the baseline's answers do not have, and that are common in them."""

    ids: AnsweredIds

    @property
    def names(self) -> tuple[str, ...]:
        """See `LabelScores`."""
        return f"{PREFIX}new_ids", f"{PREFIX}common_ids"

    def of_labels(self, labels: Whole) -> Scores:
        """See `LabelScores`."""
        codes = np.where(labels == NO_LABEL, 0, labels)
        there = np.maximum((codes > 0).sum(axis=1), 1)
        shares = (each(codes).sum(axis=1) / there for each in (self.ids.new, self.ids.is_common))
        return dict(zip(self.names, shares, strict=True))

    def of_answers(self, answers: Floats) -> Scores:
        """See `LabelScores`: none, a list that is answered says nothing of which ids are relevant."""
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPart:
    """The labels of one output, and what answers they are to.

    Attributes:
        place: Its place in labels of several outputs; None where there is one alone.
    """

    output: str
    place: int | None
    columns: tuple[int, int]
    scores: LabelScores

    def name(self, score_name: str) -> str:
        """The name of a watch of the output."""
        return named(self.output, score_name) if self.output else score_name

    def rows(self, answers: Floats, labels: Whole) -> tuple[Floats, Whole]:
        """The rows that have a label of the output: their answers and labels."""
        if self.place is None:
            return answers, labels
        there = labels[:, self.place] != NO_LABEL
        first, end = self.columns
        return answers[there, first:end], np.ascontiguousarray(labels[there, self.place])


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
        if not len(labels):
            return cls()
        if task.outputs_judged:
            label_parts, first = [], 0
            for place, output in enumerate(task.outputs_judged):
                codes = labels[:, place]
                label_codes = codes[codes != NO_LABEL]
                columns = (first, first + output.task.width)
                label_parts += [
                    LabelPart(output=output.output, place=place, columns=columns, scores=scores)
                    for scores in _scores_of(output.task, label_codes)
                ]
                first = columns[1]
            return cls(parts=tuple(label_parts))
        columns = (0, task.width)
        parts = (
            LabelPart(output="", place=None, columns=columns, scores=scores) for scores in _scores_of(task, labels)
        )
        return cls(parts=tuple(parts))

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each watch."""
        return tuple(part.name(name) for part in self.parts for name in part.scores.names)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of those that are shares of a class."""
        return tuple(
            part.name(name)
            for part in self.parts
            if isinstance(part.scores, ClassShares | SetShares)
            for name in part.scores.names
        )

    @property
    def jumping(self) -> tuple[str, ...]:
        """The names of those of which the answers to the same rows say what is to be expected, and their spread not."""
        return tuple(
            part.name(name)
            for part in self.parts
            if not isinstance(part.scores, RelevantIds)
            for name in (part.scores.names[:1] if isinstance(part.scores, NumberRanks) else part.scores.names)
        )

    @property
    def watches(self) -> tuple[Watch, ...]:
        """The watches: notices, either way."""
        return tuple(
            Watch(name=name, family="labels", level="notice", needs_label=True, direction="both") for name in self.names
        )

    @property
    def variety_parts(self) -> tuple[VarietyPart, ...]:
        """The labelled numbers whose variety is known."""
        return tuple(
            VarietyPart(name=f"{part.output} {part.scores.number}".strip(), columns=(0,), scores=part.scores.names[:1])
            for part in self.parts
            if isinstance(part.scores, NumberRanks)
        )

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
        numbers = [entry for entry in scored if isinstance(entry[0].scores, NumberRanks)]
        variety = [
            part.tally(scores.values(codes)[:, None], of_labels)
            for part, (labelled, codes, of_labels, _) in zip(self.variety_parts, numbers, strict=True)
            if isinstance(scores := labelled.scores, NumberRanks)
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


def _scores_of(task: Task, labels: Whole) -> tuple[LabelScores, ...]:
    """The scores of the labels of one output, of which the baseline's are given."""
    if not len(labels):
        return ()
    scores: tuple[LabelScores, ...] = ()
    if task.exclusive:
        counts = np.bincount(labels[labels >= 0], minlength=len(task.classes))
        order = np.sort(np.argsort(-counts, kind="stable")[:MAX_CLASSES]).tolist()
        chosen = [1] if len(task.classes) == 2 else order
        scores = (ClassShares(classes=tuple((task.classes[index], index) for index in chosen)),)
    elif task.classes:
        scores = (SetShares(classes=task.classes),)
    elif task.metrics and task.number_names:
        columns = labels.reshape(len(labels), -1)
        scores = tuple(NumberRanks.fit(name, place, columns[:, place]) for place, name in enumerate(task.number_names))
    elif (ranking := ranking_of(task)) is not None and ranking.ids is not None:
        scores = (RelevantIds(ids=ranking.ids),)
    return scores
