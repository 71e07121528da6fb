"""Rows that arrive after their window was judged are reported once, and their labels are due."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from monitoring.records import MonitorStatus
from monitoring.sentences.finding_text import finding_text
from monitoring.traffic.tables.piece_reader import PieceReader
from tests.own_table import NOW, Watched, own_rows, watch
from tests.small_deployment import Days

LIVE = Days(days=8)

ARRIVED = "rows arrived after their window was judged. They are not scored without a backfill; labels for them count."

AGAIN = "Rows sent again for windows that are judged:"


def day(rows: pa.Table, first: int, last: int) -> pa.Table:
    when = pc.day(rows["ts"])
    return rows.filter(pc.and_(pc.greater_equal(when, first), pc.less_equal(when, last)))


def reported(found: MonitorStatus, kind: str = "late rows") -> list[tuple[int, str]]:
    return [(at, finding_text(f)) for at, w in enumerate(found.windows) for f in w.findings if f.kind == kind]


def grown(watched: Watched, now: int | None, tables: list[pa.Table]) -> MonitorStatus:
    """The traffic as one file, of small row groups; judged on a day of April."""
    watched.live("all.parquet", pa.concat_tables(tables))
    return watched.run(now=NOW if now is None else datetime(2013, 4, now, 7, tzinfo=UTC))[1]


@pytest.mark.parametrize("streamed", [True, False])
def test_late_rows_are_reported_once_and_their_labels_are_due(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, streamed: bool
) -> None:
    if not streamed:
        monkeypatch.setattr(PieceReader, "in_batches", lambda *_: False)
    watched, rows = watch(tmp_path, label_time=None), own_rows(LIVE).drop_columns(["known_at"])
    rows = rows.set_column(rows.column_names.index("y"), "y", pc.fill_null(rows["y"], "late"))
    ids = pc.binary_join_element_wise("again", rows["id"], "-")
    more = day(rows.set_column(0, "id", ids), 2, 3).slice(0, 70)
    copies = day(rows, 3, 3)
    assert reported(grown(watched, 4, [day(rows, 1, 3)])) == []
    assert reported(grown(watched, 5, [day(rows, 1, 4), copies])) == []
    found = grown(watched, 6, [day(rows, 1, 5), copies, more])
    expected = [(4, f"70 {ARRIVED}")]
    assert reported(found) == expected
    assert [w.rows for w in found.windows] == [60] * 5
    assert (found.coverage.labels, found.coverage.labels_due) == (370, 370)
    more = pa.concat_tables([more, day(rows.set_column(0, "id", ids), 4, 4).slice(0, 5)])
    found = grown(watched, None, [rows, copies, more])
    expected.append((5, f"5 {ARRIVED}"))
    assert reported(found) == expected
    assert found.coverage.labels == found.coverage.labels_due == 8 * 60 + 75
    [(at, message)] = reported(found, "rows sent again")
    assert (at, message.partition(".")[0]) == (3, f"{AGAIN} 60")


def test_a_day_that_is_sent_again_makes_no_window_and_the_run_says_so(tmp_path: Path) -> None:
    watched, rows = watch(tmp_path, label_time=None), own_rows(LIVE).drop_columns(["known_at"])
    watched.live("all.parquet", rows)
    watched.run()
    watched.live("again.parquet", day(rows, 6, 6))
    done, found = watched.run()
    assert (done.judged, done.waiting_labels, len(found.windows)) == (0, 0, 8)
    assert [finding_text(f).partition(".")[0] for f in done.unreported if f.kind == "rows sent again"] == [
        f"{AGAIN} 60"
    ]
