"""When the rows of pieces happened: the same from statistics and from rows, and every invalid time is reported once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.sentences.finding_text import finding_text
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.extents import (
    AHEAD_OF_CLOCK,
    AMBIGUOUS,
    NO_TIME,
    EventTimeRange,
    InvalidEventTimes,
    TableExtents,
    find_extents,
)
from monitoring.traffic.tables.files import pieces_of
from monitoring.traffic.tables.piece_reader import PieceReader
from monitoring.traffic.tables.pieces import TablePiece
from monitoring.traffic.tables.times import ParsedTimes
from tests.monitoring.traffic.tables.table_files import COLUMNS, parquet, rows_at, times, us, window

ANY = EventTimeRange()


def extents(
    pieces: Sequence[TablePiece], columns: TableColumns = COLUMNS, inside: EventTimeRange = ANY
) -> TableExtents:
    return find_extents(pieces, columns, PieceReader(columns), inside=inside)


def without_statistics(folder: Path, table: pa.Table) -> tuple[TablePiece, ...]:
    pq.write_table(table, folder / "a.parquet", write_statistics=False)
    return pieces_of(folder)


@given(
    st.lists(st.tuples(st.integers(-50, 50), st.booleans()), max_size=20),
    st.none() | st.integers(-50, 50),
    st.integers(-50, 50),
)
def test_a_range_includes_both_ends_and_valid_times_only(
    cells: list[tuple[int, bool]], first: int | None, last: int
) -> None:
    moments = ParsedTimes(
        us=np.array([time for time, _ in cells], dtype=np.int64),
        valid=np.array([ok for _, ok in cells], dtype=np.bool_),
    )
    found = EventTimeRange(first=first, last=last).contains(moments).tolist()
    assert found == [ok and time <= last and (first is None or time >= first) for time, ok in cells]


@given(
    st.lists(st.sampled_from(["usable", "missing", "ahead"]), min_size=1, max_size=12).filter(lambda c: "usable" in c)
)
def test_every_invalid_row_is_reported_once_at_the_time_of_a_usable_row(cells: list[str]) -> None:
    usable = np.array([cell == "usable" for cell in cells])
    moments = ParsedTimes(
        us=np.array([0 if cell == "missing" else 1000 * place + 1 for place, cell in enumerate(cells)], dtype=np.int64),
        valid=np.array([cell != "missing" for cell in cells]),
    )
    found = InvalidEventTimes.of("a.csv", moments, usable)
    assert sorted(found.reasons.tolist()) == sorted(
        {"missing": NO_TIME, "ahead": AHEAD_OF_CLOCK}[cell] for cell in cells if cell != "usable"
    )
    assert set(found.reported_at.tolist()) <= set(moments.us[usable].tolist())


def test_an_invalid_row_is_reported_with_the_row_before_it_or_the_first_after() -> None:
    usable = np.array([False, True, False, False, True])
    moments = ParsedTimes(us=np.array([0, 10, 0, 99, 20]), valid=np.array([False, True, False, True, True]))
    found = InvalidEventTimes.of("a.csv", moments, usable)
    assert found.reported_at.tolist() == [10, 10, 10]
    assert found.reasons.tolist() == [NO_TIME, NO_TIME, AHEAD_OF_CLOCK]


def test_ambiguous_times_are_reported_with_their_own_window() -> None:
    yes = np.ones(2, dtype=np.bool_)
    moments = ParsedTimes(us=np.array([5, 6]), valid=yes, ambiguous=np.array([False, True]))
    found = InvalidEventTimes.of("a.csv", moments, yes)
    assert (found.reported_at.tolist(), found.reasons.tolist()) == ([6], [AMBIGUOUS])


def test_findings_of_a_window_count_each_reason() -> None:
    found = InvalidEventTimes(
        file="a.csv",
        reported_at=np.array([us(1), us(1.5), us(2), us(1)]),
        reasons=np.array([NO_TIME, NO_TIME, NO_TIME, AMBIGUOUS]),
    )
    messages = {each.kind: finding_text(each) for each in found.findings(window(1, 2))}
    assert set(messages) == {"no event time", "event time twice"}
    assert messages["no event time"].startswith("2 rows of a.csv have no event time")
    assert len(found.findings(window(2, 3))) == 1
    assert found.findings(window(3, 4)) == ()


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
def test_statistics_and_rows_give_the_same_ends(tmp_path: Path, unit: str, zone: str | None) -> None:
    table = rows_at([3, 1, 2])
    moments = table["ts"].cast(pa.timestamp(unit, "UTC")).cast(pa.timestamp(unit, zone))
    if zone is None:
        moments = pa.chunked_array(
            [times([3, 1, 2]).cast(pa.int64()).cast(pa.timestamp("us")).cast(pa.timestamp(unit))]
        )
    table = table.set_column(0, "ts", moments)
    (tmp_path / "with").mkdir()
    (tmp_path / "without").mkdir()
    for pieces in (parquet(tmp_path / "with", table), without_statistics(tmp_path / "without", table)):
        found = extents(pieces)
        (one,) = found.extents
        assert (one.first, one.last, one.rows, one.complete) == (us(1), us(3), 3, True)
        assert found.naive is (zone is None)


def test_statistics_spare_reading_the_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = parquet(tmp_path, rows_at([1, 2]))

    def read_nothing(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(PieceReader, "batches", read_nothing)
    assert len(extents(pieces).extents) == 1


def test_a_null_time_is_left_out_and_reported(tmp_path: Path) -> None:
    found = extents(parquet(tmp_path, rows_at([1, None, 3])))
    (one,) = found.extents
    assert (one.first, one.last, one.rows, one.complete) == (us(1), us(3), 3, False)
    (invalid,) = found.invalid
    assert invalid.reported_at.tolist() == [us(1)]
    assert not found.no_valid_time


def test_rows_ahead_of_the_clock_are_no_part_of_the_extent(tmp_path: Path) -> None:
    found = extents(parquet(tmp_path, rows_at([1, 2, 30])), inside=EventTimeRange(last=us(24)))
    (one,) = found.extents
    assert (one.last, one.complete) == (us(2), False)
    assert found.invalid[0].reasons.tolist() == [AHEAD_OF_CLOCK]


def test_a_piece_before_the_range_is_left_out_and_one_that_reaches_into_it_is_not(tmp_path: Path) -> None:
    pieces = parquet(tmp_path, rows_at([1, 2]), rows_at([2, 5]), rows_at([6]))
    found = extents(pieces, inside=EventTimeRange(first=us(4)))
    assert [one.number for one in found.extents] == [1, 2]


def test_a_piece_without_any_valid_time_is_a_finding_of_no_window(tmp_path: Path) -> None:
    found = extents(parquet(tmp_path, rows_at([None, None])))
    assert found.extents == ()
    assert [each.kind for each in found.findings] == ["no event time"]
    assert found.no_valid_time


def test_a_piece_that_lies_ahead_waits_for_its_time(tmp_path: Path) -> None:
    found = extents(parquet(tmp_path, rows_at([50, 51])), inside=EventTimeRange(last=us(24)))
    assert [finding_text(each) for each in found.findings] == [
        "2 rows of 0.parquet lie more than a day ahead of the clock, and wait for their time."
    ]
    assert not found.no_valid_time


@pytest.mark.parametrize(
    ("column", "kind", "words"),
    [
        (None, "column gone", "is absent in"),
        (pa.array([1, 2]), "type changed", "holds no times (type changed to int64)"),
    ],
)
def test_a_table_without_a_column_of_times_is_a_fact(
    tmp_path: Path, column: pa.Array | None, kind: str, words: str
) -> None:
    table = rows_at([1, 2]).drop_columns(["ts"])
    found = extents(parquet(tmp_path, table if column is None else table.append_column("ts", column)))
    assert (found.findings[0].kind, found.findings[0].fact) == (kind, True)
    assert words in finding_text(found.findings[0])
    assert found.no_valid_time


def test_an_empty_table_has_no_extent_and_no_finding(tmp_path: Path) -> None:
    found = extents(parquet(tmp_path, rows_at([])))
    assert (found.extents, found.findings, found.no_valid_time) == ((), (), False)


@pytest.mark.parametrize(
    ("ids", "has_ids"),
    [(None, False), (pa.array(["a"]), True), (pa.array([5]), True), (pa.array([0], pa.timestamp("s")), False)],
)
def test_some_piece_with_usable_ids_is_enough(tmp_path: Path, ids: pa.Array | None, has_ids: bool) -> None:
    table = rows_at([1])
    other = table if ids is None else table.append_column("id", ids)
    assert extents(parquet(tmp_path, table, other)).has_ids is has_ids


def test_a_column_of_label_times_is_known_of_each_piece(tmp_path: Path) -> None:
    found = extents(parquet(tmp_path, rows_at([1]), rows_at([2], known=[3])))
    assert [one.label_times for one in found.extents] == [False, True]


def test_naive_times_are_read_in_their_zone_and_the_repeated_hour_is_reported(tmp_path: Path) -> None:
    local = datetime(2013, 11, 3, 1, 30)  # noqa: DTZ001 - a local time without a zone is what is read here
    moments = pa.array([local, local + timedelta(hours=1)], pa.timestamp("us"))
    pieces = parquet(tmp_path, rows_at([1, 2]).set_column(0, "ts", moments))
    found = extents(pieces, COLUMNS.replaced(naive_timezone="America/New_York"))
    assert found.naive
    assert found.extents[0].last - found.extents[0].first == 2 * 3_600_000_000
    assert found.invalid[0].reasons.tolist() == [AMBIGUOUS]


def test_unbalanced_quotes_are_reported_of_files_of_interest_only(tmp_path: Path) -> None:
    lines = ["ts,p", *(f"2024-01-01T{hour:02}:00:00Z,0.5" for hour in range(12))]
    lines[5] = '2024-01-01T05:00:00Z,"0.5'
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    assert [each.kind for each in extents(pieces_of(tmp_path)).findings] == ["unbalanced quote"]
    assert extents(pieces_of(tmp_path), inside=EventTimeRange(first=us(13))).findings == ()


@settings(max_examples=30)
@given(hours=st.lists(st.none() | st.integers(0, 40), min_size=1, max_size=8), last=st.integers(0, 40))
def test_a_text_file_and_parquet_have_the_same_extent(
    tmp_path_factory: pytest.TempPathFactory, hours: list[int | None], last: int
) -> None:
    folder = tmp_path_factory.mktemp("same")
    table = rows_at(hours)
    cells = ["" if time is None else time.isoformat() for time in table["ts"].to_pylist()]
    (folder / "text").mkdir()
    (folder / "text" / "a.csv").write_text("ts,p\n" + "".join(f"{cell},0.5\n" for cell in cells))
    inside = EventTimeRange(last=us(last))
    found = [extents(pieces, inside=inside) for pieces in (pieces_of(folder / "text"), parquet(folder, table)[:1])]
    ends = [[(e.first, e.last, e.rows, e.complete) for e in each.extents] for each in found]
    assert ends[0] == ends[1]
    usable = [us(hour) for hour in hours if hour is not None and hour <= last]
    assert [(first, end) for first, end, _, _ in ends[0]] == ([(min(usable), max(usable))] if usable else [])
