"""A table is one stream of rows by event time: each row once, in whatever files, groups and batches it lies."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.errors import CannotRun
from monitoring.sentences.finding_text import finding_text
from monitoring.traffic.id_keys import IdSet
from monitoring.traffic.tables import piece_reader, table
from monitoring.traffic.tables.extents import EventTimeRange
from monitoring.traffic.tables.files import pieces_of
from monitoring.traffic.tables.table import Table
from tests.monitoring.traffic.tables.table_files import COLUMNS, at, parquet, rows_at, table_of, us, window

ROW = st.tuples(st.integers(0, 11), st.sampled_from(["a", "b", "c", "d", "e"]))
FILES = st.lists(st.lists(ROW, min_size=1, max_size=6), min_size=1, max_size=3)


def ids_of(rows: pa.Table) -> list[str]:
    names: list[str] = rows["prediction_id"].to_pylist()
    return names


def test_a_window_has_its_rows_in_order_of_event_time(tmp_path: Path) -> None:
    found = table_of(tmp_path, rows_at([3, 1, 5], ids=["c", "a", "e"]), rows_at([2, 1, 4], ids=["b", "A", "d"]))
    assert ids_of(found.window(window(1, 4)).read()) == ["a", "A", "b", "c"]
    assert ids_of(found.window(window(4, 6)).read()) == ["d", "e"]


def test_an_empty_window_has_the_columns_of_any_other(tmp_path: Path) -> None:
    found = table_of(tmp_path, rows_at([1]))
    empty, one = (found.window(window(*hours)).read() for hours in ((5, 6), (1, 2)))
    assert empty.num_rows == 0
    assert empty.schema.names == one.schema.names
    assert [field.type for field in empty.schema] == [field.type for field in one.schema]
    assert found.window(window(5, 6)).findings() == ()


def test_a_table_without_files_has_no_rows() -> None:
    found = Table.of((), COLUMNS)
    assert found.event_times().tolist() == found.ends(timedelta(hours=1)).tolist() == []
    assert found.counts([window(0, 1)]).tolist() == [[0, 0]]
    assert not found.has_ids


def test_rows_without_ids_are_known_by_file_and_place(tmp_path: Path) -> None:
    found = table_of(tmp_path, rows_at([1, 1]), rows_at([1]))
    assert ids_of(found.window(window(1, 2)).read()) == ["0.parquet:0", "0.parquet:1", "1.parquet:0"]
    assert found.repeated_rows() == 0


def test_a_repeated_row_counts_once_in_the_window_of_its_earliest_time(tmp_path: Path) -> None:
    found = table_of(tmp_path, rows_at([5, 2], ids=["a", "b"]), rows_at([1, 5], ids=["a", "c"]))
    assert found.repeated_rows() == 1
    scan = found.window(window(5, 6))
    assert ids_of(scan.read()) == ["c"]
    assert scan.sums.repeats == 1
    assert found.event_times().tolist() == [us(1), us(2), us(5)]


def test_rows_ahead_of_the_clock_wait_until_their_time(tmp_path: Path) -> None:
    found = table_of(tmp_path, rows_at([1, 50]), now=at(2))
    assert found.event_times().tolist() == [us(1)]
    assert found.window(window(50, 51)).read().num_rows == 0
    later = Table.of(found.pieces, COLUMNS, inside=EventTimeRange.of(now=at(30)))
    assert later.event_times().tolist() == [us(1), us(50)]


def test_pieces_before_the_first_time_of_interest_are_left_out(tmp_path: Path) -> None:
    pieces = parquet(tmp_path, rows_at([1]), rows_at([3]), rows_at([6]))
    found = Table.of(pieces, COLUMNS, inside=EventTimeRange.of(since=at(2)))
    assert [extent.number for extent in found.extents] == [1, 2]


@settings(max_examples=40)
@given(FILES, st.integers(1, 6), st.integers(1, 12), st.integers(1, 5))
def test_windows_have_each_id_once_however_the_rows_are_stored(
    tmp_path_factory: pytest.TempPathFactory, files: list[list[tuple[int, str]]], group: int, hours: int, batch: int
) -> None:
    folder = tmp_path_factory.mktemp("table")
    tables = [rows_at([hour for hour, _ in rows], ids=[name for _, name in rows]) for rows in files]
    earliest: dict[str, int] = {}
    for hour, name in (row for rows in files for row in rows):
        earliest[name] = min(hour, earliest.get(name, 99))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(piece_reader, "ROWS", batch)
        found = Table.of(parquet(folder, *tables, rows=group), COLUMNS)
        windows = [window(start, start + hours) for start in range(0, 12, hours)]
        read = [ids_of(found.window(each).read()) for each in windows]
        counts = found.counts(windows)
    assert sorted(name for names in read for name in names) == sorted(earliest)
    for each, names in zip(windows, read, strict=True):
        assert {name for name in earliest if at(earliest[name]) in each} == set(names)
    assert counts[:, 1].tolist() == [len(names) for names in read]
    assert counts[:, 0].sum() == sum(map(len, files))
    assert found.event_times().tolist() == sorted(us(hour) for hour in earliest.values())
    assert found.repeated_rows() == sum(map(len, files)) - len(earliest)


@settings(max_examples=40)
@given(st.lists(st.lists(st.integers(0, 40), min_size=1, max_size=6), min_size=1, max_size=3), st.integers(1, 12))
def test_the_ends_show_every_gap_of_the_rows_and_no_other(
    tmp_path_factory: pytest.TempPathFactory, files: list[list[int]], longest: int
) -> None:
    found = table_of(tmp_path_factory.mktemp("gaps"), *map(rows_at, files))
    gap = longest * 3_600_000_000

    def gaps(moments: np.ndarray) -> list[tuple[int, int]]:
        places = np.flatnonzero(np.diff(moments) > gap)
        return list(zip(moments[places].tolist(), moments[places + 1].tolist(), strict=True))

    assert gaps(found.ends(timedelta(hours=longest))) == gaps(found.event_times())


def test_text_and_parquet_have_the_same_rows(tmp_path: Path) -> None:
    for name in ("text", "parquet"):
        (tmp_path / name).mkdir()
    (tmp_path / "text" / "a.csv").write_text(
        "ts,id,p,age,city,y\n"
        "2024-01-01T01:00:00Z,a,0.25,0,EWR,no\n"
        "2024-01-01T02:00:00Z,b,0.25,1,EWR,yes\n"
        "2024-01-01T05:00:00Z,c,0.25,2,EWR,\n"
    )
    text = Table.of(pieces_of(tmp_path / "text"), COLUMNS)
    other = table_of(tmp_path / "parquet", rows_at([1, 2, 5], ids=["a", "b", "c"], labels=["no", "yes", None]))
    for hours in ((0, 24), (1, 2), (2, 6)):
        rows = [each.window(window(*hours)).read().to_pylist() for each in (text, other)]
        assert rows[0] == rows[1]


def test_ids_that_occur_are_those_of_rows_of_interest(tmp_path: Path) -> None:
    found = table_of(tmp_path, rows_at([1], ids=["a"]), rows_at([5, 6], ids=["b", "c"]), since=at(4))
    occurring = found.occurring(IdSet(pa.array(["c", "a", "x", "b"])))
    assert occurring.contains(pa.array(["c", "a", "x", "b"])).tolist() == [True, False, False, True]
    assert not found.occurring(IdSet(pa.array([], pa.string()))).keys.size


def test_a_prediction_happened_at_the_earliest_of_its_rows(tmp_path: Path) -> None:
    found = table_of(tmp_path, rows_at([5, 2], ids=["a", "b"]), rows_at([3, 9], ids=["a", "c"]))
    moments = found.event_times_of(pa.array(["a", "x", None, "c", "a"]))
    assert moments.us[moments.valid].tolist() == [us(3), us(9), us(3)]
    assert moments.valid.tolist() == [True, False, False, True, True]


def test_a_row_of_interest_goes_before_an_older_one_with_its_id(tmp_path: Path) -> None:
    pieces = parquet(tmp_path, rows_at([1], ids=["a"]), rows_at([8, 6], ids=["a", "a"]))
    found = Table.of(pieces, COLUMNS, inside=EventTimeRange.of(since=at(5)))
    assert found.event_times_of(pa.array(["a"])).us.tolist() == [us(6)]
    assert Table.of(pieces, COLUMNS).event_times_of(pa.array(["a"])).us.tolist() == [us(1)]


def test_a_table_without_ids_finds_no_prediction_by_a_foreign_id(tmp_path: Path) -> None:
    found = table_of(tmp_path, rows_at([1, 2]))
    moments = found.event_times_of(pa.array(["x", "0.parquet:1"]))
    assert (moments.valid.tolist(), moments.us.tolist()[1]) == ([False, True], us(2))


def test_the_findings_of_a_window_are_complete_after_the_pass(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "ts,p,age,city,y,known_at\n"
        "2024-01-01T01:00:00Z,0.5,x,EWR,no,soon\n"
        "2024-01-01T01:30:00Z,7,1,EWR,no,\n"
        ",0.5,1,EWR,no,\n"
    )
    found = Table.of(pieces_of(tmp_path), COLUMNS)
    scan = found.window(window(1, 2))
    assert scan.read().num_rows == 2
    kinds = {each.kind: finding_text(each) for each in scan.findings()}
    assert set(kinds) == {"no event time", "unusable answers", "not a number", "no label time"}
    assert kinds["unusable answers"].startswith("1 of 2 rows")
    assert found.window(window(3, 4)).findings() == ()


def test_cells_of_some_rows_of_a_window_by_their_ids(tmp_path: Path) -> None:
    photos = pa.array([b"one", b"two", None, b"four"])
    first = rows_at([1, 2, 3, 9], ids=["a", "b", "c", "d"]).append_column("photo", photos)
    second = rows_at([4, 5], ids=["a", "e"])
    found = table_of(tmp_path, first, second)
    wanted = IdSet(pa.array(["a", "b", "c", "d", "e"]))
    assert found.cells("photo", window(0, 8), wanted) == {"a": b"one", "b": b"two"}
    assert found.cells("photo", window(8, 12), wanted) == {"d": b"four"}
    assert found.cells("photo", window(0, 8), IdSet(pa.array(["b"]))) == {"b": b"two"}


def test_cells_of_rows_without_ids_go_by_file_and_place(tmp_path: Path) -> None:
    found = table_of(tmp_path, rows_at([1, 2]).append_column("photo", pa.array([b"one", b"two"])))
    assert found.cells("photo", window(0, 8), IdSet(pa.array(["0.parquet:1"]))) == {"0.parquet:1": b"two"}


def test_problems_of_inputs_are_those_of_pieces_with_rows_in_the_window(tmp_path: Path) -> None:
    found = table_of(tmp_path, rows_at([1]), rows_at([5]).drop_columns(["age"]))
    problems = []
    for hours in ((1, 2), (5, 6)):
        scan = found.window(window(*hours))
        scan.read()
        problems.append(scan.sums.input_problems())
    assert problems == [(), (("age", "absent"),)]


def test_a_piece_that_spans_many_windows_is_read_once_while_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = table_of(tmp_path, rows_at(range(10)), rows_at(range(10)))
    first = found.window(window(0, 1)).read()
    for path in tmp_path.iterdir():
        path.rename(path.with_suffix(".moved"))
    assert found.window(window(0, 1)).read().to_pylist() == first.to_pylist()
    monkeypatch.setattr(table, "KEPT_BYTES", 1)
    with pytest.raises(CannotRun):
        found.window(window(0, 1)).read()


def test_a_file_that_cannot_be_read_stops_the_run(tmp_path: Path) -> None:
    pieces = parquet(tmp_path, rows_at([1]))
    (tmp_path / "0.parquet").unlink()
    with pytest.raises(CannotRun):
        Table.of(pieces, COLUMNS)
