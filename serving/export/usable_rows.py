"""Which rows of a reference a baseline can use: with a time, probabilities for an answer, and an id of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from monitoring.errors import BadInput
from monitoring.traffic.tables.answers import are_probabilities
from monitoring.traffic.tables.repeats import first_of_each
from serving.export.input_arrays import array_of, equal_sizes
from serving.export.probabilities import PROBABILITIES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from serving.export.keras_model import KerasModel

    Mask = NDArray[np.bool_]

#: Inputs that are named where answers are not usable, at most.
NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UsableRows:
    """Rows that can be used, [n], and what is said of the others."""

    rows: Mask
    remarks: tuple[str, ...]


def usable_rows(table: pa.Table, reference: pa.Table, model: KerasModel) -> UsableRows:
    """Look through a reference, and the ``table`` that `serving.export.reference_table.complete` made of it.

    Raises:
        BadInput: no row has a time, or most have no answer that can be used, or the id of another.
    """
    timed = np.asarray(table["event_time"].is_valid(), dtype=np.bool_)
    if not timed.any():
        raise BadInput(
            "No row of the reference has an event time.",
            got=f"{table.num_rows:,} rows whose event_time is missing, or no day of a calendar",
            expected="timestamps or dates",
            fix="Fill the column event_time, or leave it away: all rows count as of one moment then.",
        )
    flat = np.asarray(table[PROBABILITIES].combine_chunks().flatten(), dtype=np.float64)
    values = flat.reshape(table.num_rows, -1)
    wrong = timed & ~are_probabilities(values)
    said = []
    if not timed.all():
        said.append(f"Rows without a usable event_time were left out: {_share(~timed, timed.size)}.")
    if wrong.any():
        given, rows = PROBABILITIES in reference.column_names, int(timed.sum())
        why = "" if given else _not_finite(reference.filter(pa.array(wrong)), model)
        if 2 * int(wrong.sum()) > rows:
            raise _most(values[timed], _share(wrong, rows), given=given, why=why)
        said.append(f"Rows without a usable answer were left out: {_share(wrong, rows)}{why and f' ({why})'}.")
    usable = timed & ~wrong
    repeated = _repeated(table, usable)
    if 2 * int(repeated.sum()) > int(usable.sum()):
        raise BadInput(
            "Most rows of the reference have the id of another row.",
            got=f"{_share(repeated, int(usable.sum()))} rows whose prediction_id another row has that counts",
            expected="ids of rows: of those that share one, one alone counts",
            fix="Leave the column prediction_id away, or drop rows that are copies.",
        )
    if repeated.any():
        shared = _share(repeated, int(usable.sum()))
        said.append(f"Rows with the prediction_id of another were left out: {shared}.")
    return UsableRows(rows=usable & ~repeated, remarks=tuple(said))


def _repeated(table: pa.Table, rows: Mask) -> Mask:
    """Which of the `rows` have the id of another of them that counts: see `first_of_each`, [n]."""
    places = np.flatnonzero(rows)
    times = table["event_time"].cast(pa.int64()).to_numpy()[places]
    order = np.argsort(times, kind="stable")
    places, times = places[order], times[order]
    ids = table["prediction_id"].take(pa.array(places)).combine_chunks()
    found = rows.copy()
    found[places[first_of_each(ids, times)]] = False
    return found


def _share(some: Mask, rows: int) -> str:
    return f"{int(some.sum()):,} of {rows:,}"


def _not_finite(rows: pa.Table, model: KerasModel) -> str:
    """In how many of these rows which inputs are missing or infinite, as the model is given them."""
    counts = {}
    for one in model.inputs:
        if one.dtype == "string" or not one.is_float:
            continue
        found = 0
        for places in equal_sizes(rows, (one,)):
            values = array_of(rows[one.name].take(pa.array(places)), one).astype(np.float64)
            found += int((~np.isfinite(values.reshape(len(places), -1)).all(axis=1)).sum())
        counts[model.plan.columns[one.name]] = found
    listed = [f"{name} in {count:,}" for name, count in counts.items() if count][:NAMED]
    return f"missing or infinite: {', '.join(listed)}" if listed else ""


def _most(values: NDArray[Any], share: str, *, given: bool, why: str) -> BadInput:
    wanted = "a probability for each class: from 0 to 1, and 1 in sum"
    if not given:
        return BadInput(
            "The model has no usable answer to most rows of the reference.",
            got=f"{share} rows answered by no probabilities" + (f"; {why}" if why else ""),
            expected=wanted,
            fix="Mend the inputs of those rows, or leave them out; an output called probabilities has to give those.",
        )
    finite = values[np.isfinite(values)]
    extent = f" from {finite.min():.4g} to {finite.max():.4g}" if finite.size else ""
    return BadInput(
        "Most probabilities of the reference are none.",
        got=f"column {PROBABILITIES}{extent}; {share} rows do not fit",
        expected=wanted,
        fix="Divide per cent by 100, apply the softmax to logits, or leave the column away: the model is asked then.",
    )
