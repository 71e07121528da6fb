"""Labels come back in the order of their arrival, which never changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from monitoring.errors import BadInput, CannotRun
from monitoring.timestamps import EPOCH
from monitoring.traffic.labels.label_log import LabelLog
from monitoring.traffic.labels.label_writer import LabelWriter

Clock = Callable[[], datetime]


def us(microseconds: int) -> timedelta:
    return timedelta(microseconds=microseconds)


def test_labels_come_back_with_both_times_and_their_place(tmp_path: Path, clock: Clock) -> None:
    writer = LabelWriter(tmp_path, clock=clock)
    writer.append(["a:0", "é:1"], ["late", ""], [5, 3])
    writer.append([], [], [])
    writer.append(["a:0"], ["on_time"], np.array([7]))
    log = LabelLog(tmp_path)
    moment = pa.timestamp("us", tz="UTC")
    table = log.read()
    assert [(field.name, field.type) for field in table.schema] == [
        ("prediction_id", pa.string()), ("label", pa.string()), ("label_time", moment), ("arrived_at", moment),
        ("model", pa.string()), ("version", pa.int64()), ("sequence", pa.int64()),
    ]  # fmt: skip
    assert table.to_pydict() == {
        "prediction_id": ["a:0", "é:1", "a:0"],
        "label": ["late", "", "on_time"],
        "label_time": [EPOCH + us(5), EPOCH + us(3), EPOCH + us(7)],
        "arrived_at": [clock()] * 3,
        "model": [None] * 3,
        "version": [None] * 3,
        "sequence": [0, 1, 2],
    }
    assert log.read(start=EPOCH + us(5), end=EPOCH + us(7))["sequence"].to_pylist() == [0]
    assert log.latest().select(["prediction_id", "label"]).to_pylist() == [
        {"prediction_id": "é:1", "label": ""},
        {"prediction_id": "a:0", "label": "on_time"},
    ]
    writer.close()
    writer.close()
    with pytest.raises(CannotRun, match="closed"):
        writer.append(["b"], ["late"], [0])


def test_a_log_without_labels_reads_as_empty(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    log = LabelLog(tmp_path)
    assert log.read().num_rows == log.latest().num_rows == log.summary().rows == 0
    with pytest.raises(BadInput, match="no such traffic log"):
        LabelLog(tmp_path / "nowhere")


def test_repeats_and_conflicts_are_counted(tmp_path: Path, clock: Clock) -> None:
    writer = LabelWriter(tmp_path, clock=clock)
    writer.append(["a", "b", "a", "b", "b", "c"], ["x", "x", "x", "y", "x", "x"], range(6))
    writer.close()
    summary = LabelLog(tmp_path).summary()
    assert (summary.rows, summary.distinct, summary.repeats, summary.conflicts, summary.torn_bytes) == (6, 3, 3, 1, 0)


def test_a_torn_tail_is_counted_and_later_labels_keep_coming(tmp_path: Path, clock: Clock) -> None:
    writer = LabelWriter(tmp_path, clock=clock)
    writer.append(["a"], ["x"], [0])
    writer.append(["b"], ["x"], [0])
    writer.close()
    [segment] = (tmp_path / "labels").glob("*.arrows")
    segment.write_bytes(segment.read_bytes()[:-3])
    writer = LabelWriter(tmp_path, clock=clock)
    writer.append(["c"], ["x"], [0])
    writer.close()
    assert LabelLog(tmp_path).read()["prediction_id"].to_pylist() == ["a", "c"]
    assert LabelLog(tmp_path).summary().torn_bytes > 0


def test_labels_that_name_another_model_are_nobodys_and_keep_their_places(tmp_path: Path, clock: Clock) -> None:
    writer = LabelWriter(tmp_path, clock=clock)
    writer.append(
        ["a"] * 4, ["0", "1", "2", "3"], [0, 1, 2, 3], models=[None, "m", "m", "n"], versions=[None, None, 2, 2]
    )
    writer.close()
    found = LabelLog(tmp_path, model="m", version=1).read()
    assert found["label"].to_pylist() == ["0", "1", "", ""]
    assert found["prediction_id"].to_pylist() == ["a", "a", "", ""]
    assert found["sequence"].to_pylist() == [0, 1, 2, 3]
    assert LabelLog(tmp_path, model="m", version=1).latest()["label"].to_pylist() == ["1"]
    assert LabelLog(tmp_path, model="m", version=2).latest()["label"].to_pylist() == ["2"]
    assert LabelLog(tmp_path, model="n", version=2).latest()["label"].to_pylist() == ["3"]
    every = LabelLog(tmp_path)
    assert every.models_named() == {("m", None): 1, ("m", 2): 1, ("n", 2): 1}
    assert (every.summary().distinct, every.summary().conflicts) == (4, 0)
