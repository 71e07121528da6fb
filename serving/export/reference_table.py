"""The reference table beside the model it is exported with: whether they fit, what it lacks, and rows to try."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.errors import BadInput
from monitoring.traffic.format.rows import FIRST_US, LAST_US, TIMESTAMP
from serving.export.feature_columns import MISSING_CATEGORY
from serving.export.input_arrays import array_of, equal_sizes, problem_of
from serving.export.model_tensors import MADE_UP_SIZE
from serving.export.probabilities import PROBABILITIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from serving.export.keras_model import KerasModel
    from serving.export.model_inputs import ModelInput

    Array = np.ndarray[Any, Any]

SAMPLED = 256
# Of the rows tried together: a warmup file and a comparison of large images must stay small.
MOST_BYTES = 1 << 25
UNSEEN_CATEGORY = b"\xc3\x97 never seen"
LABEL = "label"
BATCH = 1024
_MEND: Final = (
    "Mend the table; say which columns the model takes, in its order, by --features a,b,c; name the column of the "
    "truth by --label, and the classes in the order of the probabilities by --classes on_time,late."
)
_MICROSECONDS = {"day": 86_400_000_000, "s": 1_000_000, "ms": 1_000, "us": 1}


def scalars(model: KerasModel) -> tuple[ModelInput, ...]:
    """The inputs that a schema and a baseline can describe: one value a row."""
    return tuple(one for one in model.inputs if not one.shape)


def baseline_spec(model: KerasModel, classes: tuple[str, ...]) -> BaselineSpec:
    """What the baseline of this model is about."""
    features = tuple(FeatureSpec(name=one.name, kind=one.kind) for one in scalars(model))
    return BaselineSpec(classes=classes, features=features)


def match_columns(table: pa.Table, model: KerasModel, label: str | None = None) -> pa.Table:
    """The table with its columns named as the model's inputs are, and the truth as `label`.

    A model of one tensor takes the only other column where none has its name; features take the numbers of a list
    column of the tensor's own name where the table does not have them apart.

    Raises:
        BadInput: there is no column of the name given for the label.
    """
    if label is not None:
        if label not in table.column_names:
            raise BadInput(
                "The reference table has no such label.",
                got=f"--label {label}",
                expected=f"one of {', '.join(table.column_names[:20])}",
                fix="Name the column of the truth.",
            )
        kept = [name for name in table.column_names if name != LABEL or label == LABEL]
        table = table.select(kept).rename_columns([LABEL if name == label else name for name in kept])
    wanted = model.plan.columns
    found = {name: table[column] for name, column in wanted.items() if column in table.column_names}
    for fed in model.plan.fed:
        parts = [one.name for one in fed.inputs]
        if not any(name in found for name in parts):
            whole = _whole(table, fed.tensor.name, alone=len(model.plan.fed) == 1)
            if whole is not None:
                found |= _apart(whole, parts) if fed.parts else {parts[0]: whole}
    rest = {name: table[name] for name in ROW_COLUMNS if name in table.column_names and name not in found}
    if LABEL in rest:
        rest[LABEL] = _without_empty(rest[LABEL])
    return pa.table(found | rest)


def _without_empty(labels: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
    """Labels as they are, null where they are empty text: in a CSV file nothing else can stand for one not known."""
    kind = labels.type.value_type if pa.types.is_dictionary(labels.type) else labels.type
    if not _is_text(kind):
        return labels
    texts = labels.cast(kind)
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, kind), texts)


def check_reference(table: pa.Table, model: KerasModel, classes: tuple[str, ...]) -> None:
    """See that a matched table has what the model takes, and that what it says of answers and truth can be used.

    Raises:
        BadInput: with every problem there is: columns that are absent or of the wrong type or size, classes that fit
            neither the labels nor the probabilities.
    """
    types = {name: table.schema.field(name).type for name in ROW_COLUMNS if name in table.column_names}
    mistyped = [name for name, kind in types.items() if not ROW_COLUMNS[name].fits(kind)]
    others = [*_input_problems(table, model, classes), *_row_problems(table, types, classes)]
    if not mistyped and not others:
        return
    inputs = [f"{one.name} {one.dtype} {list(one.shape) or ''}".rstrip() for one in model.inputs] if others else []
    raise BadInput(
        "The reference table does not fit the model.",
        got="; ".join([*others, *(f"column {name} is {types[name]}" for name in mistyped)]),
        expected=", ".join([*inputs, *(f"{name}: {ROW_COLUMNS[name].wanted}" for name in mistyped)]),
        fix=" ".join([*([_MEND] if others else ()), *dict.fromkeys(ROW_COLUMNS[name].fix for name in mistyped)]),
    )


def complete(table: pa.Table, model: KerasModel, classes: tuple[str, ...], now: datetime) -> pa.Table:
    """A matched and checked table with everything a baseline needs, where the table did not have it.

    `prediction_id` by row where there is none, `event_time` ``now``, `probabilities` from the model, `label` null,
    `label_time` that of the event.
    """
    rows = table.num_rows
    columns = {one.name: _plain(table[one.name]) for one in scalars(model)}
    own = pa.chunked_array([pa.array([f"reference-{row}:0" for row in range(rows)], pa.string())])
    given = table["prediction_id"].cast(pa.string()) if "prediction_id" in table.column_names else own
    columns["prediction_id"] = pc.coalesce(given, own)
    timed = "event_time" in table.column_names
    columns["event_time"] = timestamps_of(table["event_time"]) if timed else pa.array([now] * rows, TIMESTAMP)
    if PROBABILITIES in table.column_names:
        columns[PROBABILITIES] = table[PROBABILITIES]
    else:
        columns[PROBABILITIES] = pa.array(list(answers_to(table, model, PROBABILITIES).astype(np.float64)))
    labels = class_names(table[LABEL], classes) if LABEL in table.column_names else pa.nulls(rows, pa.string())
    columns[LABEL] = labels
    if "label_time" in table.column_names:
        columns["label_time"] = timestamps_of(table["label_time"])
    else:
        columns["label_time"] = pc.if_else(pc.is_valid(labels), columns["event_time"], pa.scalar(None, TIMESTAMP))
    return pa.table(columns)


def timestamps_of(column: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
    """Timestamps or dates in microseconds, UTC, parts of one cut off; null where no calendar has such a day.

    >>> timestamps_of(pa.chunked_array([pa.array([9 * 10**18, 0], pa.timestamp("ms"))])).cast(pa.int64()).to_pylist()
    [None, 0]
    """
    kind = column.type
    unit = "day" if pa.types.is_date32(kind) else "ms" if pa.types.is_date64(kind) else kind.unit
    if unit != "ns":  # its first and last are centuries that every calendar has
        long = _MICROSECONDS[unit]
        numbers = column.cast(pa.int32() if unit == "day" else pa.int64())
        known = pc.and_(pc.greater_equal(numbers, -(-FIRST_US // long)), pc.less_equal(numbers, LAST_US // long))
        column = pc.if_else(known, column, pa.scalar(None, kind))
    return pc.cast(column, options=pc.CastOptions(TIMESTAMP, allow_time_truncate=True))


def class_names(column: pa.ChunkedArray[Any], classes: tuple[str, ...]) -> pa.ChunkedArray[Any]:
    """Labels as class names: those that are one, and whole numbers as places among the classes; null for others.

    >>> class_names(pa.chunked_array([[1, 0, None]]), ("on_time", "late")).to_pylist()
    ['late', 'on_time', None]
    """
    texts = as_texts(column)
    names = pa.array(classes, pa.string())
    places = pc.coalesce(
        pc.index_in(texts, names), pc.index_in(texts, pa.array([str(place) for place in range(len(classes))]))
    )
    return pc.take(names, places)


def as_texts(column: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
    """Labels as text; 1.0, 1 and true are all "1"."""
    kind = column.type
    if pa.types.is_boolean(kind):
        return column.cast(pa.int8()).cast(pa.string())
    if pa.types.is_floating(kind):
        empty = pc.is_nan(pc.fill_null(column, float("nan")))
        column = pc.if_else(empty, pa.scalar(None, kind), column)
        if pc.all(pc.equal(pc.floor(column), column)).as_py() is not False:
            return column.cast(pa.int64()).cast(pa.string())
    return column.cast(pa.string())


def sample(table: pa.Table | None, inputs: tuple[ModelInput, ...], rng: np.random.Generator) -> dict[str, Array]:
    """Up to 256 rows spread over the reference, then one with everything missing and one with unseen categories.

    Fewer where rows are so large that 256 took more than 32 MB; of lists of any length those with the commonest.
    Without a reference the numbers are standard normal (whole numbers 0) and the categories missing. Missing whole
    numbers are 0 as well.
    """
    most = max(2, min(SAMPLED, MOST_BYTES // max(row_bytes(inputs), 1)))
    if table is None:
        return {one.name: _made_up(one, most, rng) for one in inputs}
    alike = next(equal_sizes(table, inputs))
    places = alike[np.unique(np.linspace(0, len(alike) - 1, most).astype(np.int64))]
    taken = table.take(pa.array(places))
    return {one.name: _with_edges(one, array_of(taken[one.name], one)) for one in inputs}


def row_bytes(inputs: tuple[ModelInput, ...]) -> int:
    """About what one row takes in memory: texts counted as 8 bytes, open dimensions as 32."""
    return sum(8 * prod(MADE_UP_SIZE if size == -1 else size for size in one.shape) for one in inputs)


def _with_edges(one: ModelInput, column: Array) -> Array:
    if one.shape:
        return np.concatenate([column, column[:1], column[:1]])
    if one.kind == "category":
        return np.concatenate([column, np.array([MISSING_CATEGORY.encode(), UNSEEN_CATEGORY], object)])
    missing = np.nan if one.is_float else 0
    return np.concatenate([column, np.array([missing, column[0]]).astype(column.dtype)])


def _made_up(one: ModelInput, rows: int, rng: np.random.Generator) -> Array:
    shape = (rows, *(MADE_UP_SIZE if size == -1 else size for size in one.shape))
    if one.kind == "category":
        return np.full(shape, MISSING_CATEGORY.encode(), object)
    return rng.standard_normal(shape) if one.is_float else np.zeros(shape)


def answers_to(table: pa.Table, model: KerasModel, output: str) -> Array:
    """One output of the Keras model for every row, [n, width], in batches of rows of one size."""
    from serving.export.keras_model import tensors_of  # noqa: PLC0415 - TensorFlow's side, which the model has loaded

    found = np.zeros((table.num_rows, model.width(output) or 0))
    for alike in equal_sizes(table, model.inputs):
        for first in range(0, len(alike), BATCH):
            places = alike[first : first + BATCH]
            rows = table.take(pa.array(places))
            arrays = {one.name: array_of(rows[one.name], one) for one in model.inputs}
            found[places] = model.ask(tensors_of(model.inputs, arrays))[output].numpy()
    return found


def _whole(table: pa.Table, name: str, *, alone: bool) -> pa.ChunkedArray[Any] | None:
    """The column for a tensor: of its name, or the only one that is nothing else."""
    if name in table.column_names:
        return table[name]
    others = [column for column in table.column_names if column not in ROW_COLUMNS]
    return table[others[0]] if alone and len(others) == 1 else None


def _apart(column: pa.ChunkedArray[Any], names: list[str]) -> dict[str, pa.ChunkedArray[Any]]:
    """A list column as one column for each place; none if its rows are not of that length."""
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
    for one in model.inputs:
        column = model.plan.columns[one.name]
        if one.name not in table.column_names:
            takes = f", and input {one.name} takes {list(one.shape)} a row" if one.shape else ""
            yield f"no column {column}{takes}"
        elif problem := problem_of(table[one.name], one):
            yield f"column {column} {problem}"


def _row_problems(table: pa.Table, types: Mapping[str, pa.DataType], classes: tuple[str, ...]) -> Iterator[str]:
    if LABEL in types and _is_label(types[LABEL]) and classes:
        known = class_names(table[LABEL], classes)
        unknown = pc.unique(table[LABEL].filter(pc.is_null(known)).drop_null()).to_pylist()
        if unknown:
            listed = ", ".join(sorted(map(str, unknown))[:5])
            yield f"labels {listed} are not among the classes {', '.join(classes)}"
    if PROBABILITIES in types and _is_list_of_floats(types[PROBABILITIES]):
        lengths = pc.unique(pc.fill_null(pc.list_value_length(table[PROBABILITIES]), 0)).to_pylist()
        if table.num_rows and lengths != [len(classes)]:
            yield f"probabilities of length {', '.join(map(str, lengths[:5]))} for {len(classes)} classes"


def _plain(column: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
    """As a baseline keeps it: text without a dictionary, a list of one value as that value."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return column.cast(pa.string())
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return pc.list_element(column, 0)
    return column


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def is_words(kind: pa.DataType) -> bool:
    """Whether labels of this type are words, and not places among the classes."""
    return _is_text(kind) or bool(pa.types.is_dictionary(kind))


def _is_label(kind: pa.DataType) -> bool:
    return bool(is_words(kind) or pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _is_timestamp(kind: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))


def _is_list_of_floats(kind: pa.DataType) -> bool:
    lists = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    return bool(lists and pa.types.is_floating(kind.value_type))


@dataclass(frozen=True, slots=True)
class RowColumn:
    """The types that a column may have, in code and in words, and how to come by one."""

    fits: Callable[[pa.DataType], bool]
    wanted: str
    fix: str


_TIMESTAMP: Final = RowColumn(
    _is_timestamp,
    "a timestamp or a date",
    "Convert the column first, for example with pandas.to_datetime(column, utc=True), or leave it away.",
)
#: What a table may say of each row beside the model's inputs.
ROW_COLUMNS: Final = {
    "prediction_id": RowColumn(_is_text, "text", "Convert the ids to text, or leave them away."),
    "event_time": _TIMESTAMP,
    PROBABILITIES: RowColumn(
        _is_list_of_floats, "lists of floats, one for each class", "Put them into lists, or leave them away."
    ),
    LABEL: RowColumn(_is_label, "text or numbers", "Name the column of the truth by --label."),
    "label_time": _TIMESTAMP,
}
