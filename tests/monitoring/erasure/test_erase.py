"""An erasure leaves no row of the wanted ones anywhere, killed at any moment and run again."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.atomic import PendingFile
from monitoring.config import load_config
from monitoring.erasure.erase import (
    ErasureRequest,
    Waiting,
    counted_changes,
    erase,
    label_changes,
    plan_erasure,
    unreadable_labels,
)
from monitoring.erasure.receipt import Receipt
from monitoring.erasure.wanted_rows import ColumnValue, WantedRows
from monitoring.errors import BadInput, CannotRun
from monitoring.inspection.status import status
from monitoring.records import MonitorStatus
from monitoring.runs.run import run_due_windows
from monitoring.sentences.incident_text import incident_text
from monitoring.store.store import Store
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.id_keys import id_keys
from monitoring.traffic.labels.label_log import LabelLog, without_erased
from monitoring.traffic.labels.label_writer import LabelWriter
from monitoring.traffic.log.archive import Archiver
from monitoring.traffic.log.conversion import recover
from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.writer import SegmentPolicy, TrafficWriter
from monitoring.traffic.tables.inline_labels import BY_ID, InlineLabels
from monitoring.traffic.windows import Window
from tests.monitoring.erasure.small_log import NOON, PEOPLE, write_labels, write_log

Answer = Callable[..., AnsweredRows]
ADA = ColumnValue(column="email", value="ada@example.org")
HERS = {"r0:0", "r2:1", "r3:0", "r5:1"}
ALL = {f"r{number}:{row}" for number in range(6) for row in (0, 1)}


def waiting(seconds: float = 0.0) -> Waiting:
    said: list[str] = []
    return Waiting(
        seconds=seconds, clock=lambda: datetime.now(UTC), elapsed=time.monotonic, sleep=time.sleep, tell=said.append
    )


def request(root: Path, **more: Any) -> ErasureRequest:
    return ErasureRequest(root=root, **{"by": "me", "where": ADA, **more})


def run(root: Path, **more: Any) -> Receipt:
    return erase(request(root, **more), waiting())[0]


def ids_in(root: Path) -> set[str]:
    return set(TrafficLog(root).read(model="flights")["prediction_id"].to_pylist())


def labelled(root: Path) -> list[str]:
    found: list[str] = without_erased(LabelLog(root).read())["prediction_id"].to_pylist()
    return found


def traces(folder: Path, *words: bytes) -> list[str]:
    """Files below a folder that have one of the words in their bytes, or in the values of a Parquet file."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            if path.suffix == ".parquet":
                data += str(pq.read_table(path).to_pylist()).encode()
            if any(word in data for word in words):
                found.append(path.relative_to(folder).as_posix())
    return found


@pytest.fixture
def log(tmp_path: Path, answer: Answer) -> Path:
    """A log with parts here, parts in an archive, a segment whose process is gone, and labels."""
    root = tmp_path / "log"
    write_log(root, answer)
    (tmp_path / "archive").mkdir()
    Archiver(root, (tmp_path / "archive").as_uri()).move_parts()
    again = write_log(root, lambda request, *rest, **more: answer(f"x{request}", *rest, **more))
    again.close()
    dead = write_log(root, lambda request, *rest, **more: answer(f"d{request}", *rest, **more), close=False)
    for segment in dead._open.values():
        segment.file.release()
    write_labels(root, "r0:0", "r0:1", "dr0:0")
    write_labels(root, "r5:1", "xr4:0")
    return root


def test_nothing_of_her_is_left_and_everything_of_others_is(log: Path, tmp_path: Path) -> None:
    before = ids_in(log)
    assert len(before) == 36
    receipt = run(log)
    hers = {f"{prefix}{one}" for one in HERS for prefix in ("", "x", "d")}
    assert ids_in(log) == before - hers
    assert labelled(log) == ["r0:1", "xr4:0"]
    assert traces(tmp_path, b"ada@example.org") == []
    assert (receipt.state, receipt.by, receipt.column, receipt.unreached) == ("complete", "me", "email", ())
    assert len(receipt.ids) == 12
    removed = {kind: sum(one.removed for one in receipt.files if one.kind == kind) for kind in ("label log", "part")}
    assert removed == {"label log": 3, "part": 4}
    assert receipt.removed == 15
    assert run(log).removed == 0


def test_the_receipt_has_the_digests_of_each_file_and_no_value(log: Path) -> None:
    files = {path.relative_to(log).as_posix(): path.read_bytes() for path in log.rglob("*.*") if path.is_file()}
    receipt, path = erase(request(log), waiting())
    text = path.read_text("utf-8")
    assert not [word for word in ("ada@", "r0", "r2:1", "r5:1") if word in text.replace(path.stem, "")]
    document = json.loads(text)
    assert document["state"] == "complete"
    assert document["not_searched"][0].startswith("the monitor's store")
    assert any("PredictionLog" in one for one in document["not_searched"])
    for one in document["files"]:
        if one["kind"] in ("part", "label log"):
            assert one["sha256_before"] == hashlib.sha256(files[one["file"]]).hexdigest()
            assert one["sha256_after"] == hashlib.sha256((log / one["file"]).read_bytes()).hexdigest()
    assert receipt.ended_at is not None


