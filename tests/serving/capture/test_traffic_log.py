"""The log of a server process: opened with what a killed one left, closed with everything converted and moved."""

from __future__ import annotations

import shutil
import struct
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import orjson
import pyarrow.parquet as pq
import pytest

from monitoring.errors import BadInput, CannotRun
from monitoring.traffic.labels.label_log import LabelLog
from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.redaction import Redaction, hashed
from monitoring.traffic.log.writer import SegmentPolicy, Sync, TrafficWriter
from serving.capture.capture import AnsweredBatch, Caller
from serving.capture.model_logging import ModelLogging
from serving.capture.traffic_log import TrafficSettings, convert_leftovers, open_traffic_log
from tests.serving.capture.test_log_sink import answered

if TYPE_CHECKING:
    from pathlib import Path

    from serving.models.served_version import ServedVersion
    from serving.models.versions import Models
    from tests.serving.conftest import OpenWebsite


@pytest.fixture
def served(models: Models) -> ServedVersion:
    with models.lease("half_plus_two") as one:
        return one


def batch(served: ServedVersion, request: str) -> AnsweredBatch:
    return AnsweredBatch(
        served=served,
        signature=served.runner.signatures["serving_default"],
        callers=[Caller(request_id=request, event_time_us=0, arrived_us=0)],
        counts=[2],
        inputs={"x": np.zeros(2, np.float32)},
        outputs={"y": np.zeros(2, np.float32)},
        answered_us=0,
    )


def left_open(folder: Path, request: str) -> None:
    """A log whose writer was killed: an open segment that nobody has locked."""
    aside = folder.with_name(f"{folder.name}.aside")
    writer = TrafficWriter(aside, clock=lambda: datetime(2013, 4, 1, tzinfo=UTC))
    writer.append(answered(request, 3))
    shutil.copytree(aside, folder)
    writer.close()


def test_it_is_converted_and_moved_to_the_archive(tmp_path: Path) -> None:
    own, elsewhere, archive = (tmp_path / name for name in ("own", "elsewhere", "archive"))
    left_open(own, "a")
    left_open(elsewhere, "b")
    told: list[str] = []
    settings = TrafficSettings(folder=own, archive=f"file://{archive}")
    convert_leftovers(settings, [elsewhere, tmp_path / "none"], told.append)
    assert told == []
    for folder, request in ((own, "a"), (elsewhere, "b")):
        assert list(folder.glob("open/*.arrows")) == []
        assert TrafficLog(folder).read(model="m")["request_id"].to_pylist() == [request] * 3
    assert [len(list(folder.rglob("*.parquet"))) for folder in (own, elsewhere, archive)] == [0, 0, 2]


