"""A model's outputs, as a log or an export has them, as the answers that are watched of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.spec import BaselineSpec
from monitoring.errors import BadInput
from monitoring.tasks.output_names import OF_OUTPUT
from monitoring.tasks.outputs_only import OutputsOnly
from monitoring.tasks.registry import ranking_of
from monitoring.tasks.task import WatchedOutput
from monitoring.traffic.ranked_ids import ranked_answers

Floats = NDArray[np.float64]


def made_answers(columns: Mapping[str, pa.ChunkedArray], spec: BaselineSpec) -> Floats:
    """The answers of a model that are made of its outputs: ids with their scores, or the numbers of several outputs.

    Args:
        columns: Each output by its name, [n].

    Returns:
        Answers, [n, spec.task.width]; NaN in a row without a usable one.
    """
    task = spec.task
    if task.labels_in_parts:
        parts = []
        for part in task.outputs_judged:
            watched = WatchedOutput(name=part.output, width=part.numbers)
            parts.append(part.answers(output_numbers(columns, OutputsOnly(watched=(watched,)))))
        return np.concatenate(parts, axis=1)
    ranking = ranking_of(task)
    if ranking is None:
        return output_numbers(columns, OutputsOnly(watched=task.outputs_watched or ()))
    wanted = [name for name in (spec.output, spec.id_scores) if name is not None]
    _check_there(columns, wanted)
    ids, *scores = (columns[name].combine_chunks() for name in wanted)
    return ranked_answers(ids, scores[0] if scores else None, ranking)


def output_numbers(columns: Mapping[str, pa.ChunkedArray], task: OutputsOnly) -> Floats:
    """The numbers that are watched of each row.

    Args:
        columns: Each output by its name: numbers, or lists of numbers flattened in C order, [n].

    Returns:
        Numbers, [n, task.width]; NaN in a row whose output is missing, or has another size than it always had.

    >>> task = OutputsOnly(watched=(WatchedOutput(name="steps", width=None),))
    >>> output_numbers({"steps": pa.chunked_array([[[1.0, 3.0], [5.0]]])}, task).tolist()
    [[2.0, 1.0, 3.0, 2.0], [5.0, 0.0, 5.0, 1.0]]
    """
    _check_there(columns, [output.name for output in task.watched])
    return np.concatenate([_numbers(columns[output.name].combine_chunks(), output) for output in task.watched], axis=1)


def output_columns(columns: Mapping[str, pa.ChunkedArray], spec: BaselineSpec) -> dict[str, pa.ChunkedArray]:
    """The features that are answers of other outputs than the judged one.

    >>> watched = WatchedOutput(name="tags", width=2)
    >>> from monitoring.baseline.spec import FeatureSpec
    >>> second = FeatureSpec(name="output tags[1]", kind="number")
    >>> tags = BaselineSpec(classes=(), features=(second,), other_outputs=(watched,))
    >>> columns = output_columns({"tags": pa.chunked_array([[[1.0, 3.0]]])}, tags)
    >>> {name: column.to_pylist() for name, column in columns.items()}
    {'output tags[1]': [3.0]}

    Args:
        columns: Each output by its name, [n], as of `output_numbers`; or texts.

    Returns:
        Numbers or texts by feature, [n]; none of an output that is absent, or of which the baseline names no feature.
    """
    kinds = {feature.name: feature.kind for feature in spec.features}
    flat: dict[str, pa.ChunkedArray] = {}
    for output in spec.other_outputs:
        names = [f"{OF_OUTPUT}{number}" for number in output.numbers]
        if output.name not in columns or not kinds.keys() & set(names):
            continue
        if kinds.get(names[0]) == "category":
            column = columns[output.name]
            flat[names[0]] = pc.list_element(column, 0) if pa.types.is_list(column.type) else column
            continue
        numbers = output_numbers(columns, OutputsOnly(watched=(output,)))
        pairs = zip(names, numbers.T, strict=True)
        flat |= {name: pa.chunked_array([pa.array(values)]) for name, values in pairs if name in kinds}
    return flat


def _check_there(columns: Mapping[str, pa.ChunkedArray], wanted: Sequence[str]) -> None:
    """Raises BadInput for outputs that are absent."""
    absent = [name for name in wanted if name not in columns]
    if absent:
        raise BadInput(
            "The predictions lack an output.",
            got=f"no {', '.join(absent)}",
            expected=f"the outputs {', '.join(wanted)}",
            fix="Check that the traffic is of the model that the baseline describes.",
        )


def _numbers(column: pa.Array, output: WatchedOutput) -> Floats:
    """The numbers of one output, [n, numbers]."""
    if pa.types.is_primitive(column.type):
        column = pa.array(np.asarray(column, dtype=np.float64)[:, None].tolist(), pa.list_(pa.float64()))
    lengths = np.asarray(pc.fill_null(pc.list_value_length(column), 0), dtype=np.int64)
    flat = np.asarray(column.flatten(), dtype=np.float64)
    if output.is_summarised:
        return _summaries(flat, lengths, output.width)
    numbers = np.full((len(lengths), output.width or 0), np.nan)
    whole = lengths == output.width
    numbers[whole] = flat[np.repeat(whole, lengths)].reshape(-1, output.width or 1)
    return numbers


def _summaries(flat: Floats, lengths: NDArray[np.int64], width: int | None) -> Floats:
    """Mean, deviation and largest number of each row, and its length if rows differ; NaN for an empty row."""
    summaries = np.full((len(lengths), 4), np.nan)
    usable = lengths == width if width is not None else lengths > 0
    values, sizes = flat[np.repeat(usable, lengths)], lengths[usable]
    if sizes.size:
        first = np.cumsum(sizes) - sizes
        mean = np.add.reduceat(values, first) / sizes
        square = np.add.reduceat((values - np.repeat(mean, sizes)) ** 2, first) / sizes
        summaries[usable] = np.stack([mean, np.sqrt(square), np.maximum.reduceat(values, first), sizes], axis=1)
    return summaries if width is None else summaries[:, :-1]
