"""The output of a model that predicts a number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.errors import BadInput
from monitoring.tasks.task import TaskName
from serving.export.outputs.probabilities import EMBEDDING, LOGITS, is_one_number
from serving.export.reference_labels import is_number_type, number_texts

Array = np.ndarray[Any, Any]

#: So many different labels can be two classes, whose order an owner has to give.
MOST_CLASS_LABELS: Final = 2


def find_number_output(
    answers: Mapping[str, Array],
    labels: pa.ChunkedArray[Any] | None,
    *,
    task: TaskName | None = None,
    output: str | None = None,
) -> str | None:
    """Find the output whose number the labels are the truth of. Returns its name; None if no number is predicted.

    >>> import numpy as np
    >>> import pyarrow as pa
    >>> prices = pa.chunked_array([[9.5, 20.0, 11.25]])
    >>> find_number_output({"outputs": np.array([[9.0], [21.0], [10.0]])}, prices)
    'outputs'

    Args:
        answers: Outputs by name, [n, …].
        labels: The column of labels; None if there is none.
        task: What the owner says that is predicted; None: a number, if labels are more than two different numbers and
            an output is one number a row.
    """
    fitting = [
        name
        for name, value in answers.items()
        if value.dtype.kind == "f" and is_one_number(value) and name not in {EMBEDDING, LOGITS}
    ]
    if task != "regression" and (task == "classification" or not fitting or not _are_numbers(labels)):
        return None
    if output is not None:
        if output not in fitting:
            _refuse_width(answers, (output,))
        return output
    if not fitting:
        _refuse_width(answers, tuple(answers))
    if len(fitting) > 1:
        raise BadInput(
            "Several outputs of the model are numbers, and a monitor watches one.",
            got=f"outputs {', '.join(fitting)}",
            expected="the output that the label is the truth of",
            fix=f"Name it: --output {fitting[0]}. Or make them one output (keras.layers.Concatenate), with a label for "
            "each number: --label A,B.",
        )
    return fitting[0]


def _are_numbers(labels: pa.ChunkedArray[Any] | None) -> bool:
    """Whether labels are numbers, and too many for two classes."""
    if labels is None or not is_number_type(labels.type):
        return False
    return len(pc.unique(number_texts(labels)).drop_null()) > MOST_CLASS_LABELS


def _refuse_width(answers: Mapping[str, Array], names: tuple[str, ...]) -> NoReturn:
    raise BadInput(
        "A predicted number is an output of one number a row.",
        got="outputs " + ", ".join(f"{name} {list(answers[name].shape[1:])}" for name in names),
        expected="one output of the shape [] or [1]",
        fix="Name the output with --output, or give each number an output of its own: keras.Model(x, {'first': …}).",
    )
