"""Times, ids, labels and inputs of raw rows, whatever the types of their columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.traffic.tables.raw_rows import RawRows
from monitoring.traffic.tables.rows import (
    can_hold_names,
    can_hold_times,
    coded_labels,
    event_times,
    generated_ids,
    given_label_times,
    ids_in_table,
    invalid_label_times,
    label_time_findings,
    labels_with_times,
    read_input,
    row_ids,
)
from tests.monitoring.traffic.tables.table_files import COLUMNS, UTC_TIME, raw, times, us


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A piece whose rows are never read."""

    name: str = "a.csv"
    first_row: int = 0

    def read(self, names: object = None) -> RawRows:
        raise AssertionError(names)


def test_event_times_are_microseconds_and_absent_ones_are_invalid() -> None:
    found = event_times(raw(ts=times([1, None])), COLUMNS)
    assert (found.us.tolist(), found.valid.tolist()) == ([us(1), 0], [True, False])
    absent = event_times(raw(id=pa.array(["a"])), COLUMNS)
    assert (absent.problem, absent.valid.tolist()) == ("absent", [False])


def test_ids_are_the_tables_and_where_it_has_none_file_and_place() -> None:
    rows = raw(id=pa.array(["x", None, "z"]))
    assert row_ids(Piece(first_row=10), rows, COLUMNS, 5).to_pylist() == ["x", "a.csv:16", "z"]
    assert row_ids(Piece(), raw(id=pa.array(["x"])), COLUMNS).to_pylist() == ["x"]
    assert row_ids(Piece(), raw(p=pa.array([0.5])), COLUMNS, 2).to_pylist() == ["a.csv:2"]


@pytest.mark.parametrize(
    ("cells", "ids"),
    [
        (pa.array([7, None]), ["7", None]),
        (pa.array([7.0, 8.0]), ["7", "8"]),
        (pa.array([b"x", b"\xff"]), ["x", "\ufffd"]),
        (pa.array(["x", "y"]).dictionary_encode(), ["x", "y"]),
        (pa.array([0, 1], pa.timestamp("s")), None),
        (pa.nulls(2), None),
    ],
)
def test_a_column_of_ids_may_be_text_or_numbers(cells: pa.Array, ids: list[str | None] | None) -> None:
    found = ids_in_table(raw(id=cells), COLUMNS)
    assert (None if found is None else found.to_pylist()) == ids


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**9), unique=True, max_size=20))
def test_no_two_rows_of_a_file_have_one_generated_id(first: int, places: list[int]) -> None:
    found = generated_ids(Piece(first_row=first), np.array(places, dtype=np.int64)).to_pylist()
    assert found == [f"a.csv:{first + place}" for place in places]
    assert len(set(found)) == len(places)


@pytest.mark.parametrize(
    ("cells", "labels"),
    [
        (pa.array(["yes", "", None, " no "]), ["yes", None, None, "no"]),
        (pa.array([1, 0]), ["1", "0"]),
        (pa.array([1.0, float("nan")]), ["1", None]),
        (pa.array([True, False]), ["true", "false"]),
        (pa.array([0], pa.timestamp("s")), [None]),
    ],
)
def test_labels_are_class_names(cells: pa.Array, labels: list[str | None]) -> None:
    rows = raw(y=cells, ts=times([1] * len(cells)))
    assert coded_labels(rows, COLUMNS).to_pylist() == labels
    found = labels_with_times(rows, COLUMNS, event_times(rows, COLUMNS))
    assert found["label"].to_pylist() == labels


def test_a_table_without_labels_has_none() -> None:
    assert coded_labels(raw(p=pa.array([0.5, 0.5])), COLUMNS).to_pylist() == [None, None]


@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(0, 9), st.none() | st.integers(0, 9), st.none() | st.sampled_from(["no", "yes"])
        ),
        min_size=1,
        max_size=20,
    )
)
def test_a_label_is_never_known_before_its_row_happened(rows: list[tuple[int | None, int | None, str | None]]) -> None:
    happened, known, labels = zip(*rows, strict=True)
    table = raw(ts=times(happened), known_at=times(known), y=pa.array(labels, pa.string()))
    found = labels_with_times(table, COLUMNS, event_times(table, COLUMNS))
    expected = [
        None if label is None or (first is None and second is None) else us(max(first or 0, second or 0))
        for first, second, label in rows
    ]
    assert found["label_time"].cast(pa.int64()).to_pylist() == expected
    assert found["label"].to_pylist() == [
        None if time is None else label for time, label in zip(expected, labels, strict=True)
    ]


