"""A table: periods are half open, targets follow the classes, and the digest sees every value and no chunk."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import BadInput
from pitfalls_tf.rows.table import Feature, Table

START = datetime(2013, 1, 1, tzinfo=UTC)
COUNT = 6


def table() -> Table:
    hours = [START + timedelta(hours=hour) for hour in range(COUNT)]
    labels = ["no", "yes", None, "yes", "no", "maybe"]
    rows = {
        "row_id": pa.array(range(COUNT)),
        "event_time": pa.array(hours, pa.timestamp("us", tz="UTC")),
        "temp": pa.array([1.0, 2.0, float("nan"), 4.0, 5.0, 6.0], pa.float32()),
        "site": pa.array(["a", "b", "", "b", "a", "a"]),
        "label": pa.array(labels),
        "label_time": pa.array(hours, pa.timestamp("us", tz="UTC")),
    }
    return Table(
        source="made up",
        rows=pa.table(rows),
        days=pa.array([START.date()] * COUNT),
        domains=pa.array(["x", "y"] * 3),
        features=(Feature(name="temp", kind="number", meaning="°C"), Feature(name="site", kind="category", meaning="")),
        classes=("no", "yes"),
    )


@given(first=st.integers(-1, 7), last=st.integers(-1, 7))
def test_a_period_has_its_start_and_not_its_end(first: int, last: int) -> None:
    found = table().between(START + timedelta(hours=first), START + timedelta(hours=last))
    assert found.rows["row_id"].to_pylist() == [hour for hour in range(COUNT) if first <= hour < last]
    assert len(found.days) == len(found.domains) == len(found)


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(BadInput, match="without a time zone"):
        table().between(START.replace(tzinfo=None), START)


def test_targets_are_positions_in_the_classes() -> None:
    assert table().targets().tolist() == [0, 1, -1, 1, 0, -1]
    assert table().labelled().rows["row_id"].to_pylist() == [0, 1, 3, 4, 5]


@given(order=st.permutations(range(COUNT)))
def test_rows_are_taken_with_all_that_belongs_to_them(order: list[int]) -> None:
    taken = table().take(np.array(order))
    assert taken.rows["row_id"].to_pylist() == order
    assert taken.domains.to_pylist() == [("x", "y")[row % 2] for row in order]
    assert (taken.digest() == table().digest()) == (order == list(range(COUNT)))


def test_the_digest_sees_every_value_and_no_chunk() -> None:
    one = table()
    chunked = replace(one, rows=pa.concat_tables([one.rows.slice(0, 2), one.rows.slice(2)]))
    assert chunked.rows["temp"].num_chunks == 2
    assert chunked.digest() == one.digest()
    for name, value in (
        ("temp", pa.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], pa.float32())),
        ("site", pa.array(["a", "b", None, "b", "a", "a"])),
        ("label", pa.array(["no", "yes", "", "yes", "no", "maybe"])),
    ):
        changed = one.rows.set_column(one.rows.column_names.index(name), name, value)
        assert replace(one, rows=changed).digest() != one.digest(), name
    renamed = one.rows.rename_columns(["row", *one.rows.column_names[1:]])
    assert replace(one, rows=renamed).digest() != one.digest()
