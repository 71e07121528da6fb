"""``pitfalls labels add``."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq

from tests.pitfalls_tf.cli.small_log import labels, run, traffic

__all__ = ["labels", "traffic"]


def test_labels_are_added_counted_and_joined(traffic: Path, labels: Path, tmp_path: Path) -> None:
    done = run("labels", "add", labels, "--traffic", traffic, "--json")
    assert (done.exit_code, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {
        "file": str(labels),
        "traffic": str(traffic),
        "added": 3,
        "labels": {"rows": 3, "distinct": 2, "repeats": 1, "conflicts": 1, "torn_bytes": 0, "damaged_bytes": 0},
    }
    target = tmp_path / "rows.parquet"
    done = run("traffic", traffic, "--to", target, "--json")
    assert json.loads(done.stdout)["to"] == {"file": str(target), "rows": 3}
    table = pq.read_table(target)
    assert table.column_names == [
        "prediction_id", "request_id", "row", "event_time", "model", "version", "signature",
        "answer_id", "caller_principal", "caller_peer", "carrier", "probabilities", "label", "label_time",
    ]  # fmt: skip
    assert table["carrier"].to_pylist() == ["UA", "B6", "UA"]
    assert table["label"].to_pylist() == ["on_time", "on_time", None]
    assert [path.name for path in tmp_path.glob("rows*")] == ["rows.parquet"]


def test_wrong_input_is_one_message_and_the_log_is_unchanged(traffic: Path, labels: Path, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    (tmp_path / "broken.csv").write_text("prediction_id,label\na,b\n", "utf-8")
    for arguments, message in [
        ((labels, "--traffic", nowhere), "There is no such traffic log."),
        ((nowhere, "--traffic", traffic), "The labels cannot be read."),
        ((tmp_path / "broken.csv", "--traffic", traffic), "no label_time"),
        ((labels,), "Missing option '--traffic'"),
    ]:
        done = run("labels", "add", *arguments)
        assert (done.exit_code, done.stdout) == (2, ""), arguments
        assert message in done.stderr
    assert not nowhere.exists()
    assert not (traffic / "labels").exists()


def test_labels_are_counted_in_words(traffic: Path, labels: Path) -> None:
    text = run("labels", "add", labels, "--traffic", traffic).stdout
    assert text == (
        "Added 3 labels; 2 predictions now have a label (1 repeated labels, 1 predictions with conflicting labels).\n"
    )
