"""Labels that arrive later than the label horizon after their rows are reported, all of them, once."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from monitoring.config import load_config
from monitoring.jobs.run import run_due_windows
from monitoring.jobs.status import status
from monitoring.records import MonitorStatus
from monitoring.store.store import Store
from tests.own_table import NOW, Watched, own_rows, watch
from tests.small_deployment import Days

LIVE = Days(days=14)


def without_labels(rows: pa.Table, after: int) -> pa.Table:
    """The rows, of which those of later days have no label yet."""
    hidden = pc.if_else(pc.greater(pc.day(rows["ts"]), after), pa.scalar(None, pa.string()), rows["y"])
    return rows.set_column(rows.column_names.index("y"), "y", hidden)


def write(folder: Path, rows: pa.Table, kind: str) -> None:
    """A file a day."""
    folder.mkdir(exist_ok=True)
    for day in pc.unique(pc.day(rows["ts"])).to_pylist():
        some = rows.filter(pc.equal(pc.day(rows["ts"]), day))
        if kind == "parquet":
            pq.write_table(some, folder / f"{day:02}.parquet")
            continue
        floats = [some[name].cast(pa.float64()) if name in FLOATS else some[name] for name in some.column_names]
        pyarrow.csv.write_csv(pa.table(floats, names=some.column_names), folder / f"{day:02}.csv")


FLOATS = {"temp", "on_time", "late"}


def run(watched: Watched, rows: pa.Table, way: str, now: datetime) -> MonitorStatus:
    """Judge what is due of the rows before `now`."""
    live, truth = watched.folder / "live", watched.folder / "truth"
    rows = rows.filter(pc.less(rows["ts"], pa.scalar(now)))
    write(live, rows.drop_columns(["y"]) if way == "apart" else rows, "csv" if way == "csv" else "parquet")
    paths = {"path": live.absolute()}
    if way == "apart":
        write(truth, rows.select(["id", "ts", "y"]), "parquet")
        paths["labels"] = truth.absolute()
    config = load_config(watched.adopted.config)
    config = config.model_copy(update={"traffic": config.traffic.model_copy(update=paths)})
    with Store.open(config.store.url) as store:
        done = run_due_windows(config, store, clock=lambda: now)
        return status(store, config.model.name, done.deployment)


@pytest.mark.parametrize(("way", "first"), [("named", 0), ("nameless", 2), ("csv", 0), ("apart", 2)])
def test_overdue_labels_are_reported_once_and_none_is_unknown(tmp_path: Path, way: str, first: int) -> None:
    watched = watch(tmp_path, label_time=None, prediction_id=None if way == "nameless" else "id")
    rows = own_rows(LIVE).drop_columns(["known_at"])
    rows = rows.drop_columns(["id"]) if way == "nameless" else rows
    rows = rows.set_column(rows.column_names.index("y"), "y", pc.fill_null(rows["y"], "late"))
    early = run(watched, without_labels(rows, first), way, datetime(2013, 4, 11, 7, tzinfo=UTC))
    assert (len(early.windows), early.coverage.labels) == (10, 60 * first)
    run(watched, rows, way, datetime(2013, 4, 12, 7, tzinfo=UTC))
    found = run(watched, rows, way, NOW)
    late = 60 * (3 - first)
    assert [
        (at, f.message) for at, w in enumerate(found.windows) for f in w.findings if f.kind == "labels too late"
    ] == [(10, f"{late} labels arrived later than label_horizon (7 days) after their predictions, and are ignored.")]
    assert (found.coverage.labels, found.coverage.labels_unknown) == (14 * 60 - late, 0)
    assert not [f for w in found.windows for f in w.findings if f.kind == "unknown predictions"]
