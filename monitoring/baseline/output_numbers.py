"""A model's outputs, as a log or an export has them, as the numbers that are watched of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.errors import BadInput
from monitoring.tasks.outputs_only import OutputsOnly, WatchedOutput

Floats = NDArray[np.float64]


def output_numbers(columns: Mapping[str, pa.ChunkedArray], task: OutputsOnly) -> Floats:
    """The numbers that are watched of each row.

    Args:
        columns: Each output by its name: numbers, or lists of numbers flattened in C order, [n].
        task: Which outputs are watched, and how.

    Returns:
        Numbers, [n, task.width]; NaN in a row whose output is missing, or has another size than it always had.

    Raises:
        BadInput: an output is absent.

    >>> task = OutputsOnly(watched=(WatchedOutput(name="steps", width=None),))
    >>> output_numbers({"steps": pa.chunked_array([[[1.0, 3.0], [5.0]]])}, task).tolist()
    [[2.0, 1.0, 3.0, 2.0], [5.0, 0.0, 5.0, 1.0]]
    """
    absent = [one.name for one in task.watched if one.name not in columns]
    if absent:
        raise BadInput(
            "The predictions lack an output.",
            got=f"no {', '.join(absent)}",
            expected=f"the outputs {', '.join(one.name for one in task.watched)}",
            fix="Check that the traffic is of the model that the baseline describes.",
        )
    return np.concatenate([_numbers(columns[one.name].combine_chunks(), one) for one in task.watched], axis=1)


def _numbers(column: pa.Array, output: WatchedOutput) -> Floats:
    """The numbers of one output, [n, numbers]."""
    if pa.types.is_primitive(column.type):
        column = pa.array(np.asarray(column, dtype=np.float64)[:, None].tolist(), pa.list_(pa.float64()))
    lengths = np.asarray(pc.fill_null(pc.list_value_length(column), 0), dtype=np.int64)
    flat = np.asarray(column.flatten(), dtype=np.float64)
    if output.is_summarised:
        return _summaries(flat, lengths, output.width)
    found = np.full((len(lengths), output.width or 0), np.nan)
    whole = lengths == output.width
    found[whole] = flat[np.repeat(whole, lengths)].reshape(-1, output.width or 1)
    return found


def _summaries(flat: Floats, lengths: NDArray[np.int64], width: int | None) -> Floats:
    """Mean, deviation and largest number of each row, and its length if rows differ; NaN for an empty row."""
    found = np.full((len(lengths), 4), np.nan)
    usable = lengths == width if width is not None else lengths > 0
    values, sizes = flat[np.repeat(usable, lengths)], lengths[usable]
    if sizes.size:
        first = np.cumsum(sizes) - sizes
        mean = np.add.reduceat(values, first) / sizes
        square = np.add.reduceat((values - np.repeat(mean, sizes)) ** 2, first) / sizes
        found[usable] = np.stack([mean, np.sqrt(square), np.maximum.reduceat(values, first), sizes], axis=1)
    return found if width is None else found[:, :-1]
