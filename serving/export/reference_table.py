"""The reference table of a model: matched with the model's inputs, checked, completed, and sampled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import prod
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.errors import BadInput
from monitoring.tasks.multilabel import Multilabel
from monitoring.tasks.outputs_only import OutputsOnly
from monitoring.tasks.registry import numbers_of
from monitoring.tasks.regression import Regression
from monitoring.traffic.format.rows import FIRST_US, LAST_US, TIMESTAMP
from serving.export.answers.model_answers import baseline_answers
from serving.export.inputs.input_arrays import MISSING_CATEGORY, column_problem, groups_of_equal_size, to_array
from serving.export.inputs.model_inputs import ModelInput
from serving.export.keras_model import KerasModel
from serving.export.model_tensors import GENERATED_SIZE
from serving.export.outputs.probabilities import PROBABILITIES
from serving.export.reference_labels import (
    LABEL,
    class_names,
    is_label_type,
    is_string_type,
    labels_as_text,
    listed,
    number_texts,
    without_empty,
)

Array = np.ndarray[Any, Any]

SAMPLED = 256
# Of a sample: a warmup file and a parity check of large images must stay small.
MOST_BYTES = 1 << 25
UNSEEN_CATEGORY = b"\xc3\x97 never seen"
_MICROSECONDS = {"day": 86_400_000_000, "s": 1_000_000, "ms": 1_000, "us": 1}


def baseline_spec(
    features: tuple[FeatureSpec, ...],
    classes: tuple[str, ...],
    number: str | None = None,
    task: OutputsOnly | Multilabel | None = None,
) -> BaselineSpec:
    """What a baseline is made of: the classes, the output that is judged, and the features."""
    other_task = Regression() if task is None and number is not None else task
    return BaselineSpec(classes=classes, features=features, other_task=other_task, output=number)


def match_columns(table: pa.Table, model: KerasModel, label: str | None = None) -> pa.Table:
    """Name a table's columns as the model's inputs, and its label column `label`.

    A model of one tensor takes the only other column if none has its name; features take the numbers of a list column
    of the tensor's name if the table has no columns of theirs.

    Args:
        label: The label column; None is `label`, if there is one.
    """
    if label is not None:
        if label not in table.column_names:
            raise BadInput(
                "The reference table has no such label column.",
                got=f"--label {label}",
                expected=f"one of {listed(table.column_names)}",
                fix="Name the column of the labels.",
            )
        column_names = [name for name in table.column_names if name != LABEL or label == LABEL]
        table = table.select(column_names).rename_columns([LABEL if name == label else name for name in column_names])
    wanted = model.plan.columns
    columns = {name: table[column] for name, column in wanted.items() if column in table.column_names}
    for fed in model.plan.fed:
        parts = [model_input.name for model_input in fed.inputs]
        if not any(name in columns for name in parts):
            whole = _whole(table, fed.tensor.name, alone=len(model.plan.fed) == 1)
            if whole is not None:
                columns |= _unstacked(whole, parts) if fed.parts else {parts[0]: whole}
    rest = {name: table[name] for name in ROW_COLUMNS if name in table.column_names and name not in columns}
    if LABEL in rest:
        rest[LABEL] = without_empty(rest[LABEL])
    return pa.table(columns | rest)


def check_reference(table: pa.Table, model: KerasModel, classes: tuple[str, ...], *, sets: bool = False) -> None:
    """Check that a matched table has what the model takes, and that its labels and probabilities fit the classes."""
    types = {name: table.schema.field(name).type for name in ROW_COLUMNS if name in table.column_names}
    mistyped = [name for name, kind in types.items() if not ROW_COLUMNS[name].fits(kind)]
    others = [*_input_problems(table, model, classes), *_row_problems(table, types, classes, sets=sets)]
    if not mistyped and not others:
        return
    inputs = (
        [
            f"{model_input.name} {model_input.dtype} {list(model_input.shape) or ''}".rstrip()
            for model_input in model.inputs
        ]
        if others
        else []
    )
    raise BadInput(
        "The reference table does not fit the model.",
        got="; ".join([*others, *(f"column {name} is {types[name]}" for name in mistyped)]),
        expected=", ".join([*inputs, *(f"{name}: {ROW_COLUMNS[name].wanted}" for name in mistyped)]),
        fix=" ".join(
            [
                *([_fix(table, model, classes)] if others else ()),
                *dict.fromkeys(ROW_COLUMNS[name].fix for name in mistyped),
            ]
        ),
    )


def complete(table: pa.Table, model: KerasModel, spec: BaselineSpec, now: datetime) -> pa.Table:
    """Fill in what a baseline needs and a matched and checked table does not have.

    Returns:
        The inputs of `spec`, prediction_id (by row number if there is none), event_time, probabilities (of the model if
        there are none; or lists of one predicted number, or of the numbers that are watched of the outputs), label (as
        text; null if there is none), label_time (the event time if there is none).
    """
    rows = table.num_rows
    columns = {feature.name: _plain(table[feature.name]) for feature in spec.features}
    generated = pa.chunked_array([pa.array([f"reference-{row}:0" for row in range(rows)], pa.string())])
    ids = table["prediction_id"].cast(pa.string()) if "prediction_id" in table.column_names else generated
    columns["prediction_id"] = pc.coalesce(ids, generated)
    timed = "event_time" in table.column_names
    columns["event_time"] = timestamps_of(table["event_time"]) if timed else pa.array([now] * rows, TIMESTAMP)
    if PROBABILITIES in table.column_names:
        columns[PROBABILITIES] = table[PROBABILITIES]
    else:
        columns[PROBABILITIES] = pa.array(list(baseline_answers(table, model, spec)), pa.list_(pa.float64()))
    labels = _label_texts(table[LABEL], spec) if LABEL in table.column_names else pa.nulls(rows, pa.string())
    columns[LABEL] = labels
    if "label_time" in table.column_names:
        columns["label_time"] = timestamps_of(table["label_time"])
    else:
        columns["label_time"] = pc.if_else(pc.is_valid(labels), columns["event_time"], pa.scalar(None, TIMESTAMP))
    return pa.table(columns)


def _label_texts(labels: pa.ChunkedArray[Any], spec: BaselineSpec) -> pa.ChunkedArray[Any]:
    if spec.classes:
        return class_names(labels, spec.classes)
    return labels_as_text(labels) if len(numbers_of(spec.task)) != 1 else number_texts(labels)


def timestamps_of(column: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
    """Convert timestamps or dates to microseconds, UTC; fractions of one are cut off.

    >>> timestamps_of(pa.chunked_array([pa.array([9 * 10**18, 0], pa.timestamp("ms"))])).cast(pa.int64()).to_pylist()
    [None, 0]

    Returns:
        A column of the same length; null outside the years 1 to 9999.
    """
    kind = column.type
    unit = "day" if pa.types.is_date32(kind) else "ms" if pa.types.is_date64(kind) else kind.unit
    if unit != "ns":  # nanoseconds never leave these years
        long = _MICROSECONDS[unit]
        numbers = column.cast(pa.int32() if unit == "day" else pa.int64())
        is_valid = pc.and_(pc.greater_equal(numbers, -(-FIRST_US // long)), pc.less_equal(numbers, LAST_US // long))
        column = pc.if_else(is_valid, column, pa.scalar(None, kind))
    return pc.cast(column, options=pc.CastOptions(TIMESTAMP, allow_time_truncate=True))


def sample(table: pa.Table | None, inputs: tuple[ModelInput, ...], rng: np.random.Generator) -> dict[str, Array]:
    """Sample rows of the reference, and append one with everything missing and one with unseen categories.

    Without a reference, floats are drawn from a standard normal distribution, integers are 0 and categories missing.

    Args:
        table: A matched table; None if there is none.

    Returns:
        Arrays by input: up to 256 evenly spaced rows (fewer if these take more than 32 MB; of lists of variable length
        those of the commonest), and the two more. Missing integers are 0.
    """
    most = max(2, min(SAMPLED, MOST_BYTES // max(row_bytes(inputs), 1)))
    if table is None:
        return {model_input.name: _generated(model_input, most, rng) for model_input in inputs}
    alike = next(groups_of_equal_size(table, inputs))
    places = alike[np.unique(np.linspace(0, len(alike) - 1, most).astype(np.int64))]
    sampled = table.take(pa.array(places))
    return {
        model_input.name: _with_edges(model_input, to_array(sampled[model_input.name], model_input))
        for model_input in inputs
    }


def row_bytes(inputs: tuple[ModelInput, ...]) -> int:
    """About the bytes of one row in memory: 8 for a text, 32 values in a dimension of any size."""
    return sum(8 * prod(GENERATED_SIZE if size == -1 else size for size in model_input.shape) for model_input in inputs)


def _with_edges(model_input: ModelInput, column: Array) -> Array:
    if model_input.shape:
        return np.concatenate([column, column[:1], column[:1]])
    if model_input.kind == "category":
        return np.concatenate([column, np.array([MISSING_CATEGORY.encode(), UNSEEN_CATEGORY], object)])
    missing = np.nan if model_input.is_float else 0
    return np.concatenate([column, np.array([missing, column[0]]).astype(column.dtype)])


def _generated(model_input: ModelInput, rows: int, rng: np.random.Generator) -> Array:
    shape = (rows, *(GENERATED_SIZE if size == -1 else size for size in model_input.shape))
    if model_input.kind == "category":
        return np.full(shape, MISSING_CATEGORY.encode(), object)
    return rng.standard_normal(shape) if model_input.is_float else np.zeros(shape)


def _whole(table: pa.Table, name: str, *, alone: bool) -> pa.ChunkedArray[Any] | None:
    """The column of a tensor: the one of its name, or the only one that is no row column."""
    if name in table.column_names:
        return table[name]
    others = [column for column in table.column_names if column not in ROW_COLUMNS]
    return table[others[0]] if alone and len(others) == 1 else None


def _unstacked(column: pa.ChunkedArray[Any], names: list[str]) -> dict[str, pa.ChunkedArray[Any]]:
    """A list column as one column per element; none if its rows are not of that length."""
    kind = column.type
    lists = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    if not lists or pc.unique(pc.list_value_length(column)).to_pylist() != [len(names)]:
        return {}
    return {name: pc.list_element(column, place) for place, name in enumerate(names)}


def _input_problems(table: pa.Table, model: KerasModel, classes: tuple[str, ...]) -> Iterator[str]:
    if classes and PROBABILITIES in model.outputs and model.width(PROBABILITIES) not in {None, len(classes)}:
        yield f"the model gives {model.width(PROBABILITIES)} probabilities for {len(classes)} classes"
    if table.num_rows == 0:
        yield "no rows"
    for model_input in model.inputs:
        column = model.plan.columns[model_input.name]
        if model_input.name not in table.column_names:
            takes = f", and input {model_input.name} takes {list(model_input.shape)} a row" if model_input.shape else ""
            yield f"no column {column}{takes}"
        elif problem := column_problem(table[model_input.name], model_input):
            yield f"column {column} {problem}"


def _fix(table: pa.Table, model: KerasModel, classes: tuple[str, ...]) -> str:
    """What to do about problems, with this model's own names."""
    steps = ["Correct the table."]
    if any(model_input.name not in table.column_names for model_input in model.inputs):
        wanted = ", ".join(
            f"{model_input.name} {list(model_input.shape) or ''}".rstrip() for model_input in model.inputs
        )
        steps.append(
            f"List columns of other names in the model's order: --features with one name for each number of {wanted}."
        )
    if classes:
        steps.append(f"The classes, in the order of the probabilities, were {listed(classes)}: --classes.")
    elif PROBABILITIES in table.column_names:
        steps.append("Give the classes in the order of the probabilities: --classes.")
    if LABEL not in table.column_names:
        steps.append("Name the column of the labels: --label.")
    return " ".join(steps)


