"""What a fault is: a change of a window's rows, and what it may be planted in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

import numpy as np
import pyarrow as pa

from monitoring.baseline.spec import BaselineSpec
from monitoring.records import Level, Touched


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FaultScope:
    """What a fault may be planted in: a deployment, and a sample of its clean rows.

    Attributes:
        sample: Clean rows, [n]: columns prediction_id, event_time, the inputs, probabilities, label, label_time.
        span: How long the windows with the fault are in all; None for windows of so many rows.
        length: How long one window is; None for windows of so many rows.
        window: Which window with the fault it is that rows are of, the first is 1.
    """

    spec: BaselineSpec
    sample: pa.Table
    slices: tuple[str, ...]
    horizon: timedelta
    span: timedelta | None
    length: timedelta | None = None
    window: int = 1


#: Changes the rows of a window, [n], which have the columns of `FaultScope.sample`: rows, what it is planted in, the
#: scope, and a generator of random numbers. Rows whose event time becomes null are lost, but for their labels; a number
#: may become text, and the rows any number, in any order.
Plant: TypeAlias = Callable[[pa.Table, str, FaultScope, np.random.Generator], pa.Table]

#: What a fault can be planted in: inputs, or slices as `column=value`; an empty name for a fault of no column.
Targets: TypeAlias = Callable[[FaultScope], tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault. `rise`: by how much it raises the error rate; None where it is no matter of size."""

    name: str
    title: str
    what: str
    touches: Touched
    level: Level
    needs: str
    targets: Targets
    plant: Plant
    rise: float | None = None


def with_column(rows: pa.Table, name: str, values: pa.Array) -> pa.Table:
    """The rows with other values in one column."""
    return rows.set_column(rows.column_names.index(name), name, values)
