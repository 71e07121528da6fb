"""What a column of labels' times may hold that is no time is said, however the table is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from monitoring.config import load_config
from monitoring.errors import BadInput
from monitoring.inspection.status import status
from monitoring.records import MonitorStatus
from monitoring.runs.run import run_due_windows
from monitoring.store.store import Store
from tests.own_table import NOW, REFERENCE, Watched, own_rows, watch
from tests.small_deployment import Days

DAYS = 4
BROKEN = 7


def with_times(rows: pa.Table, times: pa.Array) -> pa.Table:
    return rows.set_column(rows.column_names.index("known_at"), "known_at", times)


def live_rows() -> pa.Table:
    """Four days; of the first, seven labels have a time that is none, and one row without a label has one too."""
    rows = own_rows(Days(days=DAYS))
    texts = np.array(pc.strftime(rows["known_at"], "%Y-%m-%d %H:%M:%SZ").to_pylist(), dtype=object)
    labelled = np.flatnonzero(np.asarray(rows["y"].is_valid()))[: BROKEN + 1]
    assert labelled[-1] < 60
    texts[labelled[:BROKEN]] = ["soon", "2013-02-30", "1364774400", "31/13/2013", "n/a", "9999-99-99", "-"]
    texts[labelled[BROKEN]] = "  "
    texts[np.flatnonzero(~np.asarray(rows["y"].is_valid()))[:1]] = "later"
    return with_times(rows, pa.array(texts, pa.string()))


def streamed(watched: Watched, rows: pa.Table) -> MonitorStatus:
    watched.live("all.parquet", rows)
    return watched.run()[1]


def indexed(watched: Watched, rows: pa.Table) -> MonitorStatus:
    folder = watched.folder / "text"
    folder.mkdir()
    rows = rows.set_column(rows.column_names.index("ts"), "ts", pc.strftime(rows["ts"], "%Y-%m-%d %H:%M:%SZ"))
    for name in ("temp", "on_time", "late"):
        rows = rows.set_column(rows.column_names.index(name), name, rows[name].cast(pa.float64()))
    pyarrow.csv.write_csv(rows, folder / "all.csv")
    return watched.run(traffic="text/*.csv")[1]


def apart(watched: Watched, rows: pa.Table) -> MonitorStatus:
    truth = watched.folder / "truth"
    truth.mkdir()
    pq.write_table(rows.select(["id", "y", "known_at"]), truth / "labels.parquet")
    watched.live("all.parquet", rows.drop_columns(["y", "known_at"]))
    config = load_config(watched.adopted.config)
    section = config.traffic.model_copy(
        update={"path": (watched.folder / "live").absolute(), "labels": truth.absolute()}
    )
    config = config.model_copy(update={"traffic": section})
    with Store.open(config.store.url) as store:
        done = run_due_windows(config, store, clock=lambda: NOW)
        return status(store, config.model.name, done.deployment)


@pytest.mark.parametrize("way", [streamed, indexed, apart])
def test_labels_whose_time_is_none_count_as_of_their_row_and_are_told(
    tmp_path: Path, way: Callable[[Watched, pa.Table], MonitorStatus]
) -> None:
    rows = live_rows()
    found = way(watch(tmp_path), rows)
    about = [f for w in found.windows for f in w.findings if f.kind == "no label time"]
    assert {(f.feature, f.fact) for f in about} == {("known_at", False)}
    assert about[0].message == "7 labels in the files have a known_at that is no time: they count as of their row's."
    assert sum(w.labels for w in found.windows) == pc.sum(rows["y"].is_valid()).as_py()


def test_a_reference_says_how_many_labels_have_a_time_that_is_none(tmp_path: Path) -> None:
    rows = own_rows(REFERENCE)
    texts = pc.strftime(rows["known_at"], "%Y-%m-%d %H:%M:%SZ").to_pylist()
    labelled = np.flatnonzero(np.asarray(rows["y"].is_valid()))
    texts[labelled[0]] = texts[labelled[5]] = "soon"
    watched = watch(tmp_path, with_times(rows, pa.array(texts, pa.string())))
    said = "2 labels in the files have a known_at that is no time: they count as of their row's."
    assert said in watched.adopted.notes


@pytest.mark.parametrize(
    "times",
    [pa.array(np.arange(5400)), pa.array(["soon"] * 5400), pa.array([True] * 5400)],
    ids=["numbers", "text", "booleans"],
)
def test_a_reference_in_which_no_label_has_a_time_is_one_error(tmp_path: Path, times: pa.Array) -> None:
    with pytest.raises(BadInput, match="known_at does not hold times"):
        watch(tmp_path, with_times(own_rows(REFERENCE), times))
    assert not (tmp_path / "flights").exists()


def test_columns_that_only_traffic_has_are_looked_for_there_and_told_where_it_has_them_not(tmp_path: Path) -> None:
    watched = watch(tmp_path, own_rows(REFERENCE).drop_columns(["known_at", "id"]))
    assert {note for note in watched.adopted.notes if note.startswith("The reference has no column")} == {
        "The reference has no column known_at (--label-time): it is looked for in the traffic.",
        "The reference has no column id (--prediction-id): it is looked for in the traffic.",
    }
    rows = own_rows(Days(days=2))
    watched.live("all.parquet", rows)
    found = watched.run()[1]
    assert not [f for w in found.windows for f in w.findings]
    assert (found.windows[0].labels, found.windows[0].label_delays[0]) == (60, 0)
    without = watch(tmp_path / "without", own_rows(REFERENCE).drop_columns(["known_at", "id"]))
    without.live("all.parquet", rows.drop_columns(["known_at", "id"]))
    told = {(f.kind, f.feature) for w in without.run()[1].windows for f in w.findings}
    assert told == {("column gone", "known_at"), ("column gone", "id")}


def test_a_column_that_is_spelled_nearly_as_one_that_is_there_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no such column.*knwon_at \(--label-time\)"):
        watch(tmp_path, label_time="knwon_at")
