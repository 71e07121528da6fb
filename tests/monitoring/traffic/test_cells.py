"""Cells as numbers, text and class names, whatever their type."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.timestamps import EPOCH
from monitoring.traffic.cells import (
    as_doubles,
    as_strings,
    as_written,
    class_names,
    coded_class_names,
    decoded,
    is_number,
    is_text,
    non_blank,
    parse_numbers,
    valid_utf8,
    value_type,
)


@given(st.lists(st.none() | st.floats() | st.integers(-(10**15), 10**15), max_size=20))
def test_numbers_are_the_same_as_text(values: list[float | None]) -> None:
    texts = [None if value is None else repr(value) for value in values]
    found, bad, problem = parse_numbers(pa.array(texts, pa.string()), text=True)
    expected = [math.nan if value is None else float(value) for value in values]
    np.testing.assert_array_equal(np.asarray(found), np.array(expected, dtype=np.float64))
    assert (bad, problem) == (0, "")


@given(st.lists(st.none() | st.integers(-(10**17), 10**17), max_size=20), st.integers(0, 18), st.integers(18, 38))
def test_a_decimal_is_the_double_nearest_to_it(units: list[int | None], scale: int, precision: int) -> None:
    decimals = [None if unit is None else Decimal(unit).scaleb(-scale) for unit in units]
    for kind in (pa.decimal128(precision, scale), pa.decimal256(precision + 20, scale)):
        cells = pa.array([None, *decimals], kind)
        found = [as_doubles(cells)[1:], as_doubles(cells[1:]), as_doubles(pa.chunked_array([cells]))[1:]]
        expected = [None if value is None else float(value) for value in decimals]
        assert [each.to_pylist() for each in found] == [expected] * 3


def test_all_decimals_of_four_places_are_the_doubles_of_their_text() -> None:
    decimals = [Decimal(unit).scaleb(-4) for unit in range(20_000)]
    np.testing.assert_array_equal(np.asarray(as_doubles(pa.array(decimals))), [float(value) for value in decimals])
    found = parse_numbers(pa.array(map(str, decimals)), text=True)[0]
    np.testing.assert_array_equal(np.asarray(found), np.asarray(as_doubles(pa.array(decimals))))


@given(st.lists(st.none() | st.floats() | st.integers(-50, 50).map(float), max_size=20), st.integers(0, 20))
def test_a_cell_is_the_same_text_whatever_stands_beside_it(values: list[float | None], cut: int) -> None:
    cells = pa.array(values, pa.float64())
    texts = as_strings(cells).to_pylist()
    assert texts == as_strings(cells[:cut]).to_pylist() + as_strings(cells[cut:]).to_pylist()
    for value, text in zip(values, texts, strict=True):
        assert (text is None) == (value is None or math.isnan(value))
        assert text is None or float(text) == value
        if value is not None and text is not None and "." in text:
            assert abs(value) >= 2**53 or value != round(value)


def test_a_whole_number_has_one_text_whatever_its_type() -> None:
    columns = [[3, None], [3.0, None], [Decimal(3), None], [Decimal("3.00"), None], ["3", None]]
    assert all(as_strings(pa.array(column)).to_pylist() == ["3", None] for column in columns)
    decimals = pa.array([Decimal("0.50"), Decimal("-0.00"), Decimal("0.00000001")])
    assert as_strings(decimals).to_pylist() == ["0.5", "0", "0.00000001"]


def test_short_decimals_are_text_and_labels_as_long_ones_are() -> None:
    for kind in (pa.decimal32(7, 2), pa.decimal64(12, 2), pa.decimal128(12, 2)):
        cells = pa.array([Decimal("1.00"), Decimal("2.50"), None], kind)
        assert as_strings(cells).to_pylist() == class_names(cells).to_pylist() == ["1", "2.5", None]


@pytest.mark.parametrize("kind", ["int8", "double", "decimal128(5, 2)"])
def test_text_is_written_as_numbers_are_shown(kind: str) -> None:
    cells = ["1", "1.0", "+01", "-0", "1e2", "0.50", "9" * 5_000, "NA", "", "web", "1,5", None]
    shown = ["1", "1", "1", "0", "100", "0.5", "9" * 5_000, None, None, "web", "1,5", None]
    assert as_written(pa.array(cells), kind).to_pylist() == shown
    assert as_written(pa.array(cells), "string").to_pylist() == cells


def test_cells_that_are_no_numbers_are_counted_and_a_column_of_them_is_another_type() -> None:
    found, bad, problem = parse_numbers(pa.array(["1", " 2.5 ", "n/a", "twelve", None, "-inf", "1e3"]), text=True)
    np.testing.assert_array_equal(np.asarray(found), [1, 2.5, np.nan, np.nan, np.nan, -np.inf, 1000])
    assert (bad, problem) == (1, "")
    assert parse_numbers(pa.array(["a", "b"]), text=True)[1:] == (2, "type changed to text")
    assert parse_numbers(pa.array([EPOCH]), text=False)[2].startswith("type changed to timestamp")


@given(st.lists(st.none() | st.binary(max_size=8), max_size=10))
def test_bytes_are_words_whatever_they_are(cells: list[bytes | None]) -> None:
    found = as_strings(pa.array(cells, pa.binary())).to_pylist()
    assert found == [None if cell is None else cell.decode("utf-8", "replace") for cell in cells]


def test_labels_are_words_of_one_spelling() -> None:
    assert class_names(pa.array([1.0, None, 0.0])).to_pylist() == ["1", None, "0"]
    assert class_names(pa.array([True, False])).to_pylist() == ["true", "false"]
    assert class_names(pa.array(["True", " late ", "", "2.0", "2.5"])).to_pylist() == ["true", "late", None, "2", "2.5"]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary(), pa.large_binary(), pa.string_view()])
def test_text_and_bytes_are_text(kind: pa.DataType) -> None:
    assert is_text(kind)
    assert not is_number(kind)


@pytest.mark.parametrize("kind", [pa.int8(), pa.uint64(), pa.float16(), pa.bool_(), pa.decimal128(9, 2)])
def test_numbers_and_booleans_are_numbers(kind: pa.DataType) -> None:
    assert is_number(kind)
    assert not is_text(kind)


@given(st.lists(st.none() | st.sampled_from(["a", "b", ""]), max_size=10), st.integers(1, 3))
def test_a_dictionary_is_decoded_whatever_its_chunks(cells: list[str | None], size: int) -> None:
    plain = pa.array(cells, pa.string())
    chunks = [plain.slice(start, size).dictionary_encode() for start in range(0, len(plain), size)]
    column = pa.chunked_array(chunks, pa.dictionary(pa.int32(), pa.string()))
    assert decoded(column).to_pylist() == cells
    assert value_type(column.type) == value_type(plain.type) == pa.string()


@given(st.lists(st.none() | st.text(" \t\nab", max_size=4), max_size=10))
def test_white_space_and_null_are_blank(cells: list[str | None]) -> None:
    found = non_blank(pa.array(cells, pa.string())).to_pylist()
    assert found == [cell is not None and bool(cell.strip()) for cell in cells]


def test_a_cell_of_another_type_is_blank_only_if_it_is_null() -> None:
    assert non_blank(pa.array([0, None])).to_pylist() == [True, False]


@given(st.lists(st.none() | st.binary(max_size=6), max_size=8), st.booleans())
def test_text_becomes_valid_utf_8_and_stays_what_it_is_where_it_was(cells: list[bytes | None], coded: bool) -> None:
    raw = pa.array(cells, pa.binary())
    text = pa.Array.from_buffers(pa.string(), len(raw), raw.buffers(), raw.null_count)
    if coded:
        text = pa.DictionaryArray.from_arrays(pa.array(range(len(raw)), pa.int32()), text)
    found = valid_utf8(text)
    found.validate(full=True)
    assert found.type == text.type
    assert found.to_pylist() == [None if cell is None else cell.decode("utf-8", "replace") for cell in cells]


CELLS = (
    st.lists(st.none() | st.integers(-5, 200), max_size=12)
    | st.lists(st.none() | st.booleans(), max_size=12)
    | st.lists(st.none() | st.sampled_from(["a", " a", "1.0", "True", "", "-0"]), max_size=12)
    | st.lists(st.none() | st.sampled_from([1.0, 2.5, math.nan]), max_size=12)
)


@given(CELLS)
def test_coded_class_names_are_the_class_names(cells: list[object]) -> None:
    column = pa.array(cells)
    if pa.types.is_null(column.type):
        column = column.cast(pa.string())
    names = class_names(column).to_pylist()
    assert coded_class_names(column).to_pylist() == names
    assert coded_class_names(column.dictionary_encode()).to_pylist() == names
    assert class_names(pa.array(names, pa.string())).to_pylist() == names


def test_whole_numbers_far_apart_are_class_names_too() -> None:
    assert class_names(pa.array([0, 2**40, None])).to_pylist() == ["0", str(2**40), None]
    assert class_names(pa.array([np.float16(1), np.float16(0)])).to_pylist() == ["1", "0"]


@pytest.mark.parametrize("cell", ["1_000", "0x10", "1,5", "1e9999", "--1", "1 2", "٣"])
def test_text_that_python_or_a_person_may_read_as_a_number_is_none(cell: str) -> None:
    assert parse_numbers(pa.array([cell]), text=True)[1:] == (1, "type changed to text")
