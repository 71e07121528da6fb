"""A log that cannot take rows: what is lost is counted to the row and recorded, what is refused does not leave."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import pytest

from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.log.gaps import Gap, GapFile, read_gaps
from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.writer import TrafficWriter
from serving.capture.capture import Capture
from serving.capture.log_sink import LogSink
from tests.small_disk import small_disk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.serving.conftest import OpenWebsite

FULL = OSError(28, "No space left on device")


class Disk:
    """A log and its gaps, on a disk that can be full for either."""

    def __init__(self) -> None:
        self.rows: list[AnsweredRows] = []
        self.recorded: list[Gap | None] = [None]
        self.full = self.full_for_gaps = False

    def append(self, rows: AnsweredRows) -> None:
        if self.full:
            raise FULL
        self.rows.append(rows)

    def write(self, gap: Gap) -> None:
        if self.full_for_gaps:
            raise FULL
        self.recorded[-1] = gap

    def end(self) -> None:
        self.recorded.append(None)


def answered(request: str, count: int, *, version: int = 1, at_us: int = 0) -> AnsweredRows:
    return AnsweredRows(
        model="m",
        version=version,
        signature="s",
        request_ids=[request] * count,
        rows=range(count),
        event_times_us=np.arange(count) + at_us,
        answered_at_us=at_us,
        latencies_us=np.zeros(count, np.int64),
        # what does not compress, so that a full disk stays full
        inputs={"x": np.frombuffer(np.random.default_rng(at_us).bytes(800 * count)).reshape(count, 100)},
        outputs={},
    )


def test_a_gap_is_recorded_while_it_lasts_and_ends_with_the_first_row_that_fits() -> None:
    disk = Disk()
    sink = LogSink(disk, disk)
    disk.full = True
    assert sink.write(answered("a", 2, at_us=10))
    assert sink.write(answered("b", 3, version=2, at_us=20))
    [gap] = disk.recorded
    assert gap == sink.open_gap
    assert gap is not None
    assert (gap.first_us, gap.last_us, gap.rows) == (10, 20, 5)
    assert [(each.version, each.rows, each.last_event_us) for each in gap.lost] == [(1, 2, 11), (2, 3, 22)]
    disk.full = False
    assert sink.write(answered("c", 1))
    assert (sink.rows_logged, sink.rows_lost, sink.open_gap, disk.recorded) == (1, 5, None, [gap, None])


def test_a_gap_whose_record_has_no_room_stays_open_until_it_has() -> None:
    disk = Disk()
    sink = LogSink(disk, disk)
    disk.full = disk.full_for_gaps = True
    sink.write(answered("a", 2, at_us=10))
    disk.full = False
    sink.write(answered("b", 1))
    assert sink.open_gap is not None
    disk.full_for_gaps = False
    sink.write(answered("c", 1))
    [gap, _] = disk.recorded
    assert gap is not None
    assert gap.rows == 2
    assert sink.gaps == [gap]


def test_refused_rows_are_not_lost() -> None:
    disk = Disk()
    sink = LogSink(disk, disk, refuses=True)
    disk.full = True
    assert not sink.write(answered("a", 2))
    assert (sink.rows_lost, sink.rows_refused, sink.open_gap) == (0, 2, None)
    disk.full = False
    assert sink.write(answered("b", 1))
    assert disk.recorded == [None]


@pytest.fixture
def disk_of_half_a_megabyte(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", "512k") as disk:
        yield disk


def test_on_a_disk_that_is_full_twice_every_missing_row_is_counted(disk_of_half_a_megabyte: Path) -> None:
    disk = disk_of_half_a_megabyte
    root, filler = disk / "traffic", disk / "filler"

    def now() -> datetime:
        return datetime(2013, 4, 1, tzinfo=UTC)

    writer, gaps = TrafficWriter(root, clock=now), GapFile(root, now())
    sink = LogSink(writer, gaps)
    asked = 0
    for turn in (1, 2):
        room = os.statvfs(disk)
        filler.write_bytes(bytes(room.f_bavail * room.f_bsize - 40_000))
        lost = sink.rows_lost
        while sink.rows_lost < lost + 50:
            sink.write(answered(f"r{asked}", 5, version=turn, at_us=asked))
            asked += 1
        # While the disk is full the gap is on it already.
        assert sum(gap.rows for gap in read_gaps(root)) == sink.rows_lost
        assert TrafficLog(root).summary().rows == sink.rows_logged
        filler.unlink()
        sink.write(answered(f"r{asked}", 5, version=turn, at_us=asked))
        asked += 1
        assert sink.open_gap is None
    logged = {*TrafficLog(root).read(model="m")["request_id"].to_pylist()}
    summary = TrafficLog(root).summary()
    assert (summary.rows, summary.repeats, summary.torn_bytes) == (5 * len(logged), 0, 0)
    assert summary.rows + summary.lost_rows == 5 * asked
    # A disk that is nearly full may take a row between two that it does not take, so a turn may have two gaps.
    versions = [one.version for gap in summary.gaps for one in gap.lost]
    assert [turn for turn, _ in groupby(versions)] == [1, 2]
    writer.close()
    gaps.close()
    assert replace(TrafficLog(root).summary(), segments=summary.segments) == summary


def test_a_server_that_may_not_lose_rows_says_503_until_the_log_takes_them_again(open_website: OpenWebsite) -> None:
    disk = Disk()
    capture = Capture(LogSink(disk, disk, refuses=True))
    with open_website(capture=capture) as site:
        disk.full = True
        for instances in ([1.0], [1.0, 2.0]):
            refused = site.predict("half_plus_two", {"instances": instances})
            assert refused.status == 503
            assert b"traffic log cannot be written" in refused.body
        page = site.send("GET", "/monitoring/prometheus/metrics").body.decode()
        assert "pitfalls_traffic_rows_refused_total{} 3" in page
        assert "pitfalls_traffic_rows_lost_total{} 0" in page
        disk.full = False
        assert site.predict("half_plus_two", {"instances": [1.0]}).status == 200
    assert [rows.count for rows in disk.rows] == [1]


def test_a_log_that_waits_for_the_disk_is_written_beside_the_event_loop(open_website: OpenWebsite) -> None:
    threads: set[str] = set()

    class Slow(Disk):
        def append(self, rows: AnsweredRows) -> None:
            threads.add(threading.current_thread().name.partition("_")[0])
            super().append(rows)

    with open_website(capture=Capture(Slow(), waits_for_disk=True)) as site:
        for _ in range(5):
            assert site.predict("half_plus_two", {"instances": [1.0]}).status == 200
    assert threads == {"model"}
