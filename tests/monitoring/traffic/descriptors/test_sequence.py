"""Lists as their length, last number, mean, and the share of steps that are missing."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.traffic.descriptors.sequence import SequenceDescriptors

NAN = float("nan")


def described(cells: pa.Array, *, numbers: bool = True) -> list[tuple[float, ...]]:
    found = SequenceDescriptors(source="x", numbers=numbers)
    assert SequenceDescriptors.of(json.loads(json.dumps(found.document()))) == found
    columns = found.describe(cells, np.zeros(len(cells), np.int64))
    assert list(columns) == list(found.kinds)
    return list(zip(*(column.to_pylist() for column in columns.values()), strict=True))


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ([1.0, 2.0, 6.0], (3.0, 6.0, 3.0, 0.0)),
        ([1.0, None, 3.0, NAN], (4.0, 3.0, 2.0, 0.5)),
        ([], (0.0, NAN, NAN, 0.0)),
        ([None], (1.0, NAN, NAN, 1.0)),
        (None, (NAN, NAN, NAN, NAN)),
    ],
)
def test_what_is_counted(cell: Any, expected: tuple[float, ...]) -> None:
    for kind in (pa.list_(pa.float64()), pa.large_list(pa.float32())):
        assert described(pa.array([[7.0], cell, [8.0]], kind))[1] == pytest.approx(expected, nan_ok=True)


def test_lists_of_anything_else_have_a_length() -> None:
    assert described(pa.array([["a", "b"], []]), numbers=False) == [(2.0,), (0.0,)]


def test_types() -> None:
    numbers, others = (SequenceDescriptors(source="x", numbers=flag) for flag in (True, False))
    assert numbers.reads(pa.list_(pa.int8()))
    assert not any(map(numbers.reads, (pa.list_(pa.string()), pa.int8())))
    assert others.reads(pa.list_(pa.string()))
    assert all(math.isnan(value) for value in described(pa.nulls(1))[0])


@given(st.lists(st.none() | st.lists(st.none() | st.floats(-9, 9), max_size=5), min_size=1, max_size=6))
def test_any_lists_are_described(cells: list[Any]) -> None:
    found = described(pa.array(cells, pa.list_(pa.float64())))
    for cell, (length, last, mean, missing) in zip(cells, found, strict=True):
        known = [value for value in cell or () if value is not None]
        if cell is None:
            assert math.isnan(length)
            continue
        assert (length, missing) == (len(cell), pytest.approx(1 - len(known) / len(cell)) if cell else 0.0)
        assert last == known[-1] if known else math.isnan(last)
        assert mean == pytest.approx(sum(known) / len(known)) if known else math.isnan(mean)
