"""What a kind of model is to a monitor: one file of this folder for each kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from monitoring.records import Watch
from monitoring.tasks.label_scores import MAX_PARTS, LabelScores, NumberRanks, VarietyPart
from monitoring.tasks.output_names import class_watch, named
from monitoring.tasks.row_operations import differ, row_sums

if TYPE_CHECKING:
    import pyarrow as pa

Floats: TypeAlias = NDArray[np.float64]
Whole: TypeAlias = NDArray[np.int64]

#: The code of a row without a label, in every task.
NO_LABEL = -1

#: The code of a label that names a class which the model does not have: whatever the answer, it is wrong.
UNKNOWN_CLASS = -3

#: Where a row may have several classes: what stands between their names in a label, and how many a code has bits for.
CLASS_SEPARATOR = "|"
MAX_CLASSES_OF_SET = 60

#: What precedes the loss in the name of the watch on its surprise, on its material rise, and on its estimate.
SURPRISE = "surprise_"
MATERIAL = "material_"
ESTIMATED = "estimated_"

#: An output of at most so many numbers a row is watched number by number, a larger one by `SUMMARIES` of each row.
MAX_NUMBERS = 8
SUMMARIES = ("mean", "deviation", "largest")

#: What is watched besides of an output whose rows differ in length.
LENGTH = "length"

#: The tasks that a table or a model can be of; several: outputs with a label each, of a model.
TaskName: TypeAlias = Literal["classification", "multilabel", "regression", "ranking", "inputs", "several"]

Unit: TypeAlias = Literal["share", "score", "target"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A loss as a person reads it.

    Attributes:
        unit: A share of rows (read in percent), a score without a unit, or the unit of what is predicted.
    """

    name: str
    title: str
    unit: Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedOutput:
    """An output of a model: its name, and how many numbers a row has; None if rows differ.

    >>> WatchedOutput(name="tags", width=2).numbers, WatchedOutput(name="steps", width=None).numbers
    (('tags[0]', 'tags[1]'), ('steps mean', 'steps deviation', 'steps largest', 'steps length'))
    """

    name: str
    width: int | None

    @property
    def is_summarised(self) -> bool:
        """Whether rows are watched by their summaries, and not number by number."""
        return self.width is None or self.width > MAX_NUMBERS

    @property
    def numbers(self) -> tuple[str, ...]:
        """The names of what is watched of it."""
        if self.is_summarised:
            summaries = SUMMARIES if self.width is not None else (*SUMMARIES, LENGTH)
            return tuple(f"{self.name} {summary}" for summary in summaries)
        return (self.name,) if self.width == 1 else tuple(f"{self.name}[{place}]" for place in range(self.width or 0))

    def document(self) -> dict[str, Any]:
        """The output as JSON, which `of` reads."""
        return {"name": self.name, "width": self.width}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> WatchedOutput:
        """The inverse of `document`; LookupError or TypeError if something is missing."""
        return cls(name=document["name"], width=document["width"])


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPart:
    """The labels of one output, and what answers they are to.

    Attributes:
        place: Its place in labels of several outputs; None where there is one alone.
    """

    output: str = ""
    place: int | None = None
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


