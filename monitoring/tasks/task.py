"""What a kind of model is to a monitor: one file of this folder for each kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from monitoring.records import Watch

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


class Task(Protocol):
    """The losses of one model, its surprise, its outputs, and how its labels are read.

    Answers are float64 [n, width]. Labels are codes, int64 [n]: what the task makes of a label's text; `NO_LABEL`
    for none.

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
        """The losses of `losses`, in the order in which they are summed."""

    @property
    def scales(self) -> dict[str, float]:
        """The own unit of each metric over that of its scores."""

    @property
    def loss_watches(self) -> tuple[Watch, ...]:
        """The watches on losses, named after their metrics, then those on surprise."""

    @property
    def output_watches(self) -> tuple[Watch, ...]:
        """The watches on what the model answers."""

    def label_codes(self, words: pa.ChunkedArray) -> Whole:
        """Labels, as text [n], as codes, [n]; `NO_LABEL` for null and for anything that is no label of the task."""

    def respelled(self, words: pa.ChunkedArray) -> NDArray[np.bool_]:
        """Which labels, as text [n], are labels of the task but for case or spaces, [n]."""

    def unknown(self, labels: Whole) -> NDArray[np.bool_]:
        """Which labels, as codes [n], name a class that the model does not have, [n]."""

    def read_answers(self, answers: Floats) -> NDArray[Any]:
        """What each row is answered, as a person has it.

        Args:
            answers: [n, width].

        Returns:
            Names of classes, [n]; where a row may have several, whether it has each, [n, classes]; numbers, [n]; or
            codes of ids, [n, k].
        """

    def read_labels(self, labels: Whole) -> NDArray[Any]:
        """Labels, none of them absent or unknown, as codes [n], in the form of `read_answers`."""

    def losses(self, answers: Floats, labels: Whole) -> dict[str, Floats]:
        """Each metric of labelled rows, in [0, 1], [n]; and the scores of other watches that need labels."""

    def expected_losses(self, answers: Floats, outputs: Mapping[str, Floats]) -> dict[str, Floats]:
        """The losses that the answers themselves promise, in [0, 1], [n], by metric; none where they promise none.

        Args:
            answers: [n, width].
            outputs: As of `outputs`.

        Returns:
            One for each metric, or none.
        """

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

    def scores(self, answers: Floats) -> tuple[Floats, ...]:
        """As `score`, of each output that is judged, [n] each."""
        return (self.score(answers),)

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
