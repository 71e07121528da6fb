"""Labels come back in the order of their arrival, which never changes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        ("sequence", pa.int64()),
    ]  # fmt: skip
    assert table.to_pydict() == {
        "prediction_id": ["a:0", "é:1", "a:0"],
        "label": ["late", "", "on_time"],
        "label_time": [EPOCH + us(5), EPOCH + us(3), EPOCH + us(7)],
        "arrived_at": [clock()] * 3,
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


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3)), max_size=12))
def test_a_place_once_given_never_changes_however_writers_take_turns(
    tmp_path_factory: pytest.TempPathFactory, turns: list[tuple[int, int]]
) -> None:
    root = tmp_path_factory.mktemp("labels")
    writers = [LabelWriter(root, clock=lambda: EPOCH) for _ in range(3)]  # a clock that stands still
    expected: list[str] = []
    for turn, (writer, count) in enumerate(turns):
        ids = [f"{turn}-{i}" for i in range(count)]
        writers[writer].append(ids, ["x"] * count, [0] * count)
        expected += ids
        table = LabelLog(root).read()
        assert table["prediction_id"].to_pylist() == expected
        assert table["sequence"].to_pylist() == list(range(len(expected)))
    for each in writers:
        each.close()


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


LABELLER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from monitoring.traffic.labels.label_writer import LabelWriter

writer = LabelWriter(Path(sys.argv[1]), clock=lambda: datetime.now(UTC))
for number in range(30):
    writer.append([f"{sys.argv[2]}-{number}-{i}" for i in range(5)], ["x"] * 5, range(5))
writer.close()
"""


def test_processes_that_label_at_once_lose_nothing_and_readers_see_only_more(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    processes = [subprocess.Popen([sys.executable, "-c", LABELLER, str(tmp_path), name]) for name in "pq"]
    seen: list[str] = []
    while any(process.poll() is None for process in processes):
        now = LabelLog(tmp_path).read()["prediction_id"].to_pylist()
        assert now[: len(seen)] == seen
        seen = now
    assert [process.wait() for process in processes] == [0, 0]
    final = LabelLog(tmp_path).read()["prediction_id"].to_pylist()
    assert final[: len(seen)] == seen
    for name in "pq":  # each writer's own order is kept
        assert [each for each in final if each[0] == name] == [f"{name}-{n}-{i}" for n in range(30) for i in range(5)]


def test_labels_that_do_not_fit_together_are_refused(tmp_path: Path, clock: Clock) -> None:
    writer = LabelWriter(tmp_path, clock=clock)
    with pytest.raises(BadInput, match="2 prediction ids, 1 labels, 2 times"):
        writer.append(["a", "b"], ["x"], [0, 1])
    with pytest.raises(BadInput, match="null"):
        writer.append(["a"], [None], [0])
    writer.close()
    assert LabelLog(tmp_path).read().num_rows == 0
    (tmp_path / "file").touch()
    with pytest.raises(CannotRun, match="file/labels"):
        LabelWriter(tmp_path / "file", clock=clock)
