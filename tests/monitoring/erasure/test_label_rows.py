"""Labels go from the label log without moving any other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from monitoring.erasure.label_rows import counted_changes, label_changes, unreadable_labels
from monitoring.erasure.wanted_rows import WantedRows
from monitoring.traffic.id_keys import id_keys
from monitoring.traffic.labels.label_log import LabelLog, without_erased
from monitoring.traffic.labels.label_writer import LabelWriter
from monitoring.traffic.tables.inline_labels import BY_ID, InlineLabels
from monitoring.traffic.windows import Window
from tests.monitoring.erasure.small_log import NOON, write_labels

Clock = Callable[[], datetime]


def apply(root: Path, clock: Clock, *ids: str) -> list[int]:
    """Erase labels; how many of each segment."""
    removed = []
    for change in label_changes(root, WantedRows(ids=ids), clock):
        change.apply()
        removed.append(change.erased.removed)
    return removed


def test_other_labels_keep_their_places(tmp_path: Path, clock: Clock) -> None:
    write_labels(tmp_path, "a:0", "b:0", "a:0")
    write_labels(tmp_path, "c:0", "a:0")
    before = LabelLog(tmp_path).read()
    assert apply(tmp_path, clock, "a:0") == [2, 1]
    after = LabelLog(tmp_path).read()
    assert after.num_rows == 5
    kept = without_erased(after)
    assert kept["sequence"].to_pylist() == [1, 3]
    assert kept.equals(before.take([1, 3]))
    assert LabelLog(tmp_path).latest()["prediction_id"].to_pylist() == ["b:0", "c:0"]
    summary = LabelLog(tmp_path).summary()
    assert (summary.rows, summary.distinct, summary.repeats, summary.conflicts) == (2, 2, 0, 0)
    assert not any(b"a:0" in path.read_bytes() for path in (tmp_path / "labels").iterdir())
    assert apply(tmp_path, clock, "a:0") == []


def test_a_writer_with_an_open_segment_goes_on_in_another(tmp_path: Path, clock: Clock) -> None:
    writer = LabelWriter(tmp_path, clock=clock)
    writer.append(["a:0", "b:0"], ["1", "0"], np.zeros(2, np.int64))
    assert apply(tmp_path, clock, "a:0") == [1]
    writer.append(["c:0"], ["1"], np.zeros(1, np.int64))
    writer.close()
    kept = without_erased(LabelLog(tmp_path).read())
    assert kept["prediction_id"].to_pylist() == ["b:0", "c:0"]
    assert kept["sequence"].to_pylist() == [1, 2]


def test_torn_bytes_are_cut_off_and_damaged_ones_told(tmp_path: Path, clock: Clock) -> None:
    write_labels(tmp_path, "a:0", "b:0")
    [path] = (tmp_path / "labels").glob("*.arrows")
    with path.open("ab") as file:
        file.write(b"a:0 torn")
    assert apply(tmp_path, clock, "a:0") == [1]
    assert LabelLog(tmp_path).summary().torn_bytes == 0
    assert unreadable_labels(tmp_path) == ()
    write_labels(tmp_path, "c:0")
    newest = max((tmp_path / "labels").glob("*.arrows"))
    whole = newest.read_bytes()
    batch = whole[len(whole) // 2 // 8 * 8 :]
    newest.write_bytes(whole + b"\0" * 64 + whole[whole.index(b"\xff\xff\xff\xff", 8) :])
    assert [one.what for one in unreadable_labels(tmp_path)] == [f"labels/{newest.name}"]
    assert apply(tmp_path, clock, "c:0") == [1]
    assert LabelLog(tmp_path).summary().damaged_bytes > 0
    assert batch


def test_a_log_without_labels_has_nothing_to_erase(tmp_path: Path, clock: Clock) -> None:
    assert apply(tmp_path, clock, "a:0") == []


def test_labels_counted_with_their_rows_go_by_id(tmp_path: Path) -> None:
    keys = np.sort(id_keys(pa.array(["a", "b"])))
    with InlineLabels(tmp_path).writer(Window(start=NOON, end=NOON.replace(hour=13))) as file:
        file.add(BY_ID, keys, np.array([1, 0]))
        file.add("x.parquet", keys[:1], np.array([1]))
    changes = list(counted_changes(tmp_path, WantedRows(ids=("a",))))
    assert [(one.erased.rows, one.erased.removed) for one in changes] == [(3, 1)]
    changes[0].apply()
    found = InlineLabels(tmp_path).read()
    assert found[BY_ID].rows.tolist() == id_keys(pa.array(["b"])).tolist()
    assert found["x.parquet"].rows.tolist() == keys[:1].tolist()
    assert list(counted_changes(tmp_path, WantedRows(ids=("a",)))) == []
    assert list(counted_changes(tmp_path, WantedRows(ids=()))) == []
