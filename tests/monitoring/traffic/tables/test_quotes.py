"""Lines lost to an unbalanced quote are found, counted and located; text of several lines is not taken for them."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.sentences.finding_text import finding_text
from monitoring.traffic.tables.quotes import (
    MANY_LINES,
    QuotedRecord,
    UnbalancedQuotes,
    quote_findings,
    quoted_record,
    quoted_records_in,
    summarise_quotes,
)


@pytest.mark.parametrize("text", [b"", b"a,b", b"a\nb", b"one,two\nthree,four"])
@pytest.mark.parametrize("malformed", [True, False])
def test_one_line_or_two_are_no_lost_rows(text: bytes, malformed: bool) -> None:
    assert quoted_record(text, b",", 2, malformed=malformed) is None


@given(st.integers(2, 60), st.integers(2, 6))
def test_a_field_that_holds_rows_is_found_with_all_its_lines(rows: int, fields: int) -> None:
    row = b",".join([b"1"] * fields)
    text = b"\n".join([b'"open', *[row] * rows])
    found = quoted_record(text, b",", fields, malformed=False)
    assert found is not None
    assert found.lines == rows + 1
    assert text.startswith(found.head)


@given(st.lists(st.text("abc ", max_size=12), min_size=3, max_size=MANY_LINES - 1))
def test_text_of_several_lines_without_delimiters_is_left_alone(lines: list[str]) -> None:
    text = "\n".join(lines).encode()
    assert quoted_record(text, b",", 3, malformed=False) is None
    assert quoted_record(text, b",", 3, malformed=True) is None


def test_rows_that_are_less_than_half_of_the_lines_are_text() -> None:
    text = b"\n".join([b"start", b"1,2", b"1,2", b"prose", b"prose", b"prose"])
    assert quoted_record(text, b",", 2, malformed=False) is None
    assert quoted_record(text + b"\n1,2", b",", 2, malformed=False) == QuotedRecord(lines=7, head=text + b"\n1,2")


def test_a_malformed_record_of_very_many_lines_is_lost_rows_whatever_it_holds() -> None:
    text = b"\n".join([b"prose"] * MANY_LINES)
    assert quoted_record(text, b",", 2, malformed=False) is None
    found = quoted_record(text, b",", 2, malformed=True)
    assert found is not None
    assert found.lines == MANY_LINES


def test_fields_of_a_table_are_searched_column_by_column() -> None:
    lost = b'x"\n1,2\n3,4'
    table = pa.table({"a": pa.array([b"plain", lost, None]), "b": pa.array([b"two\nlines", b"", lost + b"\n5,6"])})
    assert [record.lines for record in quoted_records_in(table, b",")] == [3, 4]
    assert quoted_records_in(table.slice(0, 1), b",") == []


def test_the_longest_record_is_located_by_its_line() -> None:
    content = b'h,i\n1,2\n3,"x\n5,6\n7,8\n'
    longest = QuotedRecord(lines=3, head=b"x\n5,6\n7,8")
    found = summarise_quotes([QuotedRecord(lines=2, head=b"1,2\n3"), longest], content)
    assert found == UnbalancedQuotes(records=2, lines=5, longest=3, first_line=3)


@pytest.mark.parametrize("head", [b"absent\nhere", b"1,2"])
def test_a_record_that_cannot_be_located_has_line_zero(head: bytes) -> None:
    assert summarise_quotes([QuotedRecord(lines=3, head=head)], b"h,i\n1,2\n").first_line == 0


def quotes(lines: int, *, records: int = 1, first_line: int = 7) -> UnbalancedQuotes:
    return UnbalancedQuotes(records=records, lines=lines, longest=lines - records + 1, first_line=first_line)


def test_no_file_with_lost_lines_gives_no_finding() -> None:
    assert quote_findings([]) == ()


def test_one_record_is_named_with_its_file_and_line() -> None:
    (found,) = quote_findings([("a.csv", 10_000, quotes(1_200))])
    assert found.kind == "unbalanced quote"
    assert finding_text(found).startswith("1,200 lines of a.csv are lost in one record, from line 7 on: a quote")
    (unknown,) = quote_findings([("a.csv", 10_000, quotes(3, first_line=0))])
    assert "line 0" not in finding_text(unknown)


def test_of_several_files_the_one_that_lost_most_is_named() -> None:
    (found,) = quote_findings(
        [("a.csv", 100, quotes(3)), ("b.csv", 100, quotes(9, records=2)), ("c.csv", 1, quotes(4))]
    )
    assert finding_text(found).startswith("9 lines of b.csv are lost in 2 records, one of 8 lines, from line 7 on")
    assert finding_text(found).endswith("So are lines of 2 other files.")


@pytest.mark.parametrize(("rows", "fact"), [(98, True), (9_900, True), (990, False), (100_000, False)])
def test_a_loss_of_more_than_one_per_cent_of_the_lines_is_a_fact(rows: int, fact: bool) -> None:
    lines = {98: 2, 9_900: 101, 990: 10, 100_000: 5}[rows]
    (found,) = quote_findings([("a.csv", rows, quotes(lines))])
    assert found.fact is fact
