"""What an expression can be held against does not depend on one row's value."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import numpy as np
import pyarrow as pa
import pytest

from monitoring.errors import BadInput
from monitoring.judging.rules.expression import Expression

#: Of each type: a usual value, then those at which kernels of Arrow refuse a whole column.
COLUMNS: Final = {
    "int64": pa.array([1, 0, 2**60 + 1, -(2**63), None], pa.int64()),
    "uint64": pa.array([1, 0, 2**64 - 1, 2**63, None], pa.uint64()),
    "int8": pa.array([1, 0, -128, 127, None], pa.int8()),
    "float64": pa.array([1.0, 0.0, np.nan, np.inf, None], pa.float64()),
    "float32": pa.array([1.0, 0.0, np.nan, -np.inf, None], pa.float32()),
    "decimal": pa.array([Decimal(1), Decimal(0), Decimal(10) ** 20, Decimal(-1), None], pa.decimal256(60, 2)),
    "text": pa.array(["1", "", "x", "é", None]),
    "time": pa.array([0, 1, 2**62, -(2**63) + 1, None], pa.int64()).cast(pa.timestamp("us")),
    "second": pa.array([0, 1, 2**50, -(2**50), None], pa.int64()).cast(pa.timestamp("s")),
    "zoned": pa.array([0, 1, 2**62, -(2**62), None], pa.int64()).cast(pa.timestamp("us", "UTC")),
    "date": pa.array([0, 1, 2**31 - 1, -(2**31), None], pa.int32()).cast(pa.date32()),
    "truth": pa.array([True, False, True, False, None]),
}
ONE: Final = ("{0} < 1.5", "{0} == 3", "abs({0}) > 1", "-{0} < 2", "floor({0}) > 1", "year({0}) > 2000")
MORE: Final = ("length({0}) > 1", "lower({0}) == 'a'", "{0} in [1, 2]", "not {0}", "is_missing({0})", "{0} == 'a'")
TWO: Final = ("{0} < {1}", "{0} - {1} > 0", "{0} + {1} > 0", "{0} * {1} > 0", "{0} / {1} < 50", "1 < {0} <= {1}")


@pytest.mark.parametrize("form", [*ONE, *MORE, *TWO])
def test_what_fits_one_row_fits_all(form: str) -> None:
    fitting = 0
    for first in COLUMNS:
        for second in COLUMNS if form in TWO else ["int64"]:
            rule = Expression(form.format(first, second))
            columns = {name: pa.chunked_array([COLUMNS[name]]) for name in rule.columns}
            try:
                rule.broken({name: column.slice(0, 1) for name, column in columns.items()})
            except BadInput:
                continue
            assert len(rule.broken(columns)) == len(COLUMNS[first]), (form, first, second)
            fitting += 1
    assert fitting


def test_values_of_two_types_are_compared_as_what_they_stand_for() -> None:
    columns = {
        "count": pa.chunked_array([pa.array([2**60, 3, -1])]),
        "bound": pa.chunked_array([pa.array([2**63, 3, 0], pa.uint64())]),
        "day": pa.chunked_array([pa.array([1, 0, 2**31 - 1], pa.int32()).cast(pa.date32())]),
        "time": pa.chunked_array([pa.array([0, 0, 0], pa.int64()).cast(pa.timestamp("us"))]),
    }
    broken = {text: Expression(text).broken(columns).to_pylist() for text in ("count < bound", "day == time")}
    assert broken["count < bound"] == [False, True, False]
    assert broken["day == time"] == [True, False, False], "a day beyond what microseconds hold is missing"
