"""A table without ids is read in one stream, and comes to what the same rows come to when they are indexed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from monitoring.baseline import batch
from monitoring.config import load_config
from monitoring.records import MonitorStatus
from monitoring.traffic.labels.label_log import LabelLog
from monitoring.traffic.tables import piece_reader
from monitoring.traffic.tables.inline_labels import FOLDER
from monitoring.traffic.tables.piece_reader import PieceReader
from tests.own_table import NOW, REFERENCE, Watched, no_parquet, own_rows, watch
from tests.small_deployment import Days

LIVE = Days(days=9, broken_from=6)


def rows_of(days: Days, *, known: bool = False) -> pa.Table:
    return own_rows(days).drop_columns(["id"] if known else ["id", "known_at"])


def watched_at(place: Path, *, known: bool = False) -> Watched:
    place.mkdir()
    label_time = "known_at" if known else None
    return watch(place, rows_of(REFERENCE, known=known), prediction_id=None, label_time=label_time)


def told(status: MonitorStatus) -> list[tuple[object, ...]]:
    return [
        (
            w.start,
            w.rows,
            w.labels,
            w.labels_unknown,
            w.labels_conflicting,
            w.status,
            w.scores,
            w.estimates,
            w.realised_losses,
            w.label_delays,
        )
        for w in status.windows
    ]


def put(watched: Watched, place: Path, rows: pa.Table, *, text: bool, group: int = 10**6) -> None:
    folder = place / "live"
    folder.mkdir(exist_ok=True)
    if not text:
        pq.write_table(rows, folder / "all.parquet", row_group_size=group)
        return
    for name in ("ts", "known_at"):
        if name in rows.column_names:
            at = rows.column_names.index(name)
            rows = rows.set_column(at, name, pc.strftime(rows[name], "%Y-%m-%d %H:%M:%SZ"))
    for name in ("temp", "on_time", "late"):
        rows = rows.set_column(rows.column_names.index(name), name, rows[name].cast(pa.float64()))
    pyarrow.csv.write_csv(rows, folder / "all.csv")


def runs(place: Path, tables: list[pa.Table], *, text: bool, known: bool = False, group: int = 10**6) -> MonitorStatus:
    """The same file with other labels, judged each time some days further."""
    watched = watched_at(place, known=known)
    found = None
    for number, rows in enumerate(tables):
        put(watched, place, rows, text=text, group=group)
        last = number == len(tables) - 1
        now = NOW if last else datetime(2013, 4, 3 + 2 * number, 6, tzinfo=UTC)
        found = watched.run(traffic="live/*.csv" if text else "live/*.parquet", now=now)[1]
    assert found is not None
    return found


def stages() -> list[pa.Table]:
    """Labels of some rows missing, then there, then others."""
    rows = rows_of(LIVE)
    place = rows.column_names.index("y")
    hidden = pc.less_equal(pc.day(rows["ts"]), 2)
    early = rows.set_column(place, "y", pc.if_else(hidden, pa.scalar(None, pa.string()), rows["y"]))
    other = pc.if_else(pc.equal(pc.day(rows["ts"]), 3), pa.scalar("late"), rows["y"])
    return [early, rows, rows.set_column(place, "y", other), rows.set_column(place, "y", other)]


@pytest.mark.slow
@pytest.mark.timeout(600)  # eight runs, each with its fit
def test_labels_late_and_changed_count_as_in_an_indexed_table(tmp_path: Path) -> None:
    indexed = runs(tmp_path / "csv", stages(), text=True)
    assert any(w.labels_conflicting for w in indexed.windows)
    assert any(w.labels > 60 for w in indexed.windows)
    assert told(runs(tmp_path / "parquet", stages(), text=False)) == told(indexed)


def test_labels_with_times_of_their_own_count_as_in_an_indexed_table(tmp_path: Path) -> None:
    rows = rows_of(LIVE, known=True)
    at_once = pa.array(np.arange(rows.num_rows) % 3 == 0)  # these become known in the very moment of their row
    known = pc.if_else(pc.and_(at_once, rows["y"].is_valid()), rows["ts"], rows["known_at"])
    rows = rows.set_column(rows.column_names.index("known_at"), "known_at", known)
    indexed = runs(tmp_path / "csv", [rows, rows], text=True, known=True)
    assert sum(w.labels for w in indexed.windows) == rows.num_rows - rows["y"].null_count
    assert told(runs(tmp_path / "parquet", [rows, rows], text=False, known=True)) == told(indexed)


@pytest.mark.parametrize("group", [10**6, 50])
def test_rows_read_at_once_and_row_groups_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, group: int
) -> None:
    rows = rows_of(LIVE)
    whole = runs(tmp_path / "whole", [rows], text=False)
    monkeypatch.setattr(piece_reader, "ROWS", 13)
    monkeypatch.setattr(batch, "ROWS", 17)
    assert told(runs(tmp_path / "parts", [rows], text=False, group=group)) == told(whole)


def test_a_labels_that_came_with_its_row_is_in_no_log_and_its_window_is_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PieceReader, "whole", no_parquet)
    found = runs(tmp_path / "here", [rows_of(LIVE)], text=False)
    assert found.coverage.labels > 0
    log = load_config(tmp_path / "here" / "flights" / "monitor.toml").traffic.label_log
    assert LabelLog(log).read().num_rows == 0
    assert len(list((log / FOLDER).iterdir())) == len(found.windows)
