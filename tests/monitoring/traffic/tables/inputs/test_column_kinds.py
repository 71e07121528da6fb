"""What each column of a reference holds, as it says or as its owner does."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from monitoring.errors import BadInput
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.inputs.column_kinds import kinds_of
from monitoring.traffic.tables.reference import LoadedPiece
from tests.monitoring.traffic.tables.table_files import raw, times

ONE = TableColumns(event_time="ts", label="y", scores=("p",))
TWO = TableColumns(event_time="ts", label="y", scores=("late", "on_time"))
PREDICTED = TableColumns(event_time="ts", label="y", predicted="c")
NO_NAME: dict[str, Any] = {"": [1]}
INDEX: dict[str, Any] = {"Unnamed: 0": [0]}
COLON: dict[str, Any] = {"a:b": ["x"]}


def piece(*, text: bool = False, **columns: Any) -> LoadedPiece:
    found = {name: pa.array(cells) if isinstance(cells, list) else cells for name, cells in columns.items()}
    return LoadedPiece(name="a.csv", first_row=0, raw=raw(text=text, **found))


def kinds(one: LoadedPiece, *wanted: str, slices: tuple[str, ...] = ()) -> tuple[dict[str, str], dict[str, str]]:
    found, left_out = kinds_of([one], ONE, wanted, dict.fromkeys(slices, "category"))
    return dict(found), left_out


def test_every_column_without_another_role_is_an_input() -> None:
    one = piece(ts=times([1]), p=[0.5], y=[0], age=[1], city=["a"], ok=[True])
    assert kinds(one) == ({"age": "number", "city": "category", "ok": "number"}, {})


def test_indexes_unnamed_columns_and_reserved_names_are_left_out_with_the_reason() -> None:
    found, left_out = kinds(piece(age=[1], probabilities=[1], when=times([1]), **NO_NAME, **INDEX))
    assert found == {"age": "number", "when": "moment"}
    assert left_out == {"probabilities": "a name with a meaning", "": "no name", "Unnamed: 0": "an index of pandas"}


def test_an_index_that_is_asked_for_is_an_input() -> None:
    assert kinds(piece(**INDEX), "Unnamed: 0") == ({"Unnamed: 0": "number"}, {})


def test_a_kind_may_be_given_with_the_name_and_a_colon_may_be_part_of_it() -> None:
    one = piece(code=[1], **COLON)
    assert kinds(one, "code:category", "a:b")[0] == {"code": "category", "a:b": "category"}


def test_what_traffic_is_sliced_by_is_a_category() -> None:
    one = piece(code=[1], age=[2], city=["x"])
    assert kinds(one, slices=("code",))[0] == {"code": "category", "age": "number", "city": "category"}
    assert kinds(one, "age", slices=("city",))[0] == {"age": "number", "city": "category"}
    assert kinds(one, "code:number", slices=("code",))[0] == {"code": "number"}


@pytest.mark.parametrize("cells", [[b"x"] + [b"1"] * 99, [b"1"], [None]])
def test_text_that_is_nearly_all_numbers_is_a_number(cells: list[bytes | None]) -> None:
    assert kinds(piece(text=True, a=pa.array(cells, pa.binary())))[0] == {"a": "number"}


@pytest.mark.parametrize("cells", [[b"x", b"y"], [b"x"] * 2 + [b"1"] * 98])
def test_text_with_words_is_a_category(cells: list[bytes]) -> None:
    assert kinds(piece(text=True, a=cells))[0] == {"a": "category"}
    assert kinds(piece(a=["1", "2"]))[0] == {"a": "category"}


@pytest.mark.parametrize(
    ("wanted", "slices", "what"),
    [
        (("absent",), (), "no such column"),
        ((), ("absent",), "no such column"),
        (("y",), (), "Not an input"),
        (("label",), (), "Not an input"),
        ((), ("",), "Not an input"),
    ],
)
def test_a_name_that_cannot_be_an_input_is_bad_input(
    wanted: tuple[str, ...], slices: tuple[str, ...], what: str
) -> None:
    with pytest.raises(BadInput, match=what):
        kinds(piece(age=[1], y=[0], label=[1], **NO_NAME), *wanted, slices=slices)


@pytest.mark.parametrize(
    ("name", "cells", "kind"),
    [
        ("squad_id", list(range(5)) * 100, "category"),
        ("orderID", list(range(500)), "an id: 500 values in 500 rows"),
        ("paid", list(range(500)), "number"),
        ("customer_id", [f"c{number}" for number in range(500)], "an id: 500 values in 500 rows"),
        ("note", [f"text of row {number}" for number in range(500)], "text"),
        ("share_id", [number / 7 for number in range(500)], "number"),
    ],
)
def test_ids_and_free_text_are_recognised_by_their_values_and_numbers_by_their_names(
    name: str, cells: list[object], kind: str
) -> None:
    column: dict[str, Any] = {name: cells}
    found, left_out = kinds(piece(**column))
    assert {**found, **left_out} == {name: kind}
    assert kinds(piece(**column), slices=(name,)) == ({name: "category"}, {})


def test_columns_may_be_ignored() -> None:
    found, left_out = kinds_of([piece(age=[1], city=["x"])], ONE, (), {}, {"city": "ignored", "absent": "ignored"})
    assert (found, left_out) == ({"age": "number"}, {"city": "ignored"})
    with pytest.raises(BadInput, match="one role"):
        kinds_of([piece(age=[1])], ONE, ("age",), {}, {"age": "ignored"})


VECTORS = [list(range(20))] * 3
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (pa.array([1, None], pa.date32()), "moment"),
        (pa.array([1, 2], pa.duration("s")), "moment"),
        (pa.array([1, 2], pa.time32("s")), "moment"),
        (["2024-01-05", None, "2024-02-29 12:30:01"], "moment"),
        (["2024-01-05", "soon"], "category"),
        ([[1, 2], [3]], "sequence"),
        ([[1.0, 2.0], [3.0, 4.0]], "sequence"),
        ([["a", "b"], []], "sequence"),
        (VECTORS, "vector"),
        (pa.array(VECTORS, pa.list_(pa.float32(), 20)), "vector"),
        ([*VECTORS, [1, 2]], "sequence"),
        ([PNG + b"1", None, PNG], "image"),
        ([{"bytes": PNG, "path": "a.png"}], "image"),
        ([True, False], "number"),
        (pa.array([1, 2]).cast(pa.decimal128(25, 2)), "number"),
        ([{"a": 1}], "of type struct<a: int64>"),
    ],
)
def test_columns_of_every_type_have_a_kind_or_a_reason(cells: Any, kind: str) -> None:
    found, left_out = kinds(piece(a=cells))
    assert {**found, **left_out} == {"a": kind}


def test_bytes_of_a_text_file_are_no_images() -> None:
    assert kinds(piece(text=True, a=[PNG]))[0] == {"a": "category"}


def test_dates_in_a_text_file_are_moments_and_their_kind_may_be_declared() -> None:
    one = piece(text=True, a=[b"2024-01-05", b"2024-01-06"])
    assert kinds(one)[0] == {"a": "moment"}
    assert kinds(one, "a:category")[0] == {"a": "category"}
    assert kinds(one, "a:text")[0] == {"a": "text"}


def test_a_kind_that_there_is_not_is_told_with_those_that_there_are() -> None:
    with pytest.raises(BadInput, match=r"no such column\. Got x:zebra.*kinds of NAME:KIND are number, category"):
        kinds(piece(x=["a", "b"]), "x:zebra")


def test_a_kind_that_the_owner_says_leaves_the_other_columns_as_they_are() -> None:
    one = piece(code=[1, 2], user_id=["a", "b"], age=[30.5, 40.5])
    said = {"code": "category", "user_id": ""}
    assert kinds_of([one], ONE, (), said)[0] == {"code": "category", "user_id": "category", "age": "number"}
