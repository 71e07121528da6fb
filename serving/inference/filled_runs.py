"""Runs of allowed sizes only: a batch is run in parts, each filled up to the next allowed number of rows.

For graphs that are compiled, or tuned, for each size. As in TensorFlow Serving, copies of a row of the batch fill the
places that are left, and what the graph answers for them is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from serving.models.named_tensors import concatenate, shared_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from serving.models.batch_settings import BatchSettings

    Array = np.ndarray[Any, Any]
    Run = Callable[[Mapping[str, Array]], Mapping[str, Array]]


def run_filled(run: Run, inputs: Mapping[str, Array], settings: BatchSettings) -> Mapping[str, Array] | None:
    """Run the rows in parts of allowed sizes.

    >>> from serving.models.batch_settings import BatchSettings
    >>> def run(part):
    ...     print(part["x"].tolist())
    ...     return {"y": 2 * part["x"]}
    >>> settings = BatchSettings(max_rows=8, allowed_rows=(2, 4), max_run_rows=4)
    >>> run_filled(run, {"x": np.arange(7)}, settings)
    [0, 1, 2, 3]
    [4, 5, 6, 6]
    {'y': array([ 0,  2,  4,  6,  8, 10, 12])}

    Args:
        inputs: Tensors with one row for each row of the batch.

    Returns:
        The outputs; None if there is no row to run, or the outputs are not one row for each row of the inputs.
    """
    rows = shared_rows(inputs)
    if not rows:
        return None
    at_once = settings.max_run_rows or rows
    parts: list[Mapping[str, Array]] = []
    for begin in range(0, rows, at_once):
        part = {name: value[begin : begin + at_once] for name, value in inputs.items()}
        count = min(at_once, rows - begin)
        size = next((size for size in settings.allowed_rows if size >= count), count)
        if size > count:
            part = {name: np.concatenate([v, np.repeat(v[-1:], size - count, axis=0)]) for name, v in part.items()}
        outputs = run(part)
        if any(value.shape[:1] != (size,) for value in outputs.values()):
            return None
        parts.append({name: value[:count] for name, value in outputs.items()})
    return concatenate(parts)