def test_label_times_are_those_of_the_table_even_before_the_event() -> None:
    rows = raw(ts=times([5]), known_at=times([3]))
    assert given_label_times(rows, COLUMNS).us.tolist() == [us(3)]
    assert not given_label_times(raw(ts=times([5])), COLUMNS).valid.any()


def test_only_labels_with_an_unreadable_time_are_invalid() -> None:
    rows = raw(y=pa.array(["a", "a", None, "a"]), known_at=pa.array(["soon", "2024-01-01", "soon", " "]))
    labels, known = coded_labels(rows, COLUMNS), given_label_times(rows, COLUMNS)
    assert invalid_label_times(rows, COLUMNS, labels, known).tolist() == [True, False, False, False]


def test_a_column_that_cannot_hold_times_is_no_invalid_time_of_each_label() -> None:
    rows = raw(y=pa.array(["a"]), known_at=pa.array([5]))
    labels, known = coded_labels(rows, COLUMNS), given_label_times(rows, COLUMNS)
    assert not invalid_label_times(rows, COLUMNS, labels, known).any()
    absent = raw(y=pa.array(["a"]))
    assert not invalid_label_times(absent, COLUMNS, labels, given_label_times(absent, COLUMNS)).any()


def test_invalid_label_times_are_one_finding_with_their_number() -> None:
    assert label_time_findings("known_at", 0) == ()
    (found,) = label_time_findings("known_at", 7)
    assert (found.kind, found.feature) == ("no label time", "known_at")
    assert found.message.startswith("7 labels")


@pytest.mark.parametrize(("number", "cells"), [(True, [None, None]), (False, [None, None])])
def test_an_absent_input_is_missing_and_said_to_be_absent(number: bool, cells: list[None]) -> None:
    column, bad, problem = read_input(raw(p=pa.array([0.5, 0.5])), None, number=number, reference_type="")
    assert column.type == (pa.float64() if number else pa.string())
    assert (bad, problem) == (0, "absent")
    assert pa.compute.is_null(column, nan_is_null=True).to_pylist() == [cell is None for cell in cells]


def column(cells: pa.Array, *, number: bool, known: str = "", text: bool = False) -> tuple[list[object], int, str]:
    found, bad, problem = read_input(
        raw(a=cells, text=text), pa.chunked_array([cells]), number=number, reference_type=known, text=text
    )
    return found.to_pylist(), bad, problem


def test_numbers_are_read_from_text_in_text_files_only() -> None:
    cells = pa.array([b"1", b"x", None])
    found, bad, problem = column(cells, number=True, text=True)
    assert (found[0], bad, problem) == (1.0, 1, "")
    assert column(cells, number=True)[2] == "type changed to binary"


@pytest.mark.parametrize(
    ("cells", "known", "expected"),
    [
        (pa.array(["a", None]), "string", (["a", None], 0, "")),
        (pa.array([1, 2]), "int64", (["1", "2"], 0, "")),
        (pa.array([1.0, 2.5]), "double", (["1", "2.5"], 0, "")),
        (pa.array([True]), "", (["true"], 0, "")),
        (pa.array([1, 2]), "string", ([None, None], 0, "type changed to int64")),
        (pa.array([0], UTC_TIME), "", ([None], 0, "type changed to timestamp[us, tz=UTC]")),
        (pa.nulls(2), "string", ([None, None], 0, "")),
    ],
)
def test_a_category_of_another_type_than_the_references_is_missing(
    cells: pa.Array, known: str, expected: tuple[list[object], int, str]
) -> None:
    assert column(cells, number=False, known=known) == expected


@pytest.mark.parametrize(
    ("kind", "names", "moments"),
    [
        (pa.string(), True, True),
        (pa.null(), True, True),
        (pa.int32(), True, False),
        (pa.bool_(), True, False),
        (pa.timestamp("ms"), False, True),
        (pa.date32(), False, True),
        (pa.list_(pa.string()), False, False),
    ],
)
def test_which_types_can_hold_names_and_times(kind: pa.DataType, names: bool, moments: bool) -> None:
    assert can_hold_names(kind) is names
    assert can_hold_times(kind) is moments
