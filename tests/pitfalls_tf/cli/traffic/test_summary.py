"""``pitfalls traffic``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.timestamps import as_microseconds
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.log.conversion import recover
from monitoring.traffic.log.gaps import Gap, GapFile, LostRows
from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.writer import TrafficWriter
from tests.pitfalls_tf.cli.small_log import NOON, labels, run, traffic

__all__ = ["labels", "traffic"]


def test_the_summary_is_printed_as_text_and_as_a_document(traffic: Path, labels: Path) -> None:
    run("labels", "add", labels, "--traffic", traffic)
    document = json.loads(run("traffic", traffic, "--json").stdout)
    moment = "2013-04-01T12:00:00Z"
    key = {"model": "flights", "version": 1, "signature": "serving_default"}
    assert document == {
        "traffic": str(traffic),
        "rows": 3,
        "repeats": 0,
        "conflicts": 0,
        "torn_bytes": 0,
        "segments": 1,
        "first": moment,
        "last": moment,
        "models": [{**key, "rows": 3, "first": moment, "last": moment, "answered": 3}],
        "gaps": [],
        "lost_rows": 0,
        "quarantined": 0,
        "labels": {"rows": 3, "distinct": 2, "repeats": 1, "conflicts": 1, "torn_bytes": 0, "damaged_bytes": 0},
    }
    text = run("traffic", traffic).stdout
    assert "3 predictions in 1 segment, 2013-04-01 12:00 to 2013-04-01 12:00 UTC" in text
    assert "flights/1 serving_default: 3" in text
    assert "2 predictions labelled, 1 with conflicting labels" in text


def test_interrupted_writes_are_reported(traffic: Path, labels: Path) -> None:
    run("labels", "add", labels, "--traffic", traffic)
    [segment] = (traffic / "labels").glob("*.arrows")
    with segment.open("ab") as file:
        file.write(b"torn")
    assert "cut off: 4 bytes of interrupted writes" in run("traffic", traffic).stdout


def test_labels_after_a_corrupt_record_are_reported(traffic: Path, labels: Path) -> None:
    for _ in range(3):
        run("labels", "add", labels, "--traffic", traffic)
    kept = sorted((traffic / "labels").glob("*.arrows"))
    data = b"".join([kept[0].read_bytes(), *(path.read_bytes()[_schema_bytes(path) :] for path in kept[1:])])
    for path in kept[1:]:
        path.unlink()
    spot = _schema_bytes(kept[0]) + 80
    kept[0].write_bytes(data[:spot] + b"\x77" * 64 + data[spot + 64 :])
    text = run("traffic", traffic).stdout
    assert "bytes of labels after a corrupt record" in text
    assert "interrupted" not in text


def _schema_bytes(path: Path) -> int:
    source = pa.BufferReader(path.read_bytes())
    pa.ipc.read_message(source)
    return int(source.tell())


@pytest.mark.parametrize("content", [b"", b"rubbish", None], ids=["empty", "foreign", "scratched"])
def test_a_corrupt_file_is_one_error_that_names_it(traffic: Path, tmp_path: Path, content: bytes | None) -> None:
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


def test_wrong_input_is_one_message_with_its_exit_code(traffic: Path, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    for arguments, code, message in [
        ((nowhere,), 2, "There is no such traffic log."),
        ((tmp_path,), 2, "is not a traffic log"),
        ((traffic, "--to", nowhere / "rows.parquet"), 3, "The rows were not written."),
        ((traffic, "--to", "."), 2, "--to names a folder. Got --to .;"),
        ((traffic, "--to", tmp_path), 2, f"For example --to {tmp_path / 'rows.parquet'}"),
    ]:
        done = run("traffic", *arguments)
        assert (done.exit_code, done.stdout) == (code, ""), arguments
        assert message in done.stderr
    assert not nowhere.exists()


def test_records_that_are_exported_and_imported_give_the_same_log(traffic: Path, tmp_path: Path) -> None:
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
    assert (again["rows"], again["repeats"]) == (3, 3), "repeated rows count once"
    file.write_bytes(file.read_bytes()[:-3])
    torn = json.loads(run("traffic", copy, "--from", file, "--json").stdout)["from"]["torn_bytes"]
    assert torn > 0
    text = f"left out: the incomplete last record of {file} ({torn:,} bytes)"
    assert text in run("traffic", tmp_path / "plain", "--from", file).stdout
    assert text in run("traffic", tmp_path / "plain", "--from", file, "--to", tmp_path / "rows.parquet").stdout
    file.write_bytes(b"something else, of some length")
    refused = run("traffic", copy, "--from", file)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert TrafficLog(copy).summary().repeats == 5, "the log is unchanged"


def test_gaps_are_printed_as_text_and_in_the_document(traffic: Path) -> None:
    at_us = as_microseconds(NOON)
    lost = LostRows(model="flights", version=1, rows=7, first_event_us=at_us - 1_000_000, last_event_us=at_us)
    gaps = GapFile(traffic, NOON)
    gaps.write(Gap(first_us=at_us, last_us=at_us + 2_000_000, reason="no space", lost=(lost,)))
    for _ in ("open", "closed"):
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
        text = run("traffic", traffic).stdout
        assert "missing: 7 answered rows between 2013-04-01T12:00:00+00:00 and" in text
        assert "not in the traffic log: no space (flights/1 7)" in text
        gaps.close()


def test_a_log_at_a_url_is_read_only(traffic: Path, tmp_path: Path) -> None:
    here = json.loads(run("traffic", traffic, "--json").stdout)
    there = json.loads(run("traffic", f"file://{traffic}", "--json").stdout)
    assert there == here | {"traffic": f"file://{traffic}"}
    refused = run("traffic", f"file://{traffic}", "--from", tmp_path / "rows.tfrecord")
    assert (refused.exit_code, "A log at a URL is read-only" in refused.stderr) == (2, True)


def test_models_that_share_an_input_of_different_types_are_written_one_at_a_time(traffic: Path, tmp_path: Path) -> None:
    writer = TrafficWriter(traffic, clock=lambda: NOON)
    for version, temp in ((2, np.array([1], np.int64)), (3, np.array([b"warm"], object))):
        answered = AnsweredRows(
            model="other",
            version=version,
            signature="serving_default",
            request_ids=["z"],
            rows=[0],
            event_times_us=[as_microseconds(NOON)],
            answered_at_us=as_microseconds(NOON),
            latencies_us=[1],
            inputs={"temp": temp},
            outputs={"y": np.array([1.0])},
        )
        writer.append(answered)
    writer.close()
    for name in ("rows.parquet", "rows.tfrecord"):
        to = tmp_path / name
        one = json.loads(run("traffic", traffic, "--to", to, "--model", "other", "--version", 3, "--json").stdout)
        assert one["to"]["rows"] == 1
        assert json.loads(run("traffic", traffic, "--to", to, "--model", "flights", "--json").stdout)["to"]["rows"] == 3
    for choice in ((), ("--model", "other")):
        several = run("traffic", traffic, "--to", tmp_path / "rows.parquet", *choice)
        assert (several.exit_code, "--version N" in several.stderr) == (2, True), several.output
    absent = run("traffic", traffic, "--to", tmp_path / "rows.parquet", "--model", "flights", "--version", 9)
    assert (absent.exit_code, "expected flights/1, other/2, other/3" in absent.stderr) == (2, True)
    assert run("traffic", traffic, "--version", 9).exit_code == 2


def test_rows_in_quarantine_are_counted_and_written_alone(traffic: Path, tmp_path: Path) -> None:
    rows = AnsweredRows(
        model="flights",
        version=1,
        signature="serving_default",
        request_ids=["old"],
        rows=[0],
        event_times_us=[0],
        answered_at_us=as_microseconds(NOON),
        latencies_us=[1],
        inputs={"carrier": np.array([b"UA"], object)},
        outputs={"probabilities": np.array([[0.9, 0.1]], np.float32)},
        peers=["10.0.0.7"],
        quarantined=True,
    )
    writer = TrafficWriter(traffic, clock=lambda: NOON)
    writer.append(rows)
    writer.close()
    document = json.loads(run("traffic", traffic, "--json").stdout)
    assert (document["rows"], document["quarantined"]) == (3, 1)
    assert "in quarantine: 1, as the server did not accept their event times" in run("traffic", traffic).stdout
    to = tmp_path / "rows.parquet"
    assert json.loads(run("traffic", traffic, "--quarantine", "--to", to, "--json").stdout)["to"]["rows"] == 1
    (row,) = pq.read_table(to).select(["request_id", "caller_peer", "answered_at"]).to_pylist()
    assert row == {"request_id": "old", "caller_peer": "10.0.0.7", "answered_at": NOON}
    for arguments, message in [((), "--to FILE with them"), (("--to", tmp_path / "a.tfrecord"), "to tables only")]:
        refused = run("traffic", traffic, "--quarantine", *arguments)
        assert (refused.exit_code, message in refused.stderr) == (2, True), refused.output
