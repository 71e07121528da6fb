"""Faults of rows: gone, lost, repeated, harder, in another time zone; and scores in another unit."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.predictions import codes_as_text
from monitoring.drills.faults.answer_faults import answers_of, has_numbers, with_answers
from monitoring.drills.faults.fault import Fault, FaultScope, with_column
from monitoring.drills.faults.input_faults import UNIT
from monitoring.drills.faults.label_faults import has_labels

#: A source that is gone had at least and at most these shares of the rows.
LEAST, MOST = 0.1, 0.6

#: By how much the expected error rate of harder traffic is larger, and how steeply rows may be chosen by theirs.
HARDER = 0.15
STEEPEST = 200.0

#: The share of rows that a log loses, how often each is sent in a retry storm, and the difference between two zones.
LOST = 0.6
RETRIES = 5
ZONE = timedelta(hours=-5)


def sources(scope: FaultScope) -> tuple[str, ...]:
    """The values with a considerable share of the rows, of the columns that are watched as slices, or of categories.

    Returns:
        `column=value` for each.
    """
    there = [name for name in scope.slices if name in scope.sample.column_names]
    words = [feature.name for feature in scope.spec.features if feature.kind == "category" and not feature.source]
    slices = []
    for name in there or [name for name in words if name in scope.sample.column_names]:
        counts = pc.value_counts(_text(scope.sample, name).drop_null())
        for value, count in zip(counts.field("values").to_pylist(), counts.field("counts").to_pylist(), strict=True):
            if LEAST <= count / scope.sample.num_rows <= MOST:
                slices.append(f"{name}={value}")
    return tuple(sorted(slices))


def _text(rows: pa.Table, name: str) -> pa.Array:
    return codes_as_text(rows[name]).combine_chunks().cast(pa.string())


def _without_source(rows: pa.Table, target: str, _scope: FaultScope, _rng: np.random.Generator) -> pa.Table:
    name, _, value = target.partition("=")
    return rows.filter(pc.fill_null(pc.not_equal(_text(rows, name), value), fill_value=True))


def _none(rows: pa.Table, _target: str, _scope: FaultScope, _rng: np.random.Generator) -> pa.Table:
    return rows.slice(0, 0)


def _scaled(rows: pa.Table, _target: str, scope: FaultScope, _rng: np.random.Generator) -> pa.Table:
    return with_answers(rows, UNIT * answers_of(rows, scope.spec))


def _harder(rows: pa.Table, _target: str, scope: FaultScope, rng: np.random.Generator) -> pa.Table:
    """Rows drawn with replacement, those that the model is unsure of more often: its expected error rises."""
    errors = 1.0 - np.nan_to_num(answers_of(rows, scope.spec)).max(axis=1, initial=0.0)
    if not errors.size:
        return rows
    weights = _weights(errors, float(errors.mean()) + HARDER)
    drawn = np.sort(rng.choice(errors.size, errors.size, p=weights))
    sample = rows.take(pa.array(drawn))
    ids = [f"{prediction_id}~{place}" for place, prediction_id in enumerate(sample["prediction_id"].to_pylist())]
    return with_column(sample, "prediction_id", pa.array(ids, pa.string()))


def _weights(errors: NDArray[np.float64], wanted: float) -> NDArray[np.float64]:
    """Chances, exponential in the expected error, under which its mean is as wanted, or nearly the largest there is."""

    def chances(steepness: float) -> NDArray[np.float64]:
        weights = np.exp(steepness * (errors - errors.max()))
        return np.asarray(weights / weights.sum(), dtype=np.float64)

    low, high = 0.0, STEEPEST
    for _ in range(40):
        middle = (low + high) / 2.0
        low, high = (middle, high) if float(chances(middle) @ errors) < wanted else (low, middle)
    return chances(low)


def _lost(rows: pa.Table, _target: str, _scope: FaultScope, rng: np.random.Generator) -> pa.Table:
    gone = pa.array(rng.random(rows.num_rows) < LOST)
    times = pc.if_else(gone, pa.scalar(None, rows["event_time"].type), rows["event_time"].combine_chunks())
    return with_column(rows, "event_time", times)


def _retried(rows: pa.Table, _target: str, _scope: FaultScope, _rng: np.random.Generator) -> pa.Table:
    return pa.concat_tables([rows] * RETRIES)


def _in_another_zone(rows: pa.Table, _target: str, _scope: FaultScope, _rng: np.random.Generator) -> pa.Table:
    moved = pc.add(rows["event_time"], pa.scalar(ZONE, pa.duration("us"))).cast(rows["event_time"].type)
    return with_column(rows, "event_time", moved.combine_chunks())


def _may_get_harder(scope: FaultScope) -> tuple[str, ...]:
    spec = scope.spec
    return has_labels(scope) if spec.has_probabilities and spec.task.exclusive else ()


ROW_FAULTS = (
    Fault(
        name="source-gone",
        title="a source is gone",
        what="takes away the rows of one slice, or of one frequent category",
        touches="rows",
        level="notice",
        needs="a slice or a category with 10 to 60 % of the rows",
        targets=sources,
        plant=_without_source,
    ),
    Fault(
        name="silence",
        title="traffic stops",
        what="takes away all rows",
        touches="rows",
        level="page",
        needs="windows of time: of so many rows, none is due without them",
        targets=lambda scope: () if scope.span is None else ("",),
        plant=_none,
    ),
    Fault(
        name="scores",
        title="scores times 100",
        what="multiplies the numbers that the model answers by 100",
        touches="answers",
        level="page",
        needs="a model that answers numbers, not classes or ids alone",
        targets=lambda scope: ("",) if has_numbers(scope.spec) else (),
        plant=_scaled,
    ),
    Fault(
        name="harder",
        title="harder traffic",
        what="draws more of the rows that the model is unsure of, until it expects an error rate 15 points larger",
        touches="rows",
        level="page",
        needs="labels, and a model that answers the probability of each of several classes",
        targets=_may_get_harder,
        plant=_harder,
        rise=HARDER,
    ),
    Fault(
        name="log-loss",
        title="log loses rows",
        what="loses 60 % of the rows, of which labels come all the same",
        touches="rows",
        level="page",
        needs="labels",
        targets=has_labels,
        plant=_lost,
    ),
    Fault(
        name="retries",
        title="retry storm",
        what="sends every row five times with the same id",
        touches="rows",
        level="page",
        needs="rows",
        targets=lambda scope: ("",) if scope.sample.num_rows else (),
        plant=_retried,
    ),
    Fault(
        name="time-zone",
        title="time zone shifted",
        what="writes event times five hours too early, as local time for UTC",
        touches="rows",
        level="notice",
        needs="windows that are shorter than a day: within a day it changes nothing",
        targets=lambda scope: ("",) if scope.length is not None and scope.length < timedelta(days=1) else (),
        plant=_in_another_zone,
    ),
)
