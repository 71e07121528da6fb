"""How a model's outputs are interpreted: as classes, numbers, ids, several tasks, or numbers alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.tasks.multilabel import Multilabel
from monitoring.tasks.outputs_only import OutputsOnly
from monitoring.tasks.several import SeveralTasks
from monitoring.tasks.task import TaskName, WatchedOutput
from monitoring.tasks.vector_regression import VectorRegression
from serving.export.keras_model import KerasModel
from serving.export.outputs.number_vectors import find_vector_output
from serving.export.outputs.predicted_number import find_number_output
from serving.export.outputs.probabilities import (
    PROBABILITIES,
    find_class_output,
    find_set_output,
    gives_sets,
    infer_classes,
)
from serving.export.outputs.rankings import RankedOutput, find_ranked_output, lists_of_ids
from serving.export.outputs.several_outputs import find_output_tasks
from serving.export.reference_labels import LABEL, is_text_type, labels_as_text, listed

Array = np.ndarray[Any, Any]


_FORMS: Final = {
    "distribution": "Output {} sums to 1 over the classes and is served as probabilities.",
    "logits": "Output {} is interpreted as logits: its softmax is served as probabilities.",
    "probability": "Output {} is interpreted as the probability of {}: those of both classes are served.",
    "logit": "Output {} is interpreted as the logit of {}: the probabilities of both classes are served.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredTask:
    """What an owner says that a model predicts: the task, the output that the label is the truth of; None: as it fits.

    `numbers` is what each number of a label is called, where it has several; `score` the output of scores of ids;
    `judged` are the outputs of which a label has a part each, and `classes_of` the classes of those that are named.
    """

    task: TaskName | None = None
    output: str | None = None
    numbers: tuple[str, ...] = ()
    score: str | None = None
    judged: tuple[str, ...] = ()
    classes_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class InterpretedModel:
    """The model, with an output `probabilities` if it is a classifier, and the classes' names.

    `answer` is the output of its own that the label is the truth of, None if that is not known; `number` is the
    same where it predicts a number, or several: `vector` is its task then. `multilabel` is its task where a row may
    have several classes, and `classes` are empty then; `answer` is the output of their probabilities.
    `several` is its task where a label has a part for each of several outputs. `ranked` are its outputs where it
    answers ids, and `outputs_only` those of a model of which no loss is known.
    """

    model: KerasModel
    classes: tuple[str, ...]
    remarks: tuple[str, ...]
    answer: str | None = None
    number: str | None = None
    multilabel: Multilabel | None = None
    vector: VectorRegression | None = None
    ranked: RankedOutput | None = None
    several: SeveralTasks | None = None
    outputs_only: OutputsOnly | None = None

    @property
    def task(self) -> TaskName | None:
        """What it is known to predict."""
        if self.multilabel is not None:
            return "multilabel"
        if self.ranked is not None or self.several is not None:
            return "ranking" if self.several is None else "several"
        return "classification" if self.classes else None if self.number is None else "regression"

    @property
    def names(self) -> tuple[str, ...]:
        """The classes, of which a row has one or several; empty where there are none."""
        return self.classes if self.multilabel is None else self.multilabel.classes


def interpret_answers(
    model: KerasModel,
    answers: Mapping[str, Array],
    reference: pa.Table | None,
    classes: tuple[str, ...],
    declared_task: DeclaredTask | None = None,
) -> InterpretedModel:
    """Interpret a model's outputs as those of a classifier, or one of them as a predicted number, if they are.

    Args:
        answers: Its outputs for some rows, [n, …].
        classes: The classes in the order of the outputs; () if they are not known.
        declared_task: What the owner says of it; None: nothing.
    """
    task, output = (None, None) if declared_task is None else (declared_task.task, declared_task.output)
    if declared_task is not None and (declared_task.judged or declared_task.task == "ranking" or declared_task.numbers):
        return _declared(model, answers, reference, classes, declared_task)
    labels = reference[LABEL] if reference is not None and LABEL in reference.column_names else None
    if task == "multilabel" or (task is None and gives_sets(answers, labels, classes, output)):
        set_output = find_set_output(answers, len(classes), output)
        remark = (
            f"Output {set_output} is interpreted as a probability of each of {len(classes)} classes, any of which a "
            "row has."
        )
        many = Multilabel(classes=classes).check()
        return InterpretedModel(model=model, classes=(), remarks=(remark,), answer=set_output, multilabel=many)
    if not classes and labels is not None and task != "regression":
        distinct = pc.unique(labels_as_text(labels)).drop_null().to_pylist()
        scored = answers if output is None else {output: answers[output]}
        classes = infer_classes(distinct, scored, text=is_text_type(labels.type))
    if not classes:
        number = find_number_output(answers, labels, task=task, output=output)
        if number is None:
            hints = (f"If output {name} lists ids, best first: --task ranking." for name in lists_of_ids(answers))
            return InterpretedModel(model=model, classes=(), remarks=(*hints,), outputs_only=_outputs(model, answers))
        remark = f"Output {number} is interpreted as a predicted number: a regression."
        return InterpretedModel(model=model, classes=(), remarks=(remark,), answer=number, number=number)
    score = find_class_output(answers, len(classes), output)
    if score is None:
        return InterpretedModel(model=model, classes=classes, remarks=(), answer=PROBABILITIES)
    read = _FORMS[score.form].format(score.source, classes[-1])
    return InterpretedModel(
        model=model.with_class_output(score), classes=classes, remarks=(read,), answer=score.bundle_name
    )


def _declared(
    model: KerasModel,
    answers: Mapping[str, Array],
    reference: pa.Table | None,
    classes: tuple[str, ...],
    declared_task: DeclaredTask,
) -> InterpretedModel:
    """A model of which the owner, or the form of labels, says what it predicts."""
    if declared_task.judged:
        return _several(model, answers, reference, classes, declared_task)
    return (_ranking if declared_task.task == "ranking" else _vectors)(model, answers, declared_task)


def _several(
    model: KerasModel,
    answers: Mapping[str, Array],
    reference: pa.Table | None,
    classes: tuple[str, ...],
    declared_task: DeclaredTask,
) -> InterpretedModel:
    """A model of several outputs with a label each."""
    labels = pa.chunked_array([], pa.string()) if reference is None else reference[LABEL]
    task = find_output_tasks(answers, labels, declared_task.judged, classes, declared_task.classes_of)
    remarks = tuple(
        f"Output {output} is judged as "
        + (f"one of {len(names)} classes ({listed(names)})." if names else "a predicted number.")
        for output, names in task.classes_of_outputs.items()
    )
    return InterpretedModel(
        model=model, classes=(), remarks=remarks, answer=", ".join(declared_task.judged), several=task
    )


def _ranking(model: KerasModel, answers: Mapping[str, Array], declared_task: DeclaredTask) -> InterpretedModel:
    """A model that answers ids."""
    ranked = find_ranked_output(answers, declared_task.output, declared_task.score)
    remark = f"Output {ranked.ids} is interpreted as {ranked.places} ids, best first"
    remark += "." if ranked.scores is None else f", and output {ranked.scores} as their scores."
    return InterpretedModel(model=model, classes=(), remarks=(remark,), answer=ranked.ids, ranked=ranked)


def _vectors(model: KerasModel, answers: Mapping[str, Array], declared_task: DeclaredTask) -> InterpretedModel:
    """A model that predicts several numbers in one output."""
    vector_output = find_vector_output(answers, len(declared_task.numbers), declared_task.output)
    names = ", ".join(declared_task.numbers)
    remark = f"Output {vector_output} is interpreted as {len(declared_task.numbers)} predicted numbers ({names})."
    vector = VectorRegression.named(declared_task.numbers)
    return InterpretedModel(
        model=model, classes=(), remarks=(remark,), answer=vector_output, number=vector_output, vector=vector
    )


def _outputs(model: KerasModel, answers: Mapping[str, Array]) -> OutputsOnly | None:
    """The outputs that hold numbers; None if none does."""
    watched = tuple(
        WatchedOutput(name=name, width=model.row_size(name))
        for name, value in answers.items()
        if value.dtype.kind in "biuf"
    )
    return OutputsOnly(watched=watched) if watched else None