def test_a_dry_run_changes_nothing(log: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    planned = plan_erasure(request(log), lambda: NOON)
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert {path for path in after if path not in before} <= {log / "parts.lock"}
    assert {path: after[path] for path in before} == before
    done = run(log)
    kinds = sorted((one.kind, one.file, one.removed) for one in planned)
    assert kinds == sorted((one.kind, one.file, one.removed) for one in done.files)


def test_labels_and_segments_that_come_back_are_left_out(log: Path, answer: Answer) -> None:
    dead = next((log / "open").glob("*.arrows"))
    copy = dead.read_bytes()
    run(log)
    left = ids_in(log)
    write_labels(log, "r0:0", "r1:1", "dr3:0")
    assert labelled(log) == ["r0:1", "xr4:0", "r1:1"]
    dead.write_bytes(copy)  # from a backup
    recover(log)
    assert ids_in(log) == left
    write_log(log, answer)  # the same requests are answered again
    assert ids_in(log) == left


def test_labels_that_name_the_servers_own_ids_go_too(tmp_path: Path, answer: Answer) -> None:
    def own(request: str, count: int, **more: Any) -> AnsweredRows:
        return replace(answer(request, count, **more), answer_ids=[f"pitfalls-{request}"] * count)

    write_log(tmp_path, own)
    write_labels(tmp_path, "pitfalls-r0:0", "pitfalls-r0:1", "r3:0")
    run(tmp_path)
    assert labelled(tmp_path) == ["pitfalls-r0:1"]
    write_labels(tmp_path, "pitfalls-r5:1", "pitfalls-r5:0")
    assert labelled(tmp_path) == ["pitfalls-r0:1", "pitfalls-r5:0"]


class Killed(BaseException):
    """The process is killed: nothing handles it."""


@pytest.fixture
def kill_at(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int | None], list[int]]]:
    """Die right before the n-th file takes its place; gives the list of those that did."""
    whole = PendingFile.commit

    def set_up(number: int | None) -> list[int]:
        done: list[int] = []

        def commit(self: PendingFile) -> None:
            if len(done) == number:
                self.file.close()  # its temporary file stays
                raise Killed
            whole(self)
            done.append(1)

        monkeypatch.setattr(PendingFile, "commit", commit)
        return done

    yield set_up
    monkeypatch.setattr(PendingFile, "commit", whole)


def test_killed_at_any_moment_and_run_again(
    tmp_path: Path, log: Path, kill_at: Callable[[int | None], list[int]]
) -> None:
    shutil.copytree(tmp_path, tmp_path.with_name("kept"), dirs_exist_ok=True)
    hers = {f"{prefix}{one}" for one in HERS for prefix in ("", "x", "d")}
    before, steps = ids_in(log), kill_at(None)
    run(log)
    count = len(steps)
    assert count > 10
    for number in range(0, count, 2):
        root = tmp_path / f"{number}" / "log"
        shutil.copytree(tmp_path.with_name("kept"), root.parent)
        archive = json.dumps({"url": (root.parent / "archive").as_uri()})
        (root / "archive.json").write_text(archive, "utf-8")
        kill_at(number)
        with pytest.raises(Killed):
            run(root)
        kill_at(None)
        between = ids_in(root)
        assert before - hers <= between <= before
        receipt = run(root)
        assert receipt.state == "complete"
        assert ids_in(root) == before - hers
        assert labelled(root) == ["r0:1", "xr4:0"]
        assert traces(root.parent, b"ada@example.org") == []
        shutil.rmtree(root.parent)


def test_a_running_server_closes_its_segments_and_leaves_the_rows_out(tmp_path: Path, answer: Answer) -> None:
    writer = TrafficWriter(
        tmp_path, clock=lambda: datetime.now(UTC), policy=SegmentPolicy(max_age=timedelta(seconds=0.2))
    )
    ages = replace(writer._policy, max_age=timedelta(days=1))
    writer._policy = ages  # from here on only the erasure closes a segment
    rows = answer("r0", 2)
    writer.append(replace(rows, inputs={**rows.inputs, "email": rows.inputs["carrier"]}))
    receipt, _ = erase(request(tmp_path, where=None, ids=("r0:0",)), waiting(20))
    assert receipt.state == "complete"
    assert [(one.kind, one.removed) for one in receipt.files] == [("open segment", 1)]
    assert ids_in(tmp_path) == {"r0:1"}
    writer.append(rows)
    writer.close()
    assert ids_in(tmp_path) == {"r0:1"}


