"""Models of several outputs with a label each: the labels of a reference, and what each output is judged by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.errors import BadInput
from monitoring.tasks.classification import Classification
from monitoring.tasks.label_codes import has_label
from monitoring.tasks.label_objects import label_object, texts_of_outputs
from monitoring.tasks.regression import Regression
from monitoring.tasks.several import SeveralTasks
from monitoring.tasks.task import OutputTask
from monitoring.traffic.cells import decoded
from serving.export.outputs.probabilities import ROUNDING, is_one_number
from serving.export.reference_labels import LISTED, listed

Array = np.ndarray[Any, Any]


def labels_of_outputs(table: pa.Table, columns: Mapping[str, str]) -> pa.ChunkedArray[Any]:
    """Labels of several outputs as one text a row.

    >>> table = pa.table({"kind": ["a", "b"], "paid": [1.5, None]})
    >>> labels_of_outputs(table, {"kind": "kind", "price": "paid"}).to_pylist()
    ['{"kind":"a","price":"1.5"}', '{"kind":"b"}']

    Returns:
        Text [n], without the outputs that have no label; null where none has.
    """
    absent = [name for name in columns.values() if name not in table.column_names]
    if absent:
        raise BadInput(
            "The table has no such label column.",
            got=f"--label {','.join('='.join(pair) for pair in columns.items())}; no column {', '.join(absent)}",
            expected=f"some of {listed(table.column_names)}",
            fix="Name each output and the column of its labels: --label kind=was_kind,price=paid.",
        )
    cells = [decoded(table[name]).to_pylist() for name in columns.values()]
    texts = [label_object(dict(zip(columns, row, strict=True))) for row in zip(*cells, strict=True)]
    return pa.chunked_array([pa.array(texts, pa.string())])


def find_output_tasks(
    answers: Mapping[str, Array],
    labels: pa.ChunkedArray[Any],
    outputs: Sequence[str],
    classes: tuple[str, ...] = (),
    classes_of: Mapping[str, tuple[str, ...]] | None = None,
) -> SeveralTasks:
    """Find what each output is judged by.

    Args:
        answers: Outputs by name, [n, …].
        classes: The classes of the output whose labels are names, in its order; () where they are indices.
        classes_of: The classes of outputs by name: labels are these names, or indices of them.
    """
    named = {} if classes_of is None else classes_of
    strange = [name for name in named if name not in outputs]
    if strange:
        raise BadInput(
            "Classes are named of an output that has no label.",
            got=f"--classes {', '.join(f'{name}=…' for name in strange)}",
            expected=f"some of {', '.join(outputs)}, as in --label",
            fix="Name the output's column of labels too: --label kind=was_kind --classes kind=easy,hard.",
        )
    absent = [name for name in outputs if name not in answers]
    if absent:
        raise BadInput(
            "The model has no such output.",
            got=f"--label {', '.join(f'{name}=…' for name in absent)}",
            expected=f"some of {', '.join(answers)}",
            fix="Name each output and the column of its labels: --label kind=was_kind,price=paid.",
        )
    texts = texts_of_outputs(labels, outputs)
    tasks = [
        _named_task(name, np.asarray(answers[name]), pc.unique(output_labels).drop_null(), named[name])
        if name in named
        else _task_of(name, np.asarray(answers[name]), pc.unique(output_labels).drop_null(), classes)
        for name, output_labels in zip(outputs, texts, strict=True)
    ]
    return SeveralTasks(outputs_judged=tuple(tasks))


def _named_task(name: str, values: Array, labels: pa.Array, classes: tuple[str, ...]) -> OutputTask:
    """What an output is judged by whose classes are named."""
    width = 1 if is_one_number(values) else values.shape[-1]
    if values.ndim > 2 or len(classes) != max(width, 2):
        raise BadInput(
            "An output's classes are not as many as it has probabilities.",
            got=f"output {name} {list(values.shape[1:])}, and classes {listed(classes)}",
            expected=f"{max(width, 2)} classes in the order of the output",
            fix=f"Name all of them: --classes {name}=easy,normal,hard.",
        )
    codes = Classification(classes=classes).label_codes(pa.chunked_array([labels], pa.string()))
    unknown = labels.filter(pa.array(codes < 0)).to_pylist()
    if unknown:
        raise BadInput(
            "Labels of an output are none of its classes.",
            got=f"labels {listed(sorted(unknown)[:LISTED])} of output {name}",
            expected=f"some of {listed(classes)}, or their places from 0 on",
            fix=f"Name all classes in the order of the output: --classes {name}=easy,normal,hard.",
        )
    indices = pa.array([str(code) for code in np.unique(codes)], pa.string())
    judged = _task_of(name, values, indices, ())
    if not judged.task.classes:
        _refuse(name, values, labels)
    return OutputTask(output=name, task=Classification(classes=classes), numbers=judged.numbers)


def _task_of(name: str, values: Array, labels: pa.Array, classes: tuple[str, ...]) -> OutputTask:
    """What one output is judged by."""
    if values.dtype.kind != "f" or values.ndim > 2:
        _refuse(name, values, labels)
    if is_one_number(values):
        binary = next((names for names in (("0", "1"), classes) if len(names) == 2 and _are(labels, names)), ())
        if binary and _is_within(values):
            return OutputTask(output=name, task=Classification(classes=binary), numbers=1)
        if not has_label(Regression().label_codes(pa.chunked_array([labels]))).all():
            _refuse(name, values, labels)
        return OutputTask(output=name, task=Regression(), numbers=1)
    width = values.shape[1]
    indices = tuple(str(place) for place in range(width))
    output_classes = next((each for each in (indices, classes) if len(each) == width and _are(labels, each)), ())
    sums = values.astype(np.float64).sum(axis=1)
    if not output_classes or not _is_within(values) or not np.all(np.isnan(sums) | (np.abs(sums - 1) < ROUNDING)):
        _refuse(name, values, labels)
    return OutputTask(output=name, task=Classification(classes=output_classes), numbers=width)


def _are(labels: pa.Array, classes: tuple[str, ...]) -> bool:
    """Whether each label is one of the classes, or there is none."""
    return set(labels.to_pylist()) <= set(classes)


def _is_within(values: Array) -> bool:
    """Whether all numbers are from 0 to 1."""
    return bool(np.all(np.isnan(values) | ((values >= 0) & (values <= 1))))


def _refuse(name: str, values: Array, labels: pa.Array) -> NoReturn:
    raise BadInput(
        "The labels of an output do not fit it.",
        got=f"output {name} {list(values.shape[1:])}, and labels {listed(sorted(labels.to_pylist())[:5])}",
        expected="one number a row with numbers for labels; or class probabilities, which sum to 1, or the one of the "
        "second of two classes, with indices of classes, or names of them as in --classes",
        fix="End an output of logits with a softmax or a sigmoid; name the classes in the order of the output, "
        f"--classes {name}=easy,hard; or leave the output out of --label: it is watched for drift.",
    )