def test_a_log_that_cannot_be_converted_is_reported_and_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own"
    left_open(own, "a")

    def fail(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("serving.capture.traffic_log.recover", fail)
    told: list[str] = []
    convert_leftovers(TrafficSettings(folder=own), [], told.append)
    assert told == [f"Open segments in {own} could not be converted: No space left on device."]
    assert len(list(own.glob("open/*.arrows"))) == 1


def test_without_settings_nothing_is_logged_and_there_are_no_labels(served: ServedVersion) -> None:
    with open_traffic_log(None, report=pytest.fail) as (capture, labels):
        assert capture.record(batch(served, "a"))
        assert (capture.writes, labels) == (False, None)


def test_rows_and_labels_are_in_the_log_and_all_is_converted_at_the_end(served: ServedVersion, tmp_path: Path) -> None:
    with open_traffic_log(TrafficSettings(folder=tmp_path), report=pytest.fail) as (capture, labels):
        assert capture.record(batch(served, "a"))
        assert labels is not None
        labels.append(["a:0"], ["late"], [0])
        assert not capture.waits_for_disk
    assert list((tmp_path / "open").iterdir()) == []
    assert list((tmp_path / "gaps").iterdir()) == []
    assert TrafficLog(tmp_path).read(model="half_plus_two")["request_id"].to_pylist() == ["a", "a"]
    assert LabelLog(tmp_path).read()["label"].to_pylist() == ["late"]


def test_what_a_killed_server_left_is_converted_while_the_server_starts_and_reported(tmp_path: Path) -> None:
    own = tmp_path / "own"
    left_open(own, "a")
    told: list[str] = []
    with open_traffic_log(TrafficSettings(folder=own), report=told.append):
        assert TrafficLog(own).read(model="m").num_rows == 3
    assert list(own.glob("open/*.arrows")) == []
    assert told == ["Converted 3 rows that an earlier server left in 1 open segments."]


def test_a_policy_of_syncing_every_row_waits_for_the_disk(tmp_path: Path) -> None:
    settings = TrafficSettings(folder=tmp_path, policy=SegmentPolicy(sync=Sync.ALWAYS))
    with open_traffic_log(settings, report=pytest.fail) as (capture, _):
        assert capture.waits_for_disk


def test_a_folder_or_archive_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for settings, error, said in (
        (TrafficSettings(folder=tmp_path / "file"), CannotRun, r"cannot be written\. Got .*file"),
        (TrafficSettings(folder=tmp_path / "file" / "a", archive="memory://a"), CannotRun, "cannot be written"),
        (TrafficSettings(folder=tmp_path / "own", archive="gopher://a"), BadInput, "No installed driver"),
    ):
        with pytest.raises(error, match=said), open_traffic_log(settings, report=pytest.fail):
            pytest.fail("there is nowhere to write")


def test_models_with_folders_of_their_own_have_archives_of_their_own(served: ServedVersion, tmp_path: Path) -> None:
    own, elsewhere, archive = (tmp_path / name for name in ("own", "elsewhere", "archive"))
    settings = TrafficSettings(folder=own, archive=f"file://{archive}")
    with open_traffic_log(settings, report=pytest.fail) as (capture, _):
        capture.record(batch(served, "a"))
        capture.log_models({"half_plus_two": ModelLogging(folder=elsewhere)})
        capture.record(batch(served, "b"))
    assert [len(list(folder.rglob("*.parquet"))) for folder in (own, elsewhere, archive)] == [0, 0, 2]
    requests = [TrafficLog(folder).read(model="half_plus_two")["request_id"].to_pylist() for folder in (own, elsewhere)]
    assert requests == [["a", "a"], ["b", "b"]]


KEY = b"a key of the tests, nobody else's"
ADDRESS = "ada.lovelace@example.org"
NUMBER = 1234.5
TRACES = [ADDRESS.encode(), struct.pack("<f", NUMBER), struct.pack("<d", NUMBER), b"1234.5"]


def everything(folder: Path) -> bytes:
    """The bytes of every file, and what is in those that are compressed."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    parts = [path for path in files if path.suffix == ".parquet"]
    decoded = [repr(pq.read_table(path).to_pydict()) + str(pq.read_metadata(path).to_dict()) for path in parts]
    return b"".join([*(path.read_bytes() for path in files), *(text.encode() for text in decoded)])


@pytest.mark.parametrize("fate", ["redact", "hash", "store"])
def test_no_trace_of_it_is_in_any_file_nor_said(
    open_website: OpenWebsite, tmp_path: Path, capfd: pytest.CaptureFixture[str], fate: str
) -> None:
    names = frozenset({"s", "x"})  # the input of a model of strings, and a feature of tf.Examples
    redaction = {"redact": Redaction(dropped=names), "hash": Redaction(hashed=names, key=KEY), "store": None}[fate]
    settings = TrafficSettings(folder=tmp_path / "traffic", redaction=redaction)
    with open_traffic_log(settings, report=lambda _: None) as (capture, _):
        with open_website(capture=capture) as site:
            lengths = {"signature_name": "length", "instances": [ADDRESS]}
            assert site.predict("strs", lengths).status == 200
            examples = {"signature_name": "regress_x_to_y", "examples": [{"x": NUMBER}]}
            answer = site.send("POST", "/v1/models/half_plus_two:regress", orjson.dumps(examples))
            assert answer.status == 200, answer.body
            broken = {"signature_name": "length", "instances": [ADDRESS, NUMBER]}
            assert site.predict("strs", broken).status == 400
        while_open = everything(tmp_path)
        assert list((tmp_path / "traffic" / "open").iterdir())
    said = "".join(capfd.readouterr()).encode()
    written = [while_open, everything(tmp_path), said]
    found = [trace for trace in TRACES for each in written if trace in each]
    if fate == "store":  # so the search can find something
        assert {ADDRESS.encode(), struct.pack("<f", NUMBER)} <= set(found)
        return
    assert found == []
    rows = TrafficLog(tmp_path / "traffic").read(model="strs")
    assert rows.num_rows == 1
    if fate == "hash":
        assert rows["input:s"].to_pylist() == [[hashed(ADDRESS, KEY)]]
    else:
        assert "input:s" not in rows.column_names
