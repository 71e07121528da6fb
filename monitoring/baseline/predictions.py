"""Predictions as arrays, from a reference table or from traffic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.spec import BaselineSpec
from monitoring.errors import BadInput
from monitoring.tasks.label_codes import only_where
from monitoring.tasks.task import NO_LABEL, Task
from monitoring.traffic.cells import as_doubles, as_strings, is_number


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """n answered predictions.

    `ids` pa.Array of string [n]; `event_times`, `label_times` int64 [n] in microseconds UTC (label_times is
    meaningless where there is no label); `features` one column per declared input, numbers as float64 with NaN for
    missing, categories as string with null for missing, then, where there is an embedding, the tensors as lists or
    the embedding's numbers; `probabilities` float64 [n, classes], or predicted numbers [n, 1]; `labels` int64 [n],
    codes of the task (the index of a class), or [n, parts] where a label has several; `NO_LABEL` for none;
    `problems` columns that were absent or of another type, by name.
    """

    ids: pa.Array
    event_times: NDArray[np.int64]
    features: pa.Table
    probabilities: NDArray[np.float64]
    labels: NDArray[np.int64]
    label_times: NDArray[np.int64]
    problems: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return int(self.event_times.size)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Predictions:
        """The rows at indices or where a mask is true; all rows in their order are returned without a copy."""
        places = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        if places.size == len(self) and np.array_equal(places, np.arange(places.size)):
            return self
        return Predictions(
            ids=self.ids.take(pa.array(places)),
            event_times=self.event_times[places],
            features=self.features.take(pa.array(places)),
            probabilities=self.probabilities[places],
            labels=self.labels[places],
            label_times=self.label_times[places],
            problems=self.problems,
        )

    def labelled(self, labels: NDArray[np.int64], label_times: NDArray[np.int64]) -> Predictions:
        """The same predictions with other labels."""
        return Predictions(
            ids=self.ids,
            event_times=self.event_times,
            features=self.features,
            probabilities=self.probabilities,
            labels=labels,
            label_times=label_times,
            problems=self.problems,
        )


def predictions_from(table: pa.Table, spec: BaselineSpec, *, probabilities: str = "probabilities") -> Predictions:
    """Read predictions from a table.

    An input that is absent or has another type becomes a column of missing values and an entry of `problems`, so that
    one broken column does not stop the watches on the others.

    Args:
        table: Columns `prediction_id`, `event_time`, the inputs and the probabilities (list of floats, in the order of
            the classes), or numbers, where a number is predicted; `label` and `label_time` if it has them.
    """
    rows = table.num_rows
    scores = _probabilities(table, spec, probabilities)
    columns, problems = _inputs(table, spec, [feature.name for feature in spec.features])
    if spec.embedding is not None:
        there = dict(zip(table.column_names, table.columns, strict=True))
        columns |= {name: there[name].combine_chunks() for name in spec.embedding.tensors if name in there}
        columns |= _inputs(table, spec, [name for name in spec.embedding.columns if name in there])[0]
    labels, label_times = np.full(rows, NO_LABEL, dtype=np.int64), np.zeros(rows, dtype=np.int64)
    if "label" in table.column_names:
        labels = spec.task.label_codes(table["label"])
        label_times = microseconds(table["label_time"])
        labels = only_where(np.asarray(table["label_time"].is_valid()), labels)
    return Predictions(
        ids=table["prediction_id"].combine_chunks().cast(pa.string()),
        event_times=microseconds(table["event_time"]),
        features=pa.table(columns),
        probabilities=scores,
        labels=labels,
        label_times=label_times,
        problems=problems,
    )


def with_usable_answers(rows: Predictions, task: Task) -> Predictions:
    """The predictions with NaN for what is no answer of a model with classes, as in the rows of a table.

    Returns:
        The same predictions, if each has probabilities from 0 to 1 that are 1 in sum where a row has one class.
    """
    if not task.classes:
        return rows
    usable = task.usable(rows.probabilities)
    if usable.all():
        return rows
    return replace(rows, probabilities=np.where(usable[:, None], rows.probabilities, np.nan))


def inputs_from(table: pa.Table, spec: BaselineSpec, names: Sequence[str]) -> pa.Table:
    """Some inputs, or numbers of the embedding, as in `Predictions.features`; absent ones are missing values."""
    return pa.table(_inputs(table, spec, names)[0])


def no_predictions(spec: BaselineSpec) -> Predictions:
    """No rows, with the columns of a baseline."""
    columns = {f.name: pa.array([], pa.float64() if f.kind == "number" else pa.string()) for f in spec.features}
    none = np.zeros(0, dtype=np.int64)
    return Predictions(
        ids=pa.nulls(0, pa.string()),
        event_times=none,
        features=pa.table(columns),
        probabilities=np.zeros((0, spec.task.width)),
        labels=none,
        label_times=none,
    )


def microseconds(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """A timestamp column as int64 microseconds UTC, 0 for null; fractions of one are cut off."""
    whole = column.cast(pa.timestamp("us", tz="UTC"), safe=False).cast(pa.int64())
    return np.asarray(pc.fill_null(whole, 0), dtype=np.int64)


def _probabilities(table: pa.Table, spec: BaselineSpec, name: str) -> NDArray[np.float64]:
    if name not in table.column_names:
        raise BadInput(
            "The predictions have no probabilities.",
            got=f"columns {', '.join(table.column_names[:20])}",
            expected=f"a column {name!r} with one probability per class",
            fix="Name the column of the model's probabilities.",
        )
    column = table[name].combine_chunks()
    values = column if pa.types.is_primitive(column.type) else column.flatten()  # a log has one number a row plainly
    flat = np.asarray(values, dtype=np.float64)
    width = spec.task.width
    if flat.size != table.num_rows * width:
        raise BadInput(
            "The probabilities do not fit the classes.",
            got=f"{flat.size} values in {table.num_rows} rows",
            expected=f"{width} per row" + (f" ({', '.join(spec.classes)})" if spec.classes else ""),
            fix="Check that the traffic is of the model that the baseline describes.",
        )
    return flat.reshape(table.num_rows, width)


def _inputs(
    table: pa.Table, spec: BaselineSpec, names: Sequence[str]
) -> tuple[dict[str, pa.Array], tuple[tuple[str, str], ...]]:
    """Columns in their final type, and problems by column name."""
    there = dict(zip(table.column_names, table.columns, strict=True))  # finding one by name walks over all of them
    words = {feature.name for feature in spec.features if feature.kind == "category"}
    there |= {
        feature.name: codes_as_text(there[feature.name])
        for feature in spec.features
        if feature.is_code and feature.name in there
    }
    inputs = {name: _feature(there.get(name), table.num_rows, number=name not in words) for name in names}
    problems = tuple((name, problem) for name, (_, problem) in inputs.items() if problem)
    return {name: column for name, (column, _) in inputs.items()}, problems


def _feature(chunks: pa.ChunkedArray | None, rows: int, *, number: bool) -> tuple[pa.Array, str]:
    """The column as float64 or string, and its problem, empty if there is none."""

    def missing() -> pa.Array:
        return pa.array(np.full(rows, np.nan)) if number else pa.nulls(rows, pa.string())

    if chunks is None:
        return missing(), "absent"
    column = chunks.combine_chunks()
    kind = column.type
    if number:
        if not is_number(kind):
            return missing(), f"type changed to {kind}"
        values = as_doubles(column)
        return (pc.fill_null(values, float("nan")) if values.null_count else values), ""
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return as_text(column), ""
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return missing(), f"type changed to {kind}"
    return column.cast(pa.string()), ""


def codes_as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Numbers as text, whole ones without a point; anything else as it is.

    >>> codes_as_text(pa.chunked_array([[7.0, 0.5, None]])).to_pylist()
    ['7', '0.5', None]

    Args:
        column: Codes, [n].

    Returns:
        Text [n], null where a code is missing.
    """
    kind = column.type
    if not is_number(kind):
        return column
    whole = column.combine_chunks()
    return pa.chunked_array([as_strings(whole.cast(pa.int8()) if pa.types.is_boolean(kind) else whole)])


def as_text(column: pa.Array) -> pa.Array:
    """Text, or bytes as text; bytes that are not UTF-8 are replaced."""
    try:
        return column.cast(pa.string())
    except pa.ArrowInvalid:
        words = [None if word is None else word.decode("utf-8", "replace") for word in column.to_pylist()]
        return pa.array(words, pa.string())
