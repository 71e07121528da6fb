"""Dates, times of day and durations as numbers that stay as they are while time goes on."""

from __future__ import annotations

import json
from datetime import date, time, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from monitoring.traffic.descriptors.moment import MomentDescriptors, holds_moments

DAY = 86_400_000_000
#: The 11th of January 1970.
ROW = 10 * DAY


def described(cells: pa.Array) -> list[float]:
    found = MomentDescriptors.of_type("x", cells.type)
    assert found is not None
    read = MomentDescriptors.of(json.loads(json.dumps(found.document())))
    assert read == found
    assert read.reads(cells.type)
    (column,) = read.describe(cells, np.full(len(cells), ROW)).values()
    assert list(read.kinds) == [f"x.{read.unit}"]
    return [float(value) for value in column.to_pylist()]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (pa.array([date(1970, 1, 1)]), 10.0),
        (pa.array([8 * DAY + DAY // 2], pa.timestamp("us")), 1.5),
        (pa.array([8 * DAY + DAY // 2], pa.timestamp("us")).cast(pa.timestamp("ns", "Europe/Paris")), 1.5),
        (pa.array([11 * DAY], pa.timestamp("us")).cast(pa.timestamp("s")), -1.0),
        (pa.array(["1970-01-01"]), 10.0),
        (pa.array([b" 1970-01-09T12:00Z"]), 1.5),
        (pa.array(["1970-01-09 12:00:00.5"]), 1.5 - 0.5 / 86_400),
        (pa.array(["1970-01-09 12:00:00.500000999+00:00"]), 1.5 - 0.5 / 86_400),
        (pa.array([time(6, 30)]), 6.5),
        (pa.array([timedelta(minutes=2)]), 120.0),
        (pa.array([3], pa.duration("ns")), 0.0),
    ],
)
def test_what_is_counted(cells: pa.Array, expected: float) -> None:
    assert described(cells) == pytest.approx([expected])


def test_what_is_no_moment_is_missing() -> None:
    found = described(pa.array(["1970-01-10", "soon", None, "", "1970-02-31"]))
    assert found[0] == 1.0
    assert np.isnan(found[1:]).all()


@pytest.mark.parametrize("kind", [pa.int64(), pa.list_(pa.date32()), pa.bool_()])
def test_a_type_without_moments_has_no_descriptors(kind: pa.DataType) -> None:
    assert MomentDescriptors.of_type("x", kind) is None


def test_a_column_that_becomes_another_kind_of_moment_is_not_read() -> None:
    found = MomentDescriptors(source="x", unit="hour")
    assert not found.reads(pa.date32())
    assert found.reads(pa.null())
    assert np.isnan(found.describe(pa.nulls(2), np.zeros(2, np.int64))["x.hour"].to_numpy()).all()


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["2024-01-05", None], True),
        (["2024-01-05T10:00", " "], True),
        (["20240105"], False),
        (["2024-01-05 soon"], False),
        ([None], False),
        ([], False),
    ],
)
def test_texts_are_moments_if_all_of_them_are(texts: list[Any], expected: bool) -> None:
    assert holds_moments(pa.array(texts, pa.string())) is expected
