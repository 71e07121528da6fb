"""`pitfalls labels add` and `pitfalls traffic`, as a shell sees them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from monitoring.timestamps import as_microseconds
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.log.conversion import recover
from monitoring.traffic.log.gaps import Gap, GapFile, LostRows
from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.writer import TrafficWriter
from pitfalls_tf.cli import pitfalls

NOON = datetime(2013, 4, 1, 12, tzinfo=UTC)


@pytest.fixture
def traffic(tmp_path: Path) -> Path:
    """A log of three predictions."""
    folder = tmp_path / "traffic"
    writer = TrafficWriter(folder, clock=lambda: NOON)
    writer.append(
        AnsweredRows(
            model="flights",
            version=1,
            signature="serving_default",
            request_ids=["a", "a", "b"],
            rows=[0, 1, 0],
            event_times_us=np.full(3, as_microseconds(NOON)),
            answered_at_us=0,
            latencies_us=np.zeros(3, np.int64),
            inputs={"carrier": np.array([b"UA", b"B6", b"UA"], object)},
            outputs={"probabilities": np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]], np.float32)},
        )
    )
    writer.close()
    return folder


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """Labels for two of them, one twice."""
    file = tmp_path / "labels.csv"
    file.write_text(
        "prediction_id,label,label_time\n"
        "a:0,on_time,2013-04-01T15:00:00Z\na:1,late,2013-04-01T16:00:00Z\na:1,on_time,2013-04-01T17:00:00Z\n",
        "utf-8",
    )
    return file


def run(*arguments: object) -> Result:
    return CliRunner().invoke(pitfalls, [str(argument) for argument in arguments])


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
        "carrier", "probabilities", "label", "label_time",
    ]  # fmt: skip
    assert table["carrier"].to_pylist() == ["UA", "B6", "UA"]
    assert table["label"].to_pylist() == ["on_time", "on_time", None]
    assert [path.name for path in tmp_path.glob("rows*")] == ["rows.parquet"]


def test_the_summary_is_for_people_and_for_programs(traffic: Path, labels: Path) -> None:
    run("labels", "add", labels, "--traffic", traffic)
    document = json.loads(run("traffic", traffic, "--json").stdout)
    moment = "2013-04-01T12:00:00Z"
    key = {"model": "flights", "version": 1, "signature": "serving_default"}
    assert document == {
        "traffic": str(traffic),
        "rows": 3,
        "repeats": 0,
        "torn_bytes": 0,
        "segments": 1,
        "first": moment,
        "last": moment,
        "models": [{**key, "rows": 3, "first": moment, "last": moment, "answered": 3}],
        "gaps": [],
        "lost_rows": 0,
        "labels": {"rows": 3, "distinct": 2, "repeats": 1, "conflicts": 1, "torn_bytes": 0, "damaged_bytes": 0},
    }
    said = run("traffic", traffic).stdout
    assert "3 predictions in 1 segment, 2013-04-01 12:00 to 2013-04-01 12:00 UTC" in said
    assert "flights/1 serving_default: 3" in said
    assert "2 predictions labelled, 1 with conflicting labels" in said


def test_interrupted_appends_are_mentioned(traffic: Path, labels: Path) -> None:
    run("labels", "add", labels, "--traffic", traffic)
    [segment] = (traffic / "labels").glob("*.arrows")
    with segment.open("ab") as file:
        file.write(b"torn")
    assert "cut off: 4 bytes of appends that were interrupted" in run("traffic", traffic).stdout


def test_labels_behind_a_damaged_spot_are_told_of(traffic: Path, labels: Path) -> None:
    for _ in range(3):
        run("labels", "add", labels, "--traffic", traffic)
    kept = sorted((traffic / "labels").glob("*.arrows"))
    data = b"".join([kept[0].read_bytes(), *(path.read_bytes()[_schema_bytes(path) :] for path in kept[1:])])
    for path in kept[1:]:
        path.unlink()
    spot = _schema_bytes(kept[0]) + 80
    kept[0].write_bytes(data[:spot] + b"\x77" * 64 + data[spot + 64 :])
    said = run("traffic", traffic).stdout
    assert "bytes of labels behind a spot that is not what was written" in said
    assert "interrupted" not in said


def _schema_bytes(path: Path) -> int:
    source = pa.BufferReader(path.read_bytes())
    pa.ipc.read_message(source)
    return int(source.tell())


@pytest.mark.parametrize("content", [b"", b"rubbish", None], ids=["empty", "foreign", "scratched"])
def test_a_damaged_part_is_one_error_that_names_it(traffic: Path, tmp_path: Path, content: bytes | None) -> None:
    run("traffic", traffic, "--to", tmp_path / "before.parquet")
    recover(traffic)
    [part] = traffic.glob("model=*/version=*/date=*/*.parquet")
    whole = part.read_bytes()
    part.write_bytes(whole[:40] + b"\x77" * 200 + whole[240:] if content is None else content)
    done = run("traffic", traffic, "--to", tmp_path / "rows.parquet")
    assert (done.exit_code, done.stdout) == (3, "")
    assert "A part of the traffic log cannot be read." in done.stderr
    assert part.name in done.stderr
    assert "Traceback" not in done.stderr


def test_an_empty_log_is_no_error(tmp_path: Path) -> None:
    TrafficWriter(tmp_path, clock=lambda: NOON).close()
    done = run("traffic", tmp_path, "--to", tmp_path / "rows.parquet")
    assert (done.exit_code, done.stdout.startswith("Wrote 0 rows")) == (0, True)
    assert "0 predictions" in run("traffic", tmp_path).stdout


def test_what_is_wrong_is_said_on_stderr_with_its_exit_code(traffic: Path, labels: Path, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    (tmp_path / "broken.csv").write_text("prediction_id,label\na,b\n", "utf-8")
    for arguments, code, said in [
        (("traffic", nowhere), 2, "There is no such traffic log."),
        (("traffic", tmp_path), 2, "is not a traffic log"),
        (("traffic", traffic, "--to", nowhere / "rows.parquet"), 3, "The rows were not written."),
        (("traffic", traffic, "--to", "."), 2, "The rows go to a file, and this is a folder. Got --to .;"),
        (("traffic", traffic, "--to", tmp_path), 2, f"Name one in it: --to {tmp_path / 'rows.parquet'}"),
        (("labels", "add", labels, "--traffic", nowhere), 2, "There is no such traffic log."),
        (("labels", "add", nowhere, "--traffic", traffic), 2, "The labels cannot be read."),
        (("labels", "add", tmp_path / "broken.csv", "--traffic", traffic), 2, "no label_time"),
        (("labels", "add", labels), 2, "Missing option '--traffic'"),
    ]:
        done = run(*arguments)
        assert (done.exit_code, done.stdout) == (code, ""), arguments
        assert said in done.stderr
    assert not nowhere.exists()
    assert not (traffic / "labels").exists()


def test_records_there_and_back_are_the_same_log(traffic: Path, tmp_path: Path) -> None:
    file, copy = tmp_path / "rows.tfrecord", tmp_path / "copy"
    written = json.loads(run("traffic", traffic, "--to", file, "--json").stdout)
    assert written["to"] == {"file": str(file), "rows": 3, "records": 2}
    assert "Wrote 3 rows in 2 records" in run("traffic", traffic, "--to", file).stdout
    added = json.loads(run("traffic", copy, "--from", file, "--json").stdout)
    assert added["from"] == {"file": str(file), "rows": 3, "torn_bytes": 0}
    assert (added["rows"], added["models"]) == (3, written["models"])
    rows, back = TrafficLog(traffic).table(), TrafficLog(copy).table()
    assert back.select(rows.column_names).equals(rows)
    again = json.loads(run("traffic", copy, "--from", file, "--json").stdout)
    assert (again["rows"], again["repeats"]) == (3, 3), "what is there twice counts once"
    file.write_bytes(file.read_bytes()[:-3])
    torn = json.loads(run("traffic", copy, "--from", file, "--json").stdout)["from"]["torn_bytes"]
    assert torn > 0
    said = f"left out: the last record of {file}, of which {torn:,} bytes are there"
    assert said in run("traffic", tmp_path / "plain", "--from", file).stdout
    assert said in run("traffic", tmp_path / "plain", "--from", file, "--to", tmp_path / "rows.parquet").stdout
    file.write_bytes(b"something else, of some length")
    refused = run("traffic", copy, "--from", file)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert TrafficLog(copy).summary().repeats == 5, "the log is as it was"


def test_gaps_are_told_to_people_and_programs(traffic: Path) -> None:
    at_us = as_microseconds(NOON)
    lost = LostRows(model="flights", version=1, rows=7, first_event_us=at_us - 1_000_000, last_event_us=at_us)
    gaps = GapFile(traffic, NOON)
    gaps.write(Gap(first_us=at_us, last_us=at_us + 2_000_000, reason="no space", lost=(lost,)))
    for _ in ("while it goes on", "when it is over"):
        document = json.loads(run("traffic", traffic, "--json").stdout)
        assert document["lost_rows"] == 7
        assert document["gaps"] == [
            {
                "first": "2013-04-01T12:00:00Z",
                "last": "2013-04-01T12:00:02Z",
                "rows": 7,
                "reason": "no space",
                "lost": [
                    {
                        "model": "flights",
                        "version": 1,
                        "rows": 7,
                        "first_event": "2013-04-01T11:59:59Z",
                        "last_event": "2013-04-01T12:00:00Z",
                    }
                ],
            }
        ]
        said = run("traffic", traffic).stdout
        assert "missing: 7 answered rows between 2013-04-01T12:00:00+00:00 and" in said
        assert "not in the traffic log: no space (flights/1 7)" in said
        gaps.close()


def test_a_log_at_a_url_is_read_and_not_added_to(traffic: Path, tmp_path: Path) -> None:
    here = json.loads(run("traffic", traffic, "--json").stdout)
    there = json.loads(run("traffic", f"file://{traffic}", "--json").stdout)
    assert there == here | {"traffic": f"file://{traffic}"}
    refused = run("traffic", f"file://{traffic}", "--from", tmp_path / "rows.tfrecord")
    assert (refused.exit_code, "cannot be added to a log at a URL" in refused.stderr) == (2, True)
