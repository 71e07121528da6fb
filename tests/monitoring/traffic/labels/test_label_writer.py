"""Labels are appended in one order, whoever writes, and refused whole if one of them is not valid."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import BadInput, CannotRun
from monitoring.timestamps import EPOCH
from monitoring.traffic.erased_ids import FOLDER, ErasedIds, log_key
from monitoring.traffic.labels.label_log import LabelLog
from monitoring.traffic.labels.label_writer import LabelWriter

Clock = Callable[[], datetime]


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
    with pytest.raises(BadInput, match=r"Null label or prediction id\. Got 2 nulls among 3 labels"):
        writer.append(pa.array(["a", None, "b"]), pa.array(["x", "y", None]), np.zeros(3))
    writer.close()
    assert LabelLog(tmp_path).read().num_rows == 0
    (tmp_path / "file").touch()
    with pytest.raises(CannotRun, match="file/labels"):
        LabelWriter(tmp_path / "file", clock=clock)


def test_labels_of_erased_ids_are_left_out_also_by_a_writer_that_was_there_before(tmp_path: Path, clock: Clock) -> None:
    writer = LabelWriter(tmp_path, clock=clock)
    assert writer.append(["a", "b"], ["1", "0"], [0, 0]) == 2
    hashes = ErasedIds(key=log_key(tmp_path)).hashed(["a"])
    (tmp_path / FOLDER / "one.json").write_text(json.dumps({"ids": hashes}), "utf-8")
    assert writer.append(["a", "c"], ["1", "0"], [0, 0]) == 1
    assert writer.append(["a"], ["1"], [0]) == 0
    writer.close()
    assert LabelLog(tmp_path).read()["prediction_id"].to_pylist() == ["a", "b", "c"]