class Task(Protocol):
    """The losses of one model, its surprise, its outputs, and how its labels are read.

    Answers are float64 [n, width]. Labels are codes, int64 [n], that the task makes of their text; `NO_LABEL` for none.

    No room asks which task it has. What some tasks have and others have not is a member with a default here: so a task
    is one file of this folder, and its entry in `monitoring.tasks.registry`, whose functions narrow a task to a kind.
    """

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of the answers' columns; empty where there are none."""

    @property
    def exclusive(self) -> bool:
        """Whether a row has exactly one of the classes; false where it may have several, and without classes."""
        return False

    @property
    def is_multilabel(self) -> bool:
        """Whether a row may have any of the classes."""
        return bool(self.classes) and not self.exclusive

    @property
    def is_binary(self) -> bool:
        """Whether a row has exactly one of two classes, so that the second's probability says all."""
        return self.exclusive and self.width == 2

    @property
    def has_probabilities(self) -> bool:
        """Whether answers are probabilities of the classes."""
        return bool(self.classes)

    @property
    def costs(self) -> tuple[tuple[float, ...], ...]:
        """What a row costs, by its true class and then by its answer; empty for no such loss."""
        return ()

    @property
    def number_names(self) -> tuple[str, ...]:
        """The numbers of an answer, in order, an only one without a name; none of classes and ids.

        `outputs` has the score `prediction:NAME:location` of each, `prediction:location` of an only one.
        """
        return ()

    @property
    def outputs_judged(self) -> tuple[OutputTask, ...]:
        """The outputs of which a label has a part each; none where a label is one."""
        return ()

    @property
    def labels_in_parts(self) -> bool:
        """Whether a label has a part for each output, of which some may be missing or come later."""
        return bool(self.outputs_judged)

    @property
    def judged(self) -> tuple[tuple[str, Task], ...]:
        """What has a label: each output by its name; without a name the task itself, where a label is one."""
        return tuple((each.output, each.task) for each in self.outputs_judged) or (("", self),)

    @property
    def classes_of_outputs(self) -> dict[str, tuple[str, ...]]:
        """The classes of each output that has a label of its own; none where a label is one."""
        return {each.output: each.task.classes for each in self.outputs_judged}

    @property
    def answers_are_hashes(self) -> bool:
        """Whether answers are hashes of ids, which no person can read."""
        return False

    @property
    def outputs_watched(self) -> tuple[WatchedOutput, ...] | None:
        """The outputs whose numbers the answers are, where no loss is known of them; else None."""
        return None

    @property
    def is_made_of_outputs(self) -> bool:
        """Whether answers are made of several outputs or of lists, and are not the numbers of one output."""
        return False

    @property
    def width(self) -> int:
        """How many numbers an answer has."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """The losses of `losses`, in the order in which they are summed; none where no loss is known."""
        return ()

    @property
    def deciding_loss(self) -> str | None:
        """The loss that two versions are compared by where none is named; None for the mean of each output's first."""
        return self.metrics[0]

    @property
    def scales(self) -> dict[str, float]:
        """The own unit of each metric over that of its scores."""
        return {}

    @property
    def loss_watches(self) -> tuple[Watch, ...]:
        """The watches on losses, named after their metrics, then those on surprise."""
        return watches_of_losses(self.scales)

    @property
    def output_watches(self) -> tuple[Watch, ...]:
        """The watches on what the model answers."""

    def label_codes(self, words: pa.ChunkedArray) -> Whole:
        """Labels, as text [n], as codes, [n]; `NO_LABEL` for null and for anything that is no label of the task."""

    def respelled(self, words: pa.ChunkedArray) -> NDArray[np.bool_]:
        """Which labels, as text [n], are labels of the task but for case or spaces, [n]; by default none."""
        return np.zeros(len(words), dtype=np.bool_)

    def unknown(self, labels: Whole) -> NDArray[np.bool_]:
        """Which labels, as codes [n], name a class that the model does not have, [n]; by default none."""
        return np.zeros(len(labels), dtype=np.bool_)

    def read_answers(self, answers: Floats) -> NDArray[Any]:
        """What each row is answered, as a person has it.

        Args:
            answers: [n, width].

        Returns:
            Names of classes, [n]; where a row may have several, whether it has each, [n, classes]; numbers, [n] or
            [n, width]; or codes of ids, [n, k].
        """
        return answers

    def read_labels(self, labels: Whole) -> NDArray[Any]:
        """Labels, none of them absent or unknown, as codes [n], in the form of `read_answers`."""

    def label_texts(self, labels: Whole) -> pa.Array:
        """Labels, as codes, as text, [n]; null for those that are none, and where they have no text of their own."""
        import pyarrow as pa  # noqa: PLC0415 - not needed to report

        if not self.metrics or not self.number_names:
            return pa.nulls(len(labels), pa.string())
        return pa.array(np.ascontiguousarray(labels).view(np.float64), from_pandas=True).cast(pa.string())

    def usable(self, answers: Floats) -> NDArray[np.bool_]:
        """Which answers, [n, width], are answers of such a model, [n]."""
        return np.asarray(np.isfinite(answers).all(axis=1), dtype=np.bool_)

    def truth(self, labels: Whole) -> Floats:
        """Labels, none of them absent, as ones and zeros, [n, classes]; a label of no known class is all zeros."""
        return np.zeros((len(labels), len(self.classes)))

    def log_odds(self, answers: Floats, least: float) -> Floats:
        """Logarithms of probabilities, of their odds where a row may have several classes; other answers as they are.

        Args:
            answers: [n, width].
            least: What smaller probabilities count as.
        """
        return answers

    def of_log_odds(self, log_odds: Floats) -> Floats:
        """The answers, [n, width], of some `log_odds`, which need not be normalised."""
        return log_odds

    def log_losses(self, answers: Floats, labels: Whole, least: float) -> Floats:
        """Log losses in nats, [n], of answers that are probabilities; where a row may have several classes, their mean.

        Args:
            labels: Codes of known classes, [n].
            least: What smaller probabilities count as.
        """
        truth = self.truth(labels)
        right = np.where(truth > 0.0, answers, 1.0 - answers)
        return row_sums(-np.log(np.clip(right, least, 1.0))) / self.width

    def answered(self, answers: Floats, places: Sequence[int], threshold: float) -> Iterator[NDArray[np.bool_]]:
        """Which rows are answered to be of each of some classes, [n] each: by default those with that probability."""
        return (answers[:, place] >= threshold for place in places)

    def has_classes(self, labels: Whole, places: Sequence[int]) -> Iterator[NDArray[np.bool_]]:
        """Which rows, by labels of known classes, are of some classes, [n] each; by default codes are indices."""
        return (labels == place for place in places)

    def power_of_ten(self, answers: Floats) -> int:
        """By which power of ten answers, [n, width], are larger than the baseline's; 0 where nothing says so."""
        return 0

    def losses(self, answers: Floats, labels: Whole) -> dict[str, Floats]:
        """Each metric of labelled rows, in [0, 1], [n]; and the scores of other watches that need labels."""
        return {}

    def confusion_counts(self, answers: Floats, labels: Whole) -> Whole | None:
        """Rows by label, then answer, [classes, classes]; None where rows have not one class each."""
        return None

    def expected_losses(self, answers: Floats, outputs: Mapping[str, Floats]) -> dict[str, Floats]:
        """The losses that answers, [n, width], with their `outputs` promise: each metric in [0, 1], [n]; or none."""
        return {}

    def largest_differences(self, loss: str, a: Floats, b: Floats) -> Floats:
        """The largest absolute difference of a loss between two answers that any label could make, in [0, 1], [n].

        Args:
            loss: One of `metrics`.
            a: Usable answers, [n, width].
            b: Others to the same rows, [n, width].

        Returns:
            0 where no label could tell the answers apart; where no closer bound is known, 1 for answers that differ.
        """
        return differ(a, b)

    def outputs(self, answers: Floats) -> dict[str, Floats]:
        """The scores of the watches on outputs, in [0, 1], [n]."""

    def score(self, answers: Floats, outputs: Mapping[str, Floats] | None = None) -> Floats:
        """The one number that rows are grouped by.

        Args:
            answers: [n, width].
            outputs: As of `outputs`, if known already.

        Returns:
            Scores, [n].
        """

    def parts(self, answers: Floats) -> Iterator[tuple[OutputTask, Floats]]:
        """Each output that is judged with its own answers, [n, its width]."""
        return iter(())

    def labelled_parts(
        self, answers: Floats, labels: Whole
    ) -> Iterator[tuple[str, Task, NDArray[np.bool_], Floats, Whole]]:
        """Each of `judged` with which rows have its part of the label, [n], and these rows' answers and codes."""
        yield "", self, np.ones(len(labels), dtype=np.bool_), answers, labels

    def scores(self, answers: Floats) -> tuple[Floats, ...]:
        """As `score`, of each output that is judged, [n] each."""
        return (self.score(answers),)

    def label_scores(self, labels: Whole) -> tuple[LabelScores, ...]:
        """The scores of labels, of which the baseline's codes are given, at least one; none where they say nothing."""
        columns = labels.reshape(len(labels), -1)
        known = (columns[columns[:, place] != NO_LABEL, place] for place in range(columns.shape[1]))
        named_columns = zip(self.number_names, known, strict=True) if self.metrics and self.number_names else ()
        return tuple(
            NumberRanks.fit(name, place, np.ascontiguousarray(codes).view(np.float64))
            for place, (name, codes) in enumerate(named_columns)
        )

    def label_parts(self, labels: Whole) -> tuple[LabelPart, ...]:
        """As `label_scores`, of each output that is judged."""
        return tuple(LabelPart(columns=(0, self.width), scores=scores) for scores in self.label_scores(labels))

    def varied_parts(self, answers: Floats) -> tuple[VarietyPart, ...]:
        """The parts of an answer whose variety is watched.

        Args:
            answers: The baseline's, finite, [n, width].

        Returns:
            One for the whole answer where a row has one of several classes, a number or a list of ids; one for each
            class or number otherwise, at most `MAX_PARTS`.
        """
        numbers = (
            (name, f"prediction:{name}:location" if name else "prediction:location") for name in self.number_names
        )
        scores = (*((name, class_watch("output:", name)) for name in self.classes), *numbers)
        return tuple(
            VarietyPart(name=name, columns=(column,), scores=(score,))
            for column, (name, score) in enumerate(scores[:MAX_PARTS])
        )

    def fitted(self, answers: Floats, labels: Whole) -> Task:
        """The task with what it takes from a baseline's answers, [n, width], and labels, perhaps absent."""
        return self

    def with_quantile(self, quantile: float) -> Task | None:
        """The task of which every number is that quantile of its label; None where no number is predicted."""
        return None

    def document(self) -> Any:
        """The task as JSON, which `of` of its class reads."""
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputTask:
    """One output and its task.

    Attributes:
        numbers: How many numbers a row of the output has: of two classes it may be the probability of the second alone.
    """

    output: str
    task: Task
    numbers: int

    def answers(self, values: Floats) -> Floats:
        """The output's numbers, [n, numbers], as the task's answers, [n, task.width]."""
        if self.numbers == self.task.width:
            return values
        return np.concatenate([1.0 - values, values], axis=1)

    def document(self) -> dict[str, Any]:
        """The output as JSON."""
        fields: dict[str, Any] = {"output": self.output, "numbers": self.numbers}
        if self.task.classes:
            scored: dict[str, Any] = {} if self.task.has_probabilities else {"scored": False}
            return fields | {"classes": list(self.task.classes)} | scored
        return fields | {"regression": self.task.document()}


