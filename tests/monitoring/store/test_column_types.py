from __future__ import annotations

import math
import struct
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from monitoring.store.column_types import UtcTime, float_of, float_text

floats = st.floats(allow_nan=False)


moments = st.datetimes(
    datetime(1900, 1, 1),  # noqa: DTZ001 (bounds are bare)
    datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
).map(lambda moment: moment.replace(fold=0))  # UTC has no hour twice


def bits(value: float) -> bytes:
    return struct.pack("<d", value)


@given(floats)
def test_every_float_has_one_text(value: float) -> None:
    assert bits(float_of(float_text(value))) == bits(value)


@pytest.mark.parametrize("value", [math.inf, -math.inf, -0.0, 5e-324, 1.7976931348623157e308, 2.2250738585072011e-308])
def test_the_edges_of_floating_point_have_texts(value: float) -> None:
    assert bits(float_of(float_text(value))) == bits(value)


@given(moments, st.integers(-14, 14))
def test_a_moment_is_the_same_in_every_zone(moment: datetime, hours: int) -> None:
    local = moment.astimezone(timezone(timedelta(hours=hours)))
    bound = UtcTime().process_bind_param(local, sqlite.dialect())
    assert bound is not None
    assert UtcTime().process_result_value(bound.replace(tzinfo=None), sqlite.dialect()) == moment
