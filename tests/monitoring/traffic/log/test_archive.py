"""Closed parts in a store: each row in one place for a reader at every moment, whatever dies or cannot be reached."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import fsspec
import pytest

from monitoring.errors import BadInput, CannotRun
from monitoring.traffic.format.layout import ARCHIVE
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.log.archive import Archiver, closed_parts, move_in_steps, part_lock
from monitoring.traffic.log.listing import Selection, list_traffic, local_parts
from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.writer import TrafficWriter
from monitoring.traffic.remote.file_store import FileStore
from tests.monitoring.traffic.conftest import NOON

Answer = Callable[..., AnsweredRows]
Clock = Callable[[], datetime]
DAYS = 3


@pytest.fixture(params=["file", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "file":
        yield f"file://{tmp_path}/store/traffic"
        return
    name = f"/{uuid4()}"
    yield f"memory:/{name}"
    if fsspec.filesystem("memory").exists(name):
        fsspec.filesystem("memory").rm(name, recursive=True)


@pytest.fixture
def log(tmp_path: Path, clock: Clock, answer: Answer) -> Path:
    """A log of two segments, one with rows of three days, and one more that is still open."""
    root = tmp_path / "log"
    writer = TrafficWriter(root, clock=clock)
    for day in range(DAYS):
        writer.append(answer(f"day {day}", at=NOON + timedelta(days=day)))
    writer.close()
    writer = TrafficWriter(root, clock=clock)
    writer.append(answer("other", model="a/b", version=2))
    writer.close()
    return root


def ids(root: Path) -> list[str]:
    log = TrafficLog(root)
    names = sorted({key.model for key in log.models()})
    return [each for name in names for each in log.read(model=name)["prediction_id"].to_pylist()]


def test_all_that_is_closed_moves_and_is_read_as_before(log: Path, url: str, clock: Clock, answer: Answer) -> None:
    before, summary, extent = TrafficLog(log).table(), TrafficLog(log).summary(), TrafficLog(log).extent("flights")
    assert Archiver(log, url + "/").move_parts() == DAYS + 1
    assert local_parts(log, Selection()) == []
    assert len(FileStore(url).find()) == DAYS + 1
    assert TrafficLog(log).table().equals(before)
    assert TrafficLog(log).summary() == summary
    assert TrafficLog(log).extent("flights") == extent
    assert TrafficLog(log).read(model="a/b", version=2).num_rows == 2
    assert TrafficLog(log).read(model="flights", version=2).num_rows == 0
    day = TrafficLog(log).read(model="flights", start=NOON + timedelta(days=1), end=NOON + timedelta(days=2))
    assert day["request_id"].to_pylist() == ["day 1"] * 2
    writer = TrafficWriter(log, clock=clock)
    writer.append(answer("late"))
    assert sorted(ids(log)) == sorted([*before["prediction_id"].to_pylist(), "late:0", "late:1"])
    assert Archiver(log, url).move_parts() == 0, "an open segment stays"
    writer.close()
    assert Archiver(log, url).move_parts() == 1
    assert len(ids(log)) == len(before) + 2


def test_whatever_step_it_dies_at_each_row_is_read_once(log: Path, url: str) -> None:
    whole = ids(log)
    archiver = Archiver(log, url)
    for lives in (1, 2, 3, 4):  # as many steps, then the process dies
        for step, _ in enumerate(move_in_steps(archiver.store, closed_parts(log)[0]), 1):
            assert ids(log) == whole
            if step == lives:
                break
    assert len(closed_parts(log)) == DAYS, "the fourth step is the last"
    archiver.move_parts()
    assert (ids(log), closed_parts(log)) == (whole, [])


def test_a_part_that_moves_between_listing_and_reading_is_found(log: Path, url: str) -> None:
    Archiver(log, url)
    listed = closed_parts(log)
    seen = list_traffic(log, Selection()).parts
    assert {each.key for each in seen} == {each.key for each in listed}
    Archiver(log, url).move_parts()
    for each in seen:
        with each.open() as file:
            assert file.metadata.num_rows == 2


def test_a_segment_that_came_back_after_a_power_cut_counts_and_not_its_archived_parts(
    tmp_path: Path, url: str, clock: Clock, answer: Answer
) -> None:
    root = tmp_path / "log"
    writer = TrafficWriter(root, clock=clock)
    writer.append(answer("one"))
    [segment] = (root / "open").glob("*.arrows")
    data = segment.read_bytes()
    writer.close()
    Archiver(root, url).move_parts()
    segment.write_bytes(data)
    assert ids(root) == ["one:0", "one:1"]


def test_readers_see_each_row_once_while_parts_move_under_them(
    log: Path, url: str, clock: Clock, answer: Answer
) -> None:
    archiver = Archiver(log, url)
    whole = len(ids(log))
    done = threading.Event()

    def move() -> None:
        for number in range(8):
            writer = TrafficWriter(log, clock=clock)
            writer.append(answer(f"more {number}", count=1))
            writer.close()
            archiver.move_parts()
        done.set()

    mover = threading.Thread(target=move)
    mover.start()
    counts = []
    while not done.is_set():
        found = ids(log)
        assert len(found) == len(set(found))
        counts.append(len(found))
    mover.join()
    assert counts == sorted(counts)
    assert len(ids(log)) == whole + 8


def test_a_store_that_fails_leaves_the_parts_where_they_are(
    log: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = ids(log)
    (tmp_path / "store").write_text("a file where the store's folder should be")
    archiver = Archiver(log, f"file://{tmp_path}/store/traffic")
    assert archiver.move_parts() == 0
    assert archiver.move_parts() == 0
    assert [record.message for record in caplog.records if "does not accept them" in record.message] == [
        caplog.records[0].message
    ], "said once"
    assert len(closed_parts(log)) == DAYS + 1
    (tmp_path / "store").unlink()
    assert archiver.move_parts() == DAYS + 1
    assert "accepts parts of the traffic log again" in caplog.messages[-1]
    assert ids(log) == whole


def test_its_thread_moves_what_is_there_when_it_is_closed(log: Path, url: str) -> None:
    archiver = Archiver(log, url, every_s=3600.0)
    archiver.start()
    archiver.close()
    assert closed_parts(log) == []


def test_a_log_has_one_archive_and_a_url_must_be_one(log: Path, tmp_path: Path) -> None:
    Archiver(log, f"file://{tmp_path}/one")
    with pytest.raises(BadInput, match="has another archive"):
        Archiver(log, f"file://{tmp_path}/two")
    with pytest.raises(BadInput, match="No installed driver can open"):
        Archiver(log, "gopher://nowhere/traffic")
    (log / ARCHIVE).write_text("no json")
    with pytest.raises(BadInput, match="cannot be read"):
        ids(log)


def test_an_archive_that_cannot_be_read_ends_the_reading(log: Path, tmp_path: Path) -> None:
    Archiver(log, f"file://{tmp_path}/store").move_parts()
    [part, *_] = sorted((tmp_path / "store").rglob("*.parquet"))
    part.write_bytes(b"")
    with pytest.raises(CannotRun, match="cannot be read"):
        ids(log)


def test_no_part_is_moved_while_one_is_replaced(tmp_path: Path, clock: Clock, answer: Answer) -> None:
    writer = TrafficWriter(tmp_path / "log", clock=clock)
    writer.append(answer("a"))
    writer.close()
    archiver = Archiver(tmp_path / "log", (tmp_path / "archive").as_uri())
    moved: list[int] = []
    mover = threading.Thread(target=lambda: moved.append(archiver.move_parts()))
    with part_lock(tmp_path / "log"):
        mover.start()
        mover.join(0.1)
        assert moved == []
    mover.join()
    assert moved == [1]
