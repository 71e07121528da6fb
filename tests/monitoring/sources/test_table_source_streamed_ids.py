"""A Parquet table with ids is read in batches, and comes to what it comes to when its pieces are read whole."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from monitoring.baseline import batch
from monitoring.config import load_config
from monitoring.records import MonitorStatus
from monitoring.traffic.labels.label_log import LabelLog
from monitoring.traffic.tables import piece_reader, repeats
from monitoring.traffic.tables.piece_reader import PieceReader
from tests.own_table import NOW, no_parquet, own_rows, watch
from tests.small_deployment import Days

LIVE = Days(days=9, broken_from=6)


def told(status: MonitorStatus) -> list[tuple[object, ...]]:
    return [
        (
            (w.start, w.rows, w.labels, w.labels_unknown, w.labels_conflicting, w.status, w.label_delays, w.repeats),
            w.scores,
            w.estimates,
            w.realised_losses,
            w.findings,
        )
        for w in status.windows
    ]


def with_column(rows: pa.Table, name: str, column: pa.Array | pa.ChunkedArray) -> pa.Table:
    return rows.set_column(rows.column_names.index(name), name, column)


def with_repeats(rows: pa.Table, *, nameless: bool) -> pa.Table:
    """Some rows again: in the same instant, hours and days later, with their label, another one, and none.

    Some are `nameless`, and known by their file.
    """
    parts = [rows]
    for step, hours, label in (
        (7, 0, "late"),
        (11, 3, None),
        (13, 30, "late"),
        (17, 80, "on_time"),
        (19, 1, "neither"),
    ):
        some = rows.take(pa.array(range(0, rows.num_rows, step)))
        for name in ("ts", "known_at"):
            later = pc.add(some[name].cast(pa.int64()), hours * 3_600_000_000).cast(some[name].type)
            some = with_column(some, name, later)
        parts.append(some if step == 11 else with_column(some, "y", pa.array([label] * len(some), pa.string())))
    whole = pa.concat_tables(parts)
    without = pa.array((np.arange(len(whole)) % 23 == 0) & nameless)
    return with_column(whole, "id", pc.if_else(without, pa.scalar(None, pa.string()), whole["id"]))


def stages(rows: pa.Table) -> list[pa.Table]:
    """Labels of some rows missing, then there, then others."""
    hidden = pc.less_equal(pc.day(rows["ts"]), 2)
    early = with_column(rows, "y", pc.if_else(hidden, pa.scalar(None, pa.string()), rows["y"]))
    other = pc.if_else(pc.equal(pc.day(rows["ts"]), 3), pa.scalar("late"), rows["y"])
    return [early, rows, with_column(rows, "y", other), with_column(rows, "y", other)]


def runs(place: Path, tables: list[pa.Table], *, known: bool, files: int = 1, rename: bool = False) -> MonitorStatus:
    """The same table again and again, judged each time some days further; in several files, under other names."""
    place.mkdir()
    watched = watch(place, label_time="known_at" if known else None)
    found = None
    for number, table in enumerate(tables):
        last = number == len(tables) - 1
        now = NOW if last else datetime(2013, 4, 3 + 2 * number, 6, tzinfo=UTC)
        rows = (table if known else table.drop_columns(["known_at"])).filter(pc.less(table["ts"], pa.scalar(now)))
        for old in (place / "live").glob("*") if rename else ():
            old.unlink()
        size = -(-rows.num_rows // files)
        for file in range(files):
            name = f"{file}-{number}.parquet" if rename else f"{file}.parquet"
            (place / "live").mkdir(exist_ok=True)
            pq.write_table(rows.slice(file * size, size), place / "live" / name, row_group_size=size // 2 + 1)
        found = watched.run(traffic="live/*.parquet", now=now)[1]
    assert found is not None
    return found


@pytest.mark.timeout(900)  # eight runs, each with its fit
@pytest.mark.parametrize(
    ("known", "files", "rename"),
    [
        pytest.param(False, 1, False, marks=pytest.mark.slow),
        (True, 3, False),
        pytest.param(False, 3, True, marks=pytest.mark.slow),
    ],
)
def test_repeats_and_labels_count_the_same_in_batches_and_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: bool, files: int, rename: bool
) -> None:
    tables = stages(with_repeats(own_rows(LIVE), nameless=not rename).sort_by("ts"))
    with monkeypatch.context() as patch:
        patch.setattr(PieceReader, "in_batches", lambda *_: False)
        whole = runs(tmp_path / "whole", tables, known=known, files=files, rename=rename)
    assert sum(w.repeats for w in whole.windows) > 100
    assert any(w.labels_conflicting for w in whole.windows)
    assert any(w.labels_unknown for w in whole.windows) == known, "labels next to their rows name a prediction"
    with monkeypatch.context() as patch:
        patch.setattr(PieceReader, "whole", no_parquet)
        patch.setattr(piece_reader, "ROWS", 37)
        patch.setattr(batch, "ROWS", 41)
        patch.setattr(repeats, "AT_ONCE", 50)
        in_batches = runs(tmp_path / "batches", tables, known=known, files=files, rename=rename)
    assert told(in_batches) == told(whole)


def test_labels_of_rows_of_their_own_id_are_in_no_log(tmp_path: Path) -> None:
    found = runs(tmp_path / "here", [own_rows(LIVE)], known=False)
    assert found.coverage.labels > 0
    log = load_config(tmp_path / "here" / "flights" / "monitor.toml").traffic.label_log
    assert LabelLog(log).read().num_rows == 0
