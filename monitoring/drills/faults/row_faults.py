"""Faults of rows and answers: a source that is gone, traffic that stops, scores in another unit."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.baseline.predictions import codes_as_text
from monitoring.baseline.spec import BaselineSpec
from monitoring.drills.faults.fault import Fault, FaultScope, with_column
from monitoring.drills.faults.input_faults import UNIT

#: A source that is gone had at least and at most these shares of the rows.
LEAST, MOST = 0.1, 0.6


def sources(scope: FaultScope) -> tuple[str, ...]:
    """The values with a considerable share of the rows, of the columns that are watched as slices, or of categories.

    Args:
        scope: The deployment.

    Returns:
        `column=value` for each.
    """
    there = [name for name in scope.slices if name in scope.sample.column_names]
    words = [one.name for one in scope.spec.features if one.kind == "category" and not one.source]
    found = []
    for name in there or [name for name in words if name in scope.sample.column_names]:
        counts = pc.value_counts(_text(scope.sample, name).drop_null())
        for value, count in zip(counts.field("values").to_pylist(), counts.field("counts").to_pylist(), strict=True):
            if LEAST <= count / scope.sample.num_rows <= MOST:
                found.append(f"{name}={value}")
    return tuple(sorted(found))


def _text(rows: pa.Table, name: str) -> pa.Array:
    return codes_as_text(rows[name]).combine_chunks().cast(pa.string())


def _without_source(rows: pa.Table, target: str, _scope: FaultScope, _rng: np.random.Generator) -> pa.Table:
    name, _, value = target.partition("=")
    return rows.filter(pc.fill_null(pc.not_equal(_text(rows, name), value), fill_value=True))


def _none(rows: pa.Table, _target: str, _scope: FaultScope, _rng: np.random.Generator) -> pa.Table:
    return rows.slice(0, 0)


def _scaled(rows: pa.Table, _target: str, _scope: FaultScope, _rng: np.random.Generator) -> pa.Table:
    column = rows["probabilities"].combine_chunks()
    if pa.types.is_primitive(column.type):  # one number a row
        return with_column(rows, "probabilities", pc.multiply(column.cast(pa.float64()), UNIT))
    scaled = pc.multiply(column.flatten().cast(pa.float64()), UNIT)
    lengths = pc.cast(pc.list_value_length(column), pa.int32())
    offsets = np.concatenate([[0], np.cumsum(np.asarray(lengths))]).astype(np.int32)
    return with_column(rows, "probabilities", pa.ListArray.from_arrays(pa.array(offsets), scaled))


def _answers_numbers(spec: BaselineSpec) -> bool:
    """Whether there are answers, and they are numbers."""
    return spec.has_probabilities and spec.ranking is None and bool(spec.task.output_watches)


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
        targets=lambda scope: ("",) if _answers_numbers(scope.spec) else (),
        plant=_scaled,
    ),
)
