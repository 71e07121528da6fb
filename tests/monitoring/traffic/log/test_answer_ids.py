"""Labels that name answers by the server's own ids belong to the predictions that these are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from monitoring.traffic.format.rows import AnsweredRows, prediction_ids
from monitoring.traffic.labels.label_writer import LabelWriter
from monitoring.traffic.log.answer_ids import conflicting_rows, with_prediction_ids
from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.scans import Query, read_scans
from monitoring.traffic.log.writer import TrafficWriter
from tests.monitoring.traffic.conftest import NOON

Answer = Callable[..., AnsweredRows]
Clock = Callable[[], datetime]


def named(rows: AnsweredRows, name: str) -> AnsweredRows:
    return replace(rows, answer_ids=[f"pitfalls-{name}"] * rows.count)


@pytest.fixture
def log(tmp_path: Path, clock: Clock, answer: Answer) -> Path:
    """`order` of two rows, sent again with the same inputs and then with others; and an answer without an own id."""
    batches = [
        named(answer("order", 2), "first"),
        named(answer("order", 2), "again"),
        named(answer("order", 2, salt=5.0), "other"),
        named(answer("order", 2, model="boats", salt=7.0), "boat"),
        answer("plain", 1),
    ]
    for some in (batches[:2], batches[2:]):
        writer = TrafficWriter(tmp_path, clock=clock)
        for batch in some:
            writer.append(batch)
        writer.close()
    return tmp_path


def resolved(log: Path, *ids: str, since: datetime | None = None) -> list[str]:
    labels = pa.table({"label": ["late"] * len(ids), "prediction_id": pa.array(ids, pa.string())})
    table = with_prediction_ids(log, labels, since=since)
    assert table.column_names == labels.column_names
    found: list[str] = table["prediction_id"].to_pylist()
    return found


def test_an_answer_is_the_prediction_of_its_request(log: Path) -> None:
    assert resolved(log, "pitfalls-first:1", "plain:0", "order:0", "pitfalls-boat:0") == [
        "order:1",
        "plain:0",
        "order:0",
        "order:0",
    ]


def test_a_request_sent_again_is_the_same_prediction_unless_its_inputs_differ(log: Path) -> None:
    assert resolved(log, "pitfalls-again:0", "pitfalls-other:0") == ["order:0", "pitfalls-other:0"]


def test_answers_that_are_not_known_keep_their_ids(log: Path) -> None:
    assert resolved(log, "pitfalls-nobody:0", "pitfalls-first:9") == ["pitfalls-nobody:0", "pitfalls-first:9"]
    assert resolved(log, "pitfalls-first:0", since=NOON + timedelta(days=1)) == ["pitfalls-first:0"]


def test_without_such_labels_nothing_is_read(tmp_path: Path) -> None:
    assert resolved(tmp_path / "nowhere", "order:0", "é:1") == ["order:0", "é:1"]
    assert resolved(tmp_path / "nowhere") == []


def test_labels_by_either_id_are_labels_of_one_prediction(log: Path, clock: Clock) -> None:
    writer = LabelWriter(log, clock=clock)
    writer.append(["pitfalls-first:0", "order:0", "pitfalls-again:1"], ["late", "on_time", "late"], [1, 2, 3])
    writer.close()
    reader = TrafficLog(log)
    assert reader.table(model="flights")["label"].to_pylist() == ["on_time", None, "late"]
    assert (reader.summary().labels.distinct, reader.summary().labels.conflicts) == (2, 1)


@pytest.mark.parametrize("close", [False, True], ids=["open", "converted"])
def test_rows_with_other_inputs_than_the_first_of_their_id(
    tmp_path: Path, clock: Clock, answer: Answer, close: bool
) -> None:
    writer = TrafficWriter(tmp_path, clock=clock)
    writer.append(answer("a", 2, at=NOON + timedelta(days=1)))  # converted after the next, and written before it
    writer.append(answer("a", 2))
    writer.append(answer("a", 1, salt=5.0))
    nan = {"temp": np.array([np.nan], np.float32)}
    writer.append(replace(answer("n", 1), inputs=nan))
    writer.append(replace(answer("n", 1), inputs=nan))
    writer.append(replace(answer("a", 1, version=2), inputs={"temp": np.array([0], np.int64)}))
    if close:
        writer.close()
    found = conflicting_rows(read_scans(tmp_path, Query(), None))
    summary = TrafficLog(tmp_path).summary()
    writer.close()
    ids = [prediction_ids(scan.table)[index].as_py() for scan, rows in found for index in rows.tolist()]
    assert ids == ["a:0", "a:0"], "one of each version"
    assert (summary.repeats, summary.conflicts) == (5, 2)


def test_a_log_without_rows_has_none(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    assert conflicting_rows(read_scans(tmp_path, Query(), None)) == []
