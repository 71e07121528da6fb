"""Traffic whose labels of errors arrive first: no loss is tested before its early labels are representative."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from monitoring.records import MonitorStatus, WindowRecord
from tests.own_table import Watched, own_rows, watch
from tests.small_deployment import Days

#: All labels of what was right come so much later than those of errors, which come at once.
LATER = timedelta(days=3)


def slow_rows(days: int = 9) -> pa.Table:
    rows = own_rows(Days(days=days))
    wrong = pc.not_equal(pc.greater(rows["late"], 0.5), pc.equal(rows["y"], "late"))
    when = pc.if_else(wrong, rows["ts"], pc.add(rows["ts"], pa.scalar(LATER, pa.duration("us"))))
    return rows.set_column(rows.column_names.index("known_at"), "known_at", when)


def losses(window: WindowRecord) -> dict[str, int]:
    return {s.watch: s.rows for s in window.scores if not s.slice and s.watch in ("error", "brier", "surprise_error")}


def pages(status: MonitorStatus) -> list[object]:
    return [i for i in status.incidents if i.level == "page"]


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> tuple[Watched, MonitorStatus]:
    watched = watch(tmp_path_factory.mktemp("slow"))
    watched.live("all.parquet", slow_rows())
    return watched, watched.run()[1]


def test_no_loss_is_tested_before_early_labels_are_representative(slow: tuple[Watched, MonitorStatus]) -> None:
    _, status = slow
    waiting = [w for w in status.windows if any(f.kind == "labels still arriving" for f in w.findings)]
    assert waiting == list(status.windows[:3])
    assert all(w.labels > 0 and set(losses(w).values()) == {0} for w in waiting)
    assert all(set(losses(w).values()) == {w.labels} for w in status.windows[3:9])
    assert all(e.interval_checks.rows == 0 for w in waiting for e in w.estimates)


def test_no_loss_is_tested_where_labels_of_what_was_right_alone_come_after_the_last_row(
    slow: tuple[Watched, MonitorStatus],
) -> None:
    after = slow[1].windows[9:]
    assert all(w.labels > 0 and set(losses(w).values()) == {0} for w in after)
    assert [f.kind for w in after for f in w.findings] == ["labels alone", "late labels alone"] * 3


def test_errors_that_are_labelled_first_are_no_page(slow: tuple[Watched, MonitorStatus]) -> None:
    assert not pages(slow[1])


def test_outputs_are_tested_meanwhile(slow: tuple[Watched, MonitorStatus]) -> None:
    first = slow[1].windows[0]
    assert {s.rows for s in first.scores if s.watch == "output:late" and not s.slice} == {first.rows}


def test_runs_interrupted_meanwhile_have_the_same_records(slow: tuple[Watched, MonitorStatus], tmp_path: Path) -> None:
    watched = watch(tmp_path)
    watched.live("all.parquet", slow_rows())
    for day in (2, 3, 5):
        watched.run(now=datetime(2013, 4, day, 7, tzinfo=UTC))
    _, status = watched.run()
    told = [(w.start, w.labels, w.scores, w.findings, w.estimates) for w in status.windows[:9]]
    assert told == [(w.start, w.labels, w.scores, w.findings, w.estimates) for w in slow[1].windows[:9]]
    after = [w for w in status.windows[9:] if w.labels]
    assert len(after) == 3
    assert all(set(losses(w).values()) == {0} for w in after), "the traffic was followed, and stopped"
