"""The same rows as Parquet, as PredictionLog records, at a URL and as a log at a URL: the same evidence."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import fsspec
import pyarrow.parquet as pq
import pytest

from monitoring.config import load_config
from monitoring.errors import BadInput, CannotRun
from monitoring.inspection.status import status
from monitoring.records import MonitorStatus
from monitoring.runs.run import run_due_windows
from monitoring.store.store import Store
from monitoring.traffic.log.archive import Archiver
from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.remote_log import log_folder
from monitoring.traffic.tables.files import is_table, pieces_of
from monitoring.traffic.tf_prediction_log.prediction_log import export_log
from tests.own_table import NOW, REFERENCE, watch
from tests.small_deployment import Days, table_of

BROKEN = Days(days=8, broken_from=4)
Send = Callable[..., None]


@pytest.fixture
def log(deployed: Path, send: Send) -> Path:
    """A traffic log with labels."""
    send(deployed, BROKEN)
    return deployed / "traffic"


@pytest.fixture
def bucket() -> Iterator[str]:
    yield "memory://bucket"
    fsspec.filesystem("memory").rm("/bucket", recursive=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """A log's rows as two tables, without their labels, and the labels in a third."""

    parquet: Path
    records: Path
    labels: Path


@pytest.fixture
def tables(log: Path, tmp_path: Path) -> Tables:
    folder = tmp_path / "files"
    folder.mkdir()
    table = TrafficLog(log).table()
    made = Tables(parquet=folder / "a.parquet", records=folder / "a.tfrecord", labels=folder / "y" / "y.parquet")
    made.labels.parent.mkdir()
    pq.write_table(table.select(["prediction_id", "label", "label_time"]), made.labels)
    pq.write_table(table.drop_columns(["label", "label_time"]), made.parquet)
    with made.records.open("wb") as file:
        export_log(log, file)
    return made


def judged(folder: Path, traffic: Path | str, labels: Path | str) -> MonitorStatus:
    """What a monitor of that table comes to."""
    watched = watch(
        folder,
        table_of(REFERENCE),
        prediction_id="prediction_id",
        event_time="event_time",
        scores=("probabilities",),
        label="label",
        label_time="label_time",
    )
    config = load_config(watched.adopted.config)
    section = config.traffic.model_copy(update={"path": traffic, "labels": labels})
    config = config.model_copy(update={"traffic": section})
    with Store.open(config.store.url) as store:
        done = run_due_windows(config, store, clock=lambda: NOW)
        return status(store, config.model.name, done.deployment)


def test_records_come_to_the_same_evidence_as_parquet_here_and_at_a_url(
    tables: Tables, tmp_path: Path, bucket: str
) -> None:
    parquet = judged(tmp_path / "parquet", tables.parquet, tables.labels)
    assert [window.rows for window in parquet.windows] == [60] * 8
    assert sum(window.labels for window in parquet.windows) > 400
    assert any(incident.level == "page" for incident in parquet.incidents)
    assert judged(tmp_path / "records", tables.records.parent / "*.tfrecord", tables.labels) == parquet
    files = fsspec.filesystem("memory")
    files.put_file(str(tables.records), "/bucket/logs/a.tfrecord")
    files.put_file(str(tables.labels), "/bucket/labels/y.parquet")
    assert judged(tmp_path / "url", f"{bucket}/logs/*.tfrecord", f"{bucket}/labels") == parquet


def test_records_have_the_columns_that_the_verb_writes(tables: Tables, log: Path) -> None:
    [piece] = pieces_of(tables.records)
    assert piece.name == "a.tfrecord"
    there = TrafficLog(log).table()
    assert sorted(piece.read().table.column_names) == sorted(there.column_names), "a record's tensors have no order"
    whole = pq.read_table(tables.parquet)
    assert piece.read().table.select(whole.column_names).equals(whole)


def test_records_that_grow_are_read_anew_and_torn_ones_wait(tables: Tables) -> None:
    data = tables.records.read_bytes()
    tables.records.write_bytes(data[: len(data) // 2])
    half = sum(piece.read().table.num_rows for piece in pieces_of(tables.records))
    tables.records.write_bytes(data)
    whole = sum(piece.read().table.num_rows for piece in pieces_of(tables.records))
    assert 0 < half < whole == 480
    tables.records.write_bytes(b"no records, but long enough to be one")
    with pytest.raises(BadInput):
        pieces_of(tables.records)


def test_a_log_at_a_url_is_read_as_the_same_log(deployed: Path, log: Path, bucket: str) -> None:
    config = load_config(deployed / "monitor.toml")
    with Store.open(config.store.url) as store:
        run_due_windows(config, store, clock=lambda: NOW)
        here = status(store, "flights")
    fsspec.filesystem("memory").put(f"{log}/", "/bucket/log/", recursive=True)
    assert not is_table(f"{bucket}/log")
    assert TrafficLog(log_folder(f"{bucket}/log")).summary() == TrafficLog(log).summary()
    shutil.rmtree(log)
    section = config.traffic.model_copy(update={"path": f"{bucket}/log"})
    (deployed / "pitfalls.db").unlink()
    with Store.open(config.store.url) as store:
        run_due_windows(config.model_copy(update={"traffic": section}), store, clock=lambda: NOW)
        assert status(store, "flights") == here


def test_what_is_at_no_url_is_said(log: Path, tmp_path: Path, bucket: str) -> None:
    fsspec.filesystem("memory").pipe_file("/bucket/other/readme.md", b"nothing here")
    for wrong in (f"{bucket}/other", f"{bucket}/nowhere"):
        with pytest.raises(BadInput, match="no traffic log at this URL"):
            log_folder(wrong)
    with pytest.raises(BadInput, match="no such table"):
        pieces_of(f"{bucket}/other/*.parquet")
    with pytest.raises(CannotRun, match="cannot be read"):
        pieces_of(f"{bucket}/other/gone.parquet")
    Archiver(log, f"file://{tmp_path}/store")
    with pytest.raises(BadInput, match="no traffic log at this URL"):
        log_folder(f"file://{log}")
