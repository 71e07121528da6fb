"""The rows of a reference that a baseline can use: those with a time, a valid answer, and an id of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.baseline.spec import BaselineSpec
from monitoring.errors import BadInput
from monitoring.traffic.tables.repeats import first_of_each
from serving.export.inputs.input_arrays import groups_of_equal_size, to_array
from serving.export.keras_model import KerasModel
from serving.export.outputs.probabilities import PROBABILITIES

Mask = NDArray[np.bool_]

#: The most inputs that are listed as the cause of invalid probabilities.
INPUTS_LISTED = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UsableRows:
    """The rows that can be used, bool [n], and remarks on the others."""

    rows: Mask
    remarks: tuple[str, ...]


def usable_rows(table: pa.Table, reference: pa.Table, model: KerasModel, spec: BaselineSpec) -> UsableRows:
    """Find the rows that a baseline can use."""
    timed = np.asarray(table["event_time"].is_valid(), dtype=np.bool_)
    if not timed.any():
        raise BadInput(
            "No row of the reference has an event time.",
            got=f"{table.num_rows:,} rows whose event_time is missing, or outside the years 1 to 9999",
            expected="timestamps or dates",
            fix="Fill the column event_time, or omit it: all rows have the same time then.",
        )
    flat = np.asarray(table[PROBABILITIES].combine_chunks().flatten(), dtype=np.float64)
    values = flat.reshape(table.num_rows, -1)
    usable = spec.task.usable(values)
    wrong = timed & ~usable
    remarks = []
    if not timed.all():
        remarks.append(f"Rows without a valid event_time were left out: {_share(~timed, timed.size)}.")
    if wrong.any():
        has_probabilities, rows = PROBABILITIES in reference.column_names, int(timed.sum())
        cause = "" if has_probabilities else _not_finite(reference.filter(pa.array(wrong)), model)
        if 2 * int(wrong.sum()) > rows:
            _refuse(
                values[timed],
                _share(wrong, rows),
                has_probabilities=has_probabilities,
                cause=cause,
                classes=bool(spec.classes),
            )
        what = "invalid probabilities" if spec.classes else "no finite answer"
        told = " Live rows like them will be told as new." if cause else ""
        remarks.append(f"Rows with {what} were left out: {_share(wrong, rows)}{cause and f' ({cause})'}.{told}")
    usable = timed & ~wrong
    repeated = _repeated(table, usable)
    if 2 * int(repeated.sum()) > int(usable.sum()):
        raise BadInput(
            "More than half of the reference's rows have the prediction_id of another row.",
            got=f"{_share(repeated, int(usable.sum()))} rows with the prediction_id of an earlier row",
            expected="one row per prediction_id",
            fix="Omit the column prediction_id, or drop rows that are copies.",
        )
    if repeated.any():
        shared = _share(repeated, int(usable.sum()))
        remarks.append(f"Rows with the prediction_id of another row were left out: {shared}.")
    return UsableRows(rows=usable & ~repeated, remarks=tuple(remarks))


def _repeated(table: pa.Table, rows: Mask) -> Mask:
    """Which of the `rows` have the id of another of them, which is used (see `first_of_each`), bool [n]."""
    places = np.flatnonzero(rows)
    times = table["event_time"].cast(pa.int64()).to_numpy()[places]
    order = np.argsort(times, kind="stable")
    places, times = places[order], times[order]
    ids = table["prediction_id"].take(pa.array(places)).combine_chunks()
    mask = rows.copy()
    mask[places[first_of_each(ids, times)]] = False
    return mask


def _share(some: Mask, rows: int) -> str:
    return f"{int(some.sum()):,} of {rows:,}"


def _not_finite(rows: pa.Table, model: KerasModel) -> str:
    """The inputs that are missing or infinite in these rows, with the number of rows of each."""
    counts = {}
    for model_input in model.inputs:
        if model_input.dtype == "string" or not model_input.is_float:
            continue
        count = 0
        for places in groups_of_equal_size(rows, (model_input,)):
            values = to_array(rows[model_input.name].take(pa.array(places)), model_input).astype(np.float64)
            count += int((~np.isfinite(values.reshape(len(places), -1)).all(axis=1)).sum())
        counts[model.plan.columns[model_input.name]] = count
    listed = [f"{name} in {count:,}" for name, count in counts.items() if count][:INPUTS_LISTED]
    return f"missing or infinite: {', '.join(listed)}" if listed else ""


def _refuse(values: NDArray[Any], share: str, *, has_probabilities: bool, cause: str, classes: bool) -> NoReturn:
    if not classes:
        raise BadInput(
            "The model's answer is not finite for more than half of the reference's rows.",
            got=f"{share} rows" + (f"; {cause}" if cause else ""),
            expected="finite numbers for each row",
            fix="Correct the inputs of those rows, or leave them out.",
        )
    wanted = "a probability for each class: from 0 to 1, and 1 in sum"
    if not has_probabilities:
        raise BadInput(
            "The model's output is not valid probabilities for more than half of the reference's rows.",
            got=f"{share} rows" + (f"; {cause}" if cause else ""),
            expected=wanted,
            fix="Correct the inputs of those rows, or leave them out; check the output called probabilities.",
        )
    finite = values[np.isfinite(values)]
    extent = f" from {finite.min():.4g} to {finite.max():.4g}" if finite.size else ""
    raise BadInput(
        "More than half of the reference's rows have invalid probabilities.",
        got=f"column {PROBABILITIES}{extent}; {share} rows are invalid",
        expected=wanted,
        fix="Divide percentages by 100, apply the softmax to logits, or omit the column: the model is run then.",
    )
