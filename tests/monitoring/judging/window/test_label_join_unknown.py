"""Labels of no known prediction are counted, and reported where they are most of a window's."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from monitoring.config import load_config
from monitoring.inspection.status import status
from monitoring.records import Finding, MonitorStatus
from monitoring.runs.run import run_due_windows
from monitoring.sentences.finding_text import finding_text
from monitoring.store.store import Store
from tests.own_table import NOW, Watched, own_rows, watch
from tests.small_deployment import Days

LIVE = Days(days=6)
FOURTH = datetime(2013, 4, 4, tzinfo=UTC)


def numbered() -> pa.Table:
    """Live rows whose ids are whole numbers, each with a label."""
    rows = own_rows(LIVE)
    rows = rows.set_column(rows.column_names.index("y"), "y", pc.fill_null(rows["y"], "late"))
    return rows.set_column(0, "id", pa.array(np.arange(rows.num_rows)).cast(pa.string()))


def run(watched: Watched, rows: pa.Table, labels: pa.Table, now: datetime = NOW) -> MonitorStatus:
    """Judge rows without labels, and labels in a table apart."""
    watched.live("all.parquet", rows.drop_columns(["y", "known_at"]))
    pq.write_table(labels, watched.folder / "labels.parquet")
    config = load_config(watched.adopted.config)
    paths = {"path": (watched.folder / "live").absolute(), "labels": (watched.folder / "labels.parquet").absolute()}
    config = config.model_copy(update={"traffic": config.traffic.model_copy(update=paths)})
    with Store.open(config.store.url) as store:
        done = run_due_windows(config, store, clock=lambda: now)
        return status(store, config.model.name, done.deployment)


def reported(found: MonitorStatus) -> list[tuple[int, Finding]]:
    return [
        (place, finding)
        for place, window in enumerate(found.windows)
        for finding in window.findings
        if finding.kind == "unknown predictions"
    ]


def test_labels_with_differently_spelled_ids_are_counted_once_and_one_id_is_shown(tmp_path: Path) -> None:
    watched, rows = watch(tmp_path), numbered()
    labels = rows.select(["id", "y"]).set_column(0, "id", pc.binary_join_element_wise(rows["id"], "0", "."))
    first = run(watched, rows.filter(pc.less(rows["ts"], pa.scalar(FOURTH))), labels, FOURTH)
    assert first.coverage.labels_unknown == first.windows[0].labels_unknown == rows.num_rows
    [(place, finding)] = reported(first)
    text = "360 labels are of no known prediction; the id of one is of the form '9.9', that of a prediction '9'."
    assert (place, finding_text(finding)) == (0, text)
    found = run(watched, rows, labels)
    assert (found.coverage.labels, found.coverage.labels_unknown) == (0, rows.num_rows)
    assert reported(found) == [(place, finding)]


def test_labels_of_no_row_are_reported_in_the_window_of_their_time(tmp_path: Path) -> None:
    watched, rows = watch(tmp_path), numbered()
    labels = rows.select(["id", "y", "known_at"])
    labels = labels.set_column(2, "known_at", rows["ts"])
    day = np.asarray(pc.day(rows["ts"]))
    ids = [f"{name}.0" if when == 5 else name for name, when in zip(rows["id"].to_pylist(), day, strict=True)]
    found = run(watched, rows, labels.set_column(0, "id", pa.array(ids)))
    assert [w.labels_unknown for w in found.windows] == [0, 0, 0, 0, 60, 0]
    assert [place for place, _ in reported(found)] == [4]


def test_labels_may_arrive_before_their_rows(tmp_path: Path) -> None:
    watched, rows = watch(tmp_path), numbered()
    labels = rows.select(["id", "y"])
    first = run(watched, rows.filter(pc.less(rows["ts"], pa.scalar(FOURTH))), labels, FOURTH)
    assert (len(first.windows), first.coverage.labels, first.coverage.labels_unknown) == (2, 120, 180)
    found = run(watched, rows, labels)
    assert (found.coverage.labels, found.coverage.labels_unknown) == (rows.num_rows, 180)


@pytest.mark.parametrize("kind", [pa.float64(), pa.int64()])
def test_integer_ids_match_however_they_are_stored(tmp_path: Path, kind: pa.DataType) -> None:
    watched, rows = watch(tmp_path), numbered()
    ids = rows["id"].cast(pa.int64()).cast(kind)
    found = run(watched, rows, rows.select(["id", "y"]).set_column(0, "id", ids))
    assert (found.coverage.labels, found.coverage.labels_unknown) == (rows.num_rows, 0)


def test_empty_labels_do_not_wait_for_a_row(tmp_path: Path) -> None:
    watched, rows = watch(tmp_path), numbered()
    labels = pa.table({"id": ["x", "y", "z"], "y": pa.array([np.nan, None, 1.0])})
    assert run(watched, rows, labels).coverage.labels_unknown == 1
