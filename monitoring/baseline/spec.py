"""The specification of a baseline: the model's inputs and classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from monitoring.tasks.classification import Classification
from monitoring.tasks.output_names import OF_OUTPUT
from monitoring.tasks.task import Task, WatchedOutput
from monitoring.traffic.descriptors.descriptors import Descriptors

FeatureKind: TypeAlias = Literal["number", "category"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureSpec:
    """One input of the model: a number (missing is NaN or null) or a category (text).

    `is_code` says of a category that the model takes it as a number, as a code: live rows have numbers then.
    `source` is the column that it describes, where it is none of the model's own.
    """

    name: str
    kind: FeatureKind
    is_code: bool = False
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedding:
    """The embedding of inputs that are tensors: a few numbers per row, computed by the model itself.

    `tensors` are those inputs, of which live rows have a list each; `columns` are the numbers, which baseline rows have
    and live rows get when they are sampled.
    """

    tensors: tuple[str, ...]
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineSpec:
    """The inputs in the model's order, and the class names in the order of the probabilities.

    `classes` are those of a model that gives each row one of them; `other_task` is the task of any other model.
    `has_probabilities` is false where only predicted classes are known, which then count as certain.
    `costs` are what a row costs, as of `monitoring.tasks.classification`; they are the config's, and not stored.
    `columns` are those of the table that the baseline was made from, with their Arrow types; empty for a bundle.
    `embedding` is that of a model that takes tensors. `output` is the output that holds a predicted number, ids, or the
    probabilities of a multi-label model; None for a table, and for probabilities of one class a row, whose output the
    config names. `id_scores` is the output of the scores of ids, if there is one.
    `described` is what describes columns that are no inputs themselves, such as texts, by some of the `features`.
    `other_outputs` are those that no label is the
    truth of, whose numbers or texts are some of the `features` (see `of_outputs`). `rows_per_window` is how the rows of
    a reference without dates are cut into windows, in their drawn order; None: by their event times, as live rows are.

    >>> BaselineSpec(classes=("on_time", "late"), features=(FeatureSpec(name="temp", kind="number"),)).feature(
    ...     "temp"
    ... ).kind
    'number'
    """

    classes: tuple[str, ...]
    features: tuple[FeatureSpec, ...]
    has_probabilities: bool = True
    costs: tuple[tuple[float, ...], ...] = ()
    columns: tuple[tuple[str, str], ...] = ()
    embedding: Embedding | None = None
    other_task: Task | None = None
    output: str | None = None
    id_scores: str | None = None
    other_outputs: tuple[WatchedOutput, ...] = ()
    rows_per_window: int | None = None
    described: tuple[Descriptors, ...] = ()

    @property
    def task(self) -> Task:
        """What the model answers, and which losses tell how well."""
        if self.other_task is not None:
            return self.other_task
        return Classification(classes=self.classes, has_probabilities=self.has_probabilities, costs=self.costs)

    @property
    def of_outputs(self) -> frozenset[str]:
        """The features that are no inputs, but what other outputs than the judged one answer."""
        return frozenset(f"{OF_OUTPUT}{number}" for output in self.other_outputs for number in output.numbers)

    def feature(self, name: str) -> FeatureSpec:
        """The input with a name; KeyError if there is none."""
        return {feature.name: feature for feature in self.features}[name]
