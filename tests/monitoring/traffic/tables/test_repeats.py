"""Rows that share an id are found exactly, whatever the pieces and batches that they lie in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.traffic.tables import piece_reader, repeats
from monitoring.traffic.tables.extents import EventTimeRange, find_extents
from monitoring.traffic.tables.piece_reader import PieceReader
from monitoring.traffic.tables.repeats import IdsHere, Repeats, find_repeats, first_of_each, identified_rows
from tests.monitoring.traffic.tables.table_files import COLUMNS, parquet, rows_at, us

ROW = st.tuples(st.integers(0, 5), st.sampled_from("abcd"))


def found_in(folder: Path, *tables: pa.Table, inside: EventTimeRange | None = None, rows: int = 1000) -> Repeats:
    reader, inside = PieceReader(COLUMNS), inside or EventTimeRange()
    pieces = parquet(folder, *tables, rows=rows)
    extents = find_extents(pieces, COLUMNS, reader, inside=inside).extents
    return find_repeats(extents, IdsHere(columns=COLUMNS, reader=reader), inside)


def plain(found: Repeats) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    shared, dropped = (
        {number: places.tolist() for number, places in each.items()} for each in (found.shared, found.dropped)
    )
    return shared, dropped


def test_of_rows_with_one_id_the_earliest_counts(tmp_path: Path) -> None:
    found = found_in(tmp_path, rows_at([3, 1, 2], ids=["a", "a", "b"]), rows_at([2], ids=["a"]))
    assert plain(found) == ({0: [0, 1], 1: [0]}, {0: [0], 1: [0]})


def test_of_rows_of_one_time_the_last_counts(tmp_path: Path) -> None:
    found = found_in(tmp_path, rows_at([1, 1], ids=["a", "a"]), rows_at([1, 2], ids=["a", "a"]))
    assert plain(found) == ({0: [0, 1], 1: [0, 1]}, {0: [0, 1], 1: [1]})


def test_ids_that_differ_repeat_nothing(tmp_path: Path) -> None:
    assert plain(found_in(tmp_path, rows_at([1, 2], ids=["a", "b"]), rows_at([1], ids=["c"]))) == ({}, {})
    assert plain(find_repeats((), IdsHere(columns=COLUMNS, reader=PieceReader(COLUMNS)), EventTimeRange())) == ({}, {})


def test_rows_without_an_id_or_a_time_are_no_repeats(tmp_path: Path) -> None:
    found = found_in(tmp_path, rows_at([1, 2, None, 4], ids=[None, None, "a", "a"]))
    assert plain(found) == ({}, {})


def test_rows_outside_the_range_are_not_compared(tmp_path: Path) -> None:
    tables = rows_at([1, 5], ids=["a", "b"]), rows_at([6, 7], ids=["a", "b"])
    found = found_in(tmp_path, *tables, inside=EventTimeRange(first=us(4)))
    assert plain(found) == ({0: [1], 1: [1]}, {1: [1]})


def test_ids_whose_keys_collide_are_compared_as_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "id_keys", lambda ids: np.zeros(len(ids), dtype=np.int64))
    found = found_in(tmp_path, rows_at([1, 2, 3, 4], ids=["a", "b", "b", "c"]))
    assert plain(found) == ({0: [1, 2]}, {0: [2]})


@settings(max_examples=40)
@given(st.lists(st.lists(ROW, min_size=1, max_size=8), min_size=1, max_size=3), st.integers(1, 4))
def test_repeats_are_those_of_a_plain_search(
    tmp_path_factory: pytest.TempPathFactory, files: list[list[tuple[int, str]]], at_once: int
) -> None:
    folder = tmp_path_factory.mktemp("repeats")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repeats, "AT_ONCE", at_once)
        patch.setattr(piece_reader, "ROWS", 3)
        tables = [rows_at([hour for hour, _ in rows], ids=[name for _, name in rows]) for rows in files]
        found = found_in(folder, *tables)
    by_id: dict[str, list[tuple[int, int, int]]] = {}
    for number, rows in enumerate(files):
        for place, (hour, name) in enumerate(rows):
            by_id.setdefault(name, []).append((hour, -number, -place))
    shared = sorted((-n, -p) for rows in by_id.values() if len(rows) > 1 for _, n, p in rows)
    counted = {min(rows)[1:] for rows in by_id.values()}
    dropped = [(n, p) for n, p in shared if (-n, -p) not in counted]
    assert [(n, p) for n in sorted(found.shared) for p in found.shared[n].tolist()] == shared
    assert [(n, p) for n in sorted(found.dropped) for p in found.dropped[n].tolist()] == dropped


@given(st.lists(ROW, max_size=20))
def test_exactly_one_row_of_each_id_counts(rows: list[tuple[int, str]]) -> None:
    rows = sorted(rows, key=lambda row: row[0])
    ids = [name for _, name in rows]
    counts = first_of_each(pa.array(ids, pa.string()), np.array([hour for hour, _ in rows], dtype=np.int64))
    assert sorted(name for name, one in zip(ids, counts, strict=True) if one) == sorted(set(ids))
    for place, (hour, name) in enumerate(rows):
        if counts[place]:
            same = [other for other, (when, one) in enumerate(rows) if one == name and when <= hour]
            assert max(same) == place
            assert all(rows[other][0] == hour for other in same)


def test_identified_rows_keep_places_ids_and_times_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(piece_reader, "ROWS", 2)
    reader = PieceReader(COLUMNS)
    pieces = parquet(tmp_path, rows_at([1, None, 3, 9, 5], ids=["a", "b", None, "d", "e"]))
    inside = EventTimeRange(first=us(2), last=us(6))
    (extent,) = find_extents(pieces, COLUMNS, reader, inside=inside).extents
    rows = [
        row
        for each in identified_rows(extent, COLUMNS, reader, inside)
        for row in zip(each.places.tolist(), each.ids.to_pylist(), each.us.tolist(), strict=True)
    ]
    assert rows == [(2, "0.parquet:2", us(3)), (4, "e", us(5))]
