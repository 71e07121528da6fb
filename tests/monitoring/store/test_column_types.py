from __future__ import annotations

import json
import math
import struct
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, create_engine, insert, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import StatementError

from monitoring.store.column_types import ExactFloat, UtcTime, number_json

floats = st.floats(allow_nan=False)


moments = st.datetimes(
    datetime(1900, 1, 1),  # noqa: DTZ001 (bounds are bare)
    datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
).map(lambda moment: moment.replace(fold=0))  # UTC has no hour twice


def bits(value: float) -> bytes:
    return struct.pack("<d", value)


EDGES = [math.inf, -math.inf, 5e-324, -5e-324, 1.7976931348623157e308, 2.2250738585072011e-308, 2.0**53, 0.1 + 0.2]


def in_sqlite(values: list[float]) -> list[float | None]:
    """What comes back of values that were stored."""
    table = Table("t", MetaData(), Column("id", Integer, primary_key=True), Column("value", ExactFloat))
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        table.create(connection)
        connection.execute(insert(table), [{"value": value} for value in values])
        found = list(connection.execute(select(table.c.value).order_by(table.c.id)).scalars())
    engine.dispose()
    return found


@given(st.lists(floats, min_size=1))
def test_every_float_comes_back_to_the_last_bit_from_sqlite_and_from_json(values: list[float]) -> None:
    expected = [bits(value + 0.0) for value in values]
    assert [bits(found) for found in in_sqlite(values) if found is not None] == expected
    documents = json.loads(json.dumps([number_json(value) for value in values], allow_nan=False))
    assert [bits(float(found)) for found in documents] == expected


def test_the_edges_of_floating_point_come_back_and_a_negative_zero_is_zero() -> None:
    assert [bits(found) for found in in_sqlite(EDGES) if found is not None] == [bits(value) for value in EDGES]
    assert [bits(found) for found in in_sqlite([-0.0]) if found is not None] == [bits(0.0)]
    assert number_json(None) is None


def test_a_nan_is_refused_as_sqlite_would_keep_nothing_of_it() -> None:
    with pytest.raises(StatementError, match="NaN is not stored"):
        in_sqlite([math.nan])
    with pytest.raises(ValueError, match="NaN is not stored"):
        number_json(math.nan)


@given(moments, st.integers(-14, 14))
def test_a_moment_is_the_same_in_every_zone(moment: datetime, hours: int) -> None:
    local = moment.astimezone(timezone(timedelta(hours=hours)))
    bound = UtcTime().process_bind_param(local, sqlite.dialect())
    assert bound is not None
    assert UtcTime().process_result_value(bound.replace(tzinfo=None), sqlite.dialect()) == moment