def test_a_segment_that_stays_open_is_told_with_the_fix(tmp_path: Path, answer: Answer) -> None:
    writer = write_log(tmp_path, answer, close=False)
    receipt = run(tmp_path)
    assert receipt.state == "incomplete"
    [left] = receipt.unreached
    assert left.what.startswith("open/")
    assert "4 of its rows" in left.why
    assert "Run the same command again" in left.fix
    writer.close()
    assert ids_in(tmp_path) == ALL - HERS, "its rows were left out when it was converted"
    done = run(tmp_path)
    assert (done.state, done.continues) == ("complete", (receipt.name,))
    assert run(tmp_path).continues == ()


def test_readers_see_each_other_row_once_meanwhile(tmp_path: Path, answer: Answer) -> None:
    write_log(tmp_path, answer)
    stop, seen = threading.Event(), set()

    def read() -> None:
        while not stop.is_set():
            seen.add(frozenset(ids_in(tmp_path)))

    reader = threading.Thread(target=read)
    reader.start()
    for one in sorted(HERS):
        run(tmp_path, where=None, ids=(one,))
    stop.set()
    reader.join()
    assert all(ALL - HERS <= found <= ALL for found in seen)


def test_tables_are_checked_before_anything_is_changed(log: Path, tmp_path: Path) -> None:
    table = tmp_path / "rows.csv"
    table.write_text("a,b\n1,2\n", "utf-8")
    before = ids_in(log)
    with pytest.raises(BadInput, match="a column prediction_id or email"):
        run(log, tables=(table,))
    assert ids_in(log) == before
    assert not (log / "erasures").exists()
    table.write_text("email,b\nada@example.org,2\nbob,3\n", "utf-8")
    receipt = run(log, tables=(table,))
    assert table.read_text("utf-8") == "email,b\nbob,3\n"
    assert str(table) in {one.file for one in receipt.files}


def test_an_archive_that_is_away_is_told(log: Path, tmp_path: Path) -> None:
    (tmp_path / "archive").rename(tmp_path / "away")
    (tmp_path / "archive").write_text("no folder", "utf-8")
    (log / "archive.json").write_text(json.dumps({"url": "nosuch://bucket"}), "utf-8")
    with pytest.raises(BadInput, match="driver"):
        run(log)
    assert PEOPLE[0].startswith(b"ada")


def test_a_disk_that_is_full_is_an_error_with_the_fix(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: PendingFile) -> None:
        self.discard()
        raise OSError(28, os.strerror(28), str(self._path))

    with monkeypatch.context() as patch:
        patch.setattr(PendingFile, "commit", full)
        with pytest.raises(CannotRun, match=r"No space left.*run the same command again"):
            run(log)
    assert run(log).state == "complete"


def judged(folder: Path, day: int) -> MonitorStatus:
    config = load_config(folder / "monitor.toml")
    with Store.open(config.store.url) as store:
        done = run_due_windows(config, store, clock=lambda: datetime(2013, 4, day, 7, tzinfo=UTC))
        return status(store, "flights", done.deployment)


def test_the_monitor_goes_on_as_before(deploy: Callable[[str], Path], send: Callable[..., None], days: Any) -> None:
    """Judged windows stay; labels read before are not read again, nor missed; no finding says that rows are gone."""
    plain, erased = deploy("plain"), deploy("erased")
    for folder in (plain, erased):
        send(folder, days(days=10, broken_from=3))
    judged(plain, 9)
    found = judged(erased, 9)
    named = [row.prediction_id for incident in found.incidents for row in incident.detail.rows][:3]
    others = TrafficLog(erased / "traffic").read(model="flights")["prediction_id"].to_pylist()[:40:10]
    store = f"sqlite:///{erased / 'pitfalls.db'}"
    receipt = run(erased / "traffic", where=None, ids=(*named, *others), store_url=store)
    assert receipt.state == "complete"
    assert receipt.store is not None
    assert receipt.store["incident rows"] >= len(named) == 3
    assert traces(erased, *(one.encode() for one in named)) == []
    one, other = judged(plain, 11), judged(erased, 11)
    assert len(one.windows) > 8
    assert one.windows == other.windows
    assert [incident_text(incident).message for incident in one.incidents] == [
        incident_text(incident).message for incident in other.incidents
    ]


def test_a_log_of_another_user_is_refused(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: log.stat().st_uid + 1)
    with pytest.raises(CannotRun, match=r"another user.*sudo -u"):
        run(log)


def test_a_store_that_is_not_there_is_told(log: Path, tmp_path: Path) -> None:
    receipt = run(log, store_url=f"sqlite:///{tmp_path / 'none.db'}")
    assert [one.what for one in receipt.unreached] == ["store"]
    assert ids_in(log).isdisjoint(HERS)


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
