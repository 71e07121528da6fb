"""A log that cannot take rows: what is lost is counted to the row and recorded, what is refused does not leave."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
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
from tests.serving.nursery import nursery
from tests.small_disk import small_disk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.serving.conftest import OpenWebsite
    from tests.serving.nursery import Child

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


CONNECTIONS = 16
BODY = b'{"instances": [1.0, 2.0]}'
# Small enough that segments are closed, and their conversions find no room, too.
SEGMENT_BYTES = 60_000


@dataclass(slots=True)
class Load:
    """Sixteen connections that ask until the server is gone; at the moments of ``then``, something else happens."""

    then: Mapping[int, Callable[[], None]]
    """By the number of requests that were answered, whatever the status."""
    told: dict[str, int] = field(default_factory=dict)
    """Every answered request's status."""

    async def run(self, port: int) -> None:
        await asyncio.gather(*(self._ask(port, number) for number in range(CONNECTIONS)))

    async def _ask(self, port: int, connection: int) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                for number in range(1_000_000):
                    await self._once(reader, writer, f"{connection}-{number}")
            finally:
                writer.close()

    async def _once(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request_id: str) -> None:
        head = f"POST /v1/models/half_plus_two:predict HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: {request_id}\r\n"
        writer.write(f"{head}Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(length)
        self.told[request_id] = int(answer.split()[1])
        self.then.get(len(self.told), lambda: None)()


def run_until_told(server: Child, disk: Path) -> Load:
    """Full, with room again, full again, with room again, told to stop. Conversions make room: it is filled anew."""
    filler = disk / "filler"

    def fill() -> None:
        room = os.statvfs(disk)
        with suppress(OSError), filler.open("ab") as more:  # the log may be quicker
            more.write(bytes(room.f_bavail * room.f_bsize))

    load = Load(
        {
            **dict.fromkeys(range(300, 1300, 100), fill),
            1300: filler.unlink,
            **dict.fromkeys(range(1700, 2700, 100), fill),
            2700: filler.unlink,
            3200: lambda: os.kill(server.pid, signal.SIGTERM),
        }
    )
    asyncio.run(load.run(server.port))
    server.wait()
    return load


@pytest.mark.slow
@pytest.mark.parametrize("on_failure", ["serve", "refuse"])
def test_what_is_missing_is_counted_to_the_row(models_folder: Path, tmp_path: Path, on_failure: str) -> None:
    with small_disk(tmp_path / "disk", "16m") as disk, nursery(tmp_path) as made:
        traffic = disk / "traffic"
        server = made.start(
            *("--models", models_folder, "--traffic", traffic, "--rest-port", 0, "--grpc-port", "off"),
            *("--log-segment-bytes", SEGMENT_BYTES, "--on-log-failure", on_failure),
        )
        load = run_until_told(server, disk)
        log = TrafficLog(traffic)
        logged = Counter(log.read(model="half_plus_two").column("prediction_id").to_pylist())
        summary = log.summary()
    assert set(logged.values()) == {1}
    answered = {f"{request_id}:{row}" for request_id, status in load.told.items() if status == 200 for row in (0, 1)}
    assert not logged.keys() - answered, "what is in the log was answered"
    assert (summary.rows, summary.repeats, summary.torn_bytes) == (len(logged), 0, 0)
    assert len(answered - logged.keys()) == summary.lost_rows
    if on_failure == "serve":
        assert set(load.told.values()) == {200}
        assert summary.lost_rows > 0
        assert 2 <= len(summary.gaps) <= 20, "a record of each time, and it has ended"
    else:
        assert set(load.told.values()) == {200, 503}
        assert summary.gaps == ()
    assert "Traceback" not in made.stderr.read_text()
