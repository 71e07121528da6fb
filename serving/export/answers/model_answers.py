"""What the author's model answers to the rows of a reference, output by output, or as a baseline holds it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from monitoring.baseline.output_numbers import made_answers, output_numbers
from monitoring.baseline.spec import BaselineSpec
from monitoring.tasks.outputs_only import OutputsOnly
from serving.export.inputs.input_arrays import groups_of_equal_size, to_array
from serving.export.keras_model import KerasModel, tensors_of
from serving.export.outputs.probabilities import PROBABILITIES

Array = np.ndarray[Any, Any]

BATCH: Final = 1024


def baseline_answers(table: pa.Table, model: KerasModel, spec: BaselineSpec) -> Array:
    """The model's answers as a baseline holds them, but those of a ranking. Returns float64 [n, width]."""
    if spec.task.labels_in_parts:
        return made_answers(listed_answers(table, model, list(spec.task.classes_of_outputs)), spec)
    watched = spec.task.outputs_watched
    if watched is None:
        return answers_of(table, model, spec.output or PROBABILITIES).astype(np.float64)
    columns = listed_answers(table, model, [output.name for output in watched])
    return output_numbers(columns, OutputsOnly(watched=watched))


def answers_of(table: pa.Table, model: KerasModel, output: str) -> Array:
    """Run the author's model on every row, in batches of rows of one size. Returns the output, [n, width]."""
    values = np.zeros((table.num_rows, model.width(output) or 0))
    for places, answers in _batches_of(table, model):
        values[places] = answers[output].numpy().reshape(len(places), -1)
    return values


def listed_answers(table: pa.Table, model: KerasModel, names: Sequence[str]) -> dict[str, pa.ChunkedArray[Any]]:
    """Some outputs for every row, as a traffic log has them: a list a row, in C order.

    Returns:
        Lists by output, [n]: float64 of floats, int64 of whole numbers and booleans, binary of texts.
    """
    lists: dict[str, list[Any]] = {name: [None] * table.num_rows for name in names}
    kinds: dict[str, pa.DataType] = {}
    for places, answers in _batches_of(table, model):
        for name in names:
            values = np.asarray(answers[name])
            kinds[name] = _KINDS.get(values.dtype.kind, pa.float64())
            values = values if values.dtype.kind in _KINDS else values.astype(np.float64)
            for place, value in zip(places.tolist(), values, strict=True):
                lists[name][place] = np.asarray(value).reshape(-1).tolist()
    return {
        name: pa.chunked_array([pa.array(rows, pa.list_(kinds.get(name, pa.float64())))])
        for name, rows in lists.items()
    }


#: How lists of what is no float are held, by NumPy's kind.
_KINDS: Final = {"i": pa.int64(), "u": pa.uint64(), "b": pa.int64(), "O": pa.binary(), "S": pa.binary()}


def _batches_of(table: pa.Table, model: KerasModel) -> Iterator[tuple[Array, dict[str, Any]]]:
    """Indices of rows of one size, and the author's model's outputs for them."""
    for alike in groups_of_equal_size(table, model.inputs):
        for first in range(0, len(alike), BATCH):
            places = alike[first : first + BATCH]
            rows = table.take(pa.array(places))
            arrays = {model_input.name: to_array(rows[model_input.name], model_input) for model_input in model.inputs}
            yield places, model.call_original(tensors_of(model.inputs, arrays))