def _row_problems(
    table: pa.Table, types: Mapping[str, pa.DataType], classes: tuple[str, ...], *, sets: bool
) -> Iterator[str]:
    if not sets and LABEL in types and is_label_type(types[LABEL]) and classes:
        names = class_names(table[LABEL], classes)
        unknown = pc.unique(table[LABEL].filter(pc.is_null(names)).drop_null()).to_pylist()
        if unknown:
            yield f"labels {listed(sorted(map(str, unknown)))} are not among the classes {listed(classes)}"
    if PROBABILITIES in types and _is_list_of_floats(types[PROBABILITIES]):
        lengths = pc.unique(pc.fill_null(pc.list_value_length(table[PROBABILITIES]), 0)).to_pylist()
        if table.num_rows and lengths != [len(classes)]:
            yield f"probabilities of length {', '.join(map(str, lengths[:5]))} for {len(classes)} classes"


def _plain(column: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
    """A scalar input as a baseline stores it: text without a dictionary, a list of one value as that value."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return column.cast(pa.string())
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return pc.list_element(column, 0)
    return column


def _is_timestamp(kind: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))


def _is_list_of_floats(kind: pa.DataType) -> bool:
    lists = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    return bool(lists and pa.types.is_floating(kind.value_type))


@dataclass(frozen=True, slots=True)
class RowColumn:
    """The types that a column may have, in code and in words, and how to convert it."""

    fits: Callable[[pa.DataType], bool]
    wanted: str
    fix: str


_TIMESTAMP: Final = RowColumn(
    _is_timestamp,
    "a timestamp or a date",
    "Convert the column first, for example with pandas.to_datetime(column, utc=True), or omit it.",
)
#: Columns that a table may have besides the model's inputs.
ROW_COLUMNS: Final = {
    "prediction_id": RowColumn(is_string_type, "text", "Convert the ids to text, or omit them."),
    "event_time": _TIMESTAMP,
    PROBABILITIES: RowColumn(
        _is_list_of_floats, "lists of floats, one for each class", "Put them into lists, or omit them."
    ),
    LABEL: RowColumn(is_label_type, "text or numbers", "Name the column of the labels: --label NAME."),
    "label_time": _TIMESTAMP,
}