def loss_of(watch: str) -> str:
    """The loss that a watch on it, on its surprise, on its material rise or on its estimate is about.

    >>> [loss_of(watch) for watch in ("surprise_brier", "material_error", "estimated_error", "brier")]
    ['brier', 'error', 'error', 'brier']
    """
    return watch.removeprefix(SURPRISE).removeprefix(MATERIAL).removeprefix(ESTIMATED)


def surprises(realised: Mapping[str, Floats], expected: Mapping[str, Floats]) -> dict[str, Floats]:
    """Realised minus expected losses, as scores.

    A loss rises when the traffic gets harder or when the model gets worse. If traffic gets harder and the model knows
    it, the expected loss rises too and surprise does not.

    Args:
        realised: Losses of labelled rows in [0, 1], [n], by metric.
        expected: The same losses as expected, [n].

    Returns:
        Scores in [0, 1], [n], by the name of their watch; 1/2 where realised and expected loss are equal.

    >>> surprises({"error": np.array([1.0])}, {"error": np.array([0.5])})["surprise_error"].tolist()
    [0.75]
    """
    return {
        f"{SURPRISE}{name}": (loss - expected[name] + 1.0) / 2.0 for name, loss in realised.items() if name in expected
    }


def watches_of_losses(scales: Mapping[str, float]) -> tuple[Watch, ...]:
    """The watches on losses that page, then those on their surprise.

    >>> [watch.name for watch in watches_of_losses({"mae": 10.0})]
    ['mae', 'surprise_mae']

    Args:
        scales: The largest value of each loss, in its own unit.
    """
    losses = tuple(
        Watch(name=name, family="performance", level="page", needs_label=True, scale=scale)
        for name, scale in scales.items()
    )
    return (*losses, *(surprise_watch(loss) for loss in losses))


def surprise_watch(loss: Watch) -> Watch:
    """The watch on the surprise of a loss.

    Returns:
        A watch whose value is realised minus expected loss, in the loss's own unit.

    >>> loss = Watch(name="error", family="performance", level="page", needs_label=True)
    >>> surprise_watch(loss).value(0.75)
    0.5
    """
    return Watch(
        name=f"{SURPRISE}{loss.name}",
        family="surprise",
        level="page",
        needs_label=True,
        scale=2.0 * loss.scale,
        offset=-loss.scale,
    )
