"""Servers whose disk fills up under load: of all answers that clients had, those missing from the log are counted."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from monitoring.traffic.log.log import TrafficLog
from tests.serving.nursery import nursery
from tests.small_disk import small_disk

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.serving.nursery import Child

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
