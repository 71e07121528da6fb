"""Labels that come after the traffic: no file on the first day, rows that follow, and long label delays alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from monitoring.config import MonitorConfig, load_config
from monitoring.errors import BadInput
from monitoring.inspection.status import status
from monitoring.records import WindowRecord
from monitoring.reports.sections.headline import headline
from monitoring.runs.idle import idle_deployment
from monitoring.runs.run import RunResult, run_due_windows
from monitoring.sentences.finding_text import finding_text
from monitoring.store.store import Store
from tests.own_table import Watched, own_rows, watch
from tests.small_deployment import LIVE, Days

DAY_US = 86_400_000_000
LATER = datetime(2014, 1, 1, tzinfo=UTC)


def day(number: int) -> datetime:
    return LIVE + timedelta(days=number)


class Apart:
    """A table whose labels are in files of their own, below `labels/`."""

    def __init__(self, folder: Path, **description: Any) -> None:
        self.watched: Watched = watch(folder, **description)
        for name in ("live", "labels"):
            (folder / name).mkdir()

    @property
    def config(self) -> MonitorConfig:
        config = load_config(self.watched.adopted.config)
        places = {name: (self.watched.folder / place).absolute() for name, place in PLACES}
        return config.model_copy(update={"traffic": config.traffic.model_copy(update=places)})

    def rows(self, rows: pa.Table, name: str) -> None:
        pq.write_table(rows.drop_columns(["y", "known_at"]), self.watched.folder / "live" / f"{name}.parquet")

    def labels(self, rows: pa.Table, name: str, *columns: str) -> None:
        known = rows.filter(rows["y"].is_valid())
        pq.write_table(known.select(["id", "y", *columns]), self.watched.folder / "labels" / f"{name}.parquet")

    def run(self, now: datetime = LATER) -> tuple[RunResult, tuple[WindowRecord, ...]]:
        with Store.open(self.config.store.url) as store:
            done = run_due_windows(self.config, store, clock=lambda: now)
            return done, store.windows.read(done.deployment)


PLACES = (("path", "live"), ("labels", "labels"))


def messages(windows: tuple[WindowRecord, ...], kind: str) -> list[str]:
    return [finding_text(one) for window in windows for one in window.findings if one.kind == kind]


def with_delays(rows: pa.Table, delay_us: NDArray[np.int64] | int) -> pa.Table:
    """The rows, whose labels become known so long after them."""
    known = pa.array(np.asarray(rows["ts"].cast(pa.int64())) + delay_us).cast(pa.timestamp("us", "UTC"))
    return rows.set_column(rows.column_names.index("known_at"), "known_at", known)


def labels_of(rows: pa.Table) -> int:
    return int(rows.num_rows - rows["y"].null_count)


def test_on_the_first_day_there_is_no_file_of_labels_and_they_count_when_they_come(tmp_path: Path) -> None:
    apart, rows = Apart(tmp_path, label_time=None), own_rows(Days(days=20))
    apart.rows(rows, "april")
    _, windows = apart.run()
    assert (len(windows), sum(one.rows for one in windows)) == (20, rows.num_rows)
    assert messages(windows, "no labels yet") == [
        "There is no file of labels yet: inputs and answers are judged, and losses once labels come."
    ]
    assert idle_deployment(apart.config, LATER) is not None
    apart.labels(rows, "april")
    assert idle_deployment(apart.config, LATER) is None
    done, windows = apart.run()
    assert (done.judged, windows[-1].start, windows[-1].rows) == (1, day(20), 0)
    recent = rows.filter(pc.greater_equal(rows["ts"], pa.scalar(day(13))))
    assert windows[-1].labels == labels_of(recent)
    assert messages(windows, "labels alone") == [
        f"{windows[-1].labels:,} labels of earlier rows arrived after the last row of the traffic, and are counted."
    ]
    late = labels_of(rows) - windows[-1].labels
    assert messages(windows, "labels too late") == [
        f"{late:,} labels arrived later than label_horizon (7 days) after their predictions, and are ignored."
    ]
    assert not messages(windows, "unknown predictions")
    assert not messages(windows, "traffic volume")
    again, _ = apart.run()
    assert again.judged == 0


def test_labels_of_rows_older_than_any_that_is_read_are_late_and_not_unknown(tmp_path: Path) -> None:
    apart, rows = Apart(tmp_path, label_time=None), own_rows(Days(days=40))
    for week in range(5):
        first, last = pa.scalar(day(8 * week)), pa.scalar(day(8 * week + 8))
        part = rows.filter(pc.and_(pc.greater_equal(rows["ts"], first), pc.less(rows["ts"], last)))
        apart.rows(part, f"week-{week}")
    apart.run()
    apart.labels(rows, "all")
    _, windows = apart.run()
    assert sum(one.labels_unknown for one in windows) == 0
    counted = windows[-1].labels
    assert 0 < counted < 8 * 60
    late = labels_of(rows) - counted
    assert messages(windows, "labels too late") == [
        f"{late:,} labels arrived later than label_horizon (7 days) after their predictions, and are ignored."
    ]
    apart.labels(rows, "all again")
    assert apart.run()[0].judged == 0


def test_labels_of_earlier_rows_do_not_stand_for_traffic(tmp_path: Path) -> None:
    apart, rows = Apart(tmp_path), with_delays(own_rows(Days(days=40)), 5 * DAY_US)
    apart.rows(rows, "all")
    apart.labels(rows, "all", "known_at")
    now = day(45) + timedelta(hours=7)
    done, windows = apart.run(now)
    assert [(one.rows, one.labels > 0) for one in windows[-5:]] == [(0, True)] * 5
    with Store.open(apart.config.store.url) as store:
        health = headline(status(store, apart.config.name, done.deployment, now=now)).health
    assert health.against == (("overdue", "no traffic since 11 May 2013"),)


def test_a_path_of_labels_that_is_none_is_refused(tmp_path: Path) -> None:
    apart = Apart(tmp_path)
    apart.rows(own_rows(Days(days=2)), "april")
    (tmp_path / "labels").rmdir()
    with pytest.raises(BadInput, match="There is no such table"):
        apart.run()
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "labels.xlsx").write_bytes(b"PK")
    with pytest.raises(BadInput, match="is not an Excel workbook"):
        apart.run()


def test_rows_that_follow_the_end_of_the_traffic_are_judged_as_if_they_had_been_there(tmp_path: Path) -> None:
    rows = with_delays(own_rows(Days(days=14)), 2 * DAY_US)
    until = pa.scalar(day(9) + timedelta(hours=5))
    first = rows.filter(pc.less(rows["ts"], until))
    for name in ("parts", "whole"):
        (tmp_path / name).mkdir()
    apart, whole = Apart(tmp_path / "parts"), Apart(tmp_path / "whole")
    apart.rows(first, "a")
    apart.labels(first, "a", "known_at")
    done, windows = apart.run()
    assert done.again_from is None
    assert windows[9].rows < 60
    assert not messages(windows, "traffic volume")
    assert windows[-1].start > day(9)
    assert sum(one.labels for one in windows) == labels_of(first)
    apart.rows(rows.filter(pc.greater_equal(rows["ts"], until)), "b")
    apart.labels(rows, "b", "known_at")
    done, windows = apart.run()
    assert done.again_from == day(9)
    whole.rows(rows, "all")
    whole.labels(rows, "all", "known_at")
    assert [(w.start, w.rows, w.labels, w.page_log_evidence) for w in windows] == [
        (w.start, w.rows, w.labels, w.page_log_evidence) for w in whole.run()[1]
    ]
    assert apart.run()[0].again_from is None


def test_labels_of_long_delays_alone_are_counted_and_not_judged(tmp_path: Path) -> None:
    """Errors are known on the sixth day and right answers on the next one: the last labels are errors alone."""
    apart, rows = Apart(tmp_path), own_rows(Days(days=30))
    wrong = np.asarray(pc.not_equal(rows["y"], "on_time").fill_null(False))
    delay = np.where(wrong, 6 * DAY_US, DAY_US)
    rows = with_delays(rows, delay)
    apart.rows(rows, "april")
    apart.labels(rows, "april", "known_at")
    _, windows = apart.run()
    assert sum(one.labels for one in windows) == labels_of(rows)
    told = messages(windows, "late labels alone")
    assert told
    assert told[-1].endswith("without those of short label delays: they are counted, and no loss is evaluated.")
