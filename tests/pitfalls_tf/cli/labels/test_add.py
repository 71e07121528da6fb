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
        "without_row": 0,
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
        "Added 3 labels; the log has labels for 2 prediction ids"
        " (1 repeated labels, 1 predictions with conflicting labels).\n"
    )


def test_ids_that_no_prediction_of_a_server_can_have_are_told(traffic: Path, tmp_path: Path) -> None:
    file = tmp_path / "requests.csv"
    file.write_text("prediction_id,label,label_time\na,late,2013-04-02T00:00:00Z\na:0,late,2013-04-02T00:00:00Z\n")
    done = run("labels", "add", file, "--traffic", traffic)
    assert done.exit_code == 0
    assert "1 of these ids are of no prediction of a server, such as 'a'" in done.stdout
    assert "'a:0'" in done.stdout
    assert json.loads(run("labels", "add", file, "--traffic", traffic, "--json").stdout)["without_row"] == 1
