"""kill -9 of a server under load: every answer that a client received is in the log, once, and the log can be read."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from monitoring.traffic.log.log import TrafficLog
from tests.serving.nursery import nursery

if TYPE_CHECKING:
    from pathlib import Path

CONNECTIONS = 16
BODY = b'{"instances": [1.0, 2.0]}'
# Small enough that servers die in the middle of conversions, too: a server of this test logs about so much.
SEGMENT_BYTES = 60_000


@dataclass(slots=True)
class Load:
    """Sixteen connections that ask until the server is gone."""

    name: str
    patience: int
    """After so many answers the server is killed; the others are on their way."""
    pid: int
    answered: list[str] = field(default_factory=list)
    sent: int = 0

    async def run(self, port: int) -> None:
        await asyncio.gather(*(self._ask(port, number) for number in range(CONNECTIONS)))

    async def _ask(self, port: int, connection: int) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                for number in range(1_000_000):
                    await self._once(reader, writer, f"{self.name}-{connection}-{number}")
            finally:
                writer.close()

    async def _once(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request_id: str) -> None:
        head = f"POST /v1/models/half_plus_two:predict HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: {request_id}\r\n"
        self.sent += 1
        writer.write(f"{head}Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY)
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200"), answer
        length = next(int(line[15:]) for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(length)
        self.answered.append(request_id)
        if len(self.answered) == self.patience:
            os.kill(self.pid, signal.SIGKILL)


def check(traffic: Path, loads: list[Load]) -> None:
    log = TrafficLog(traffic)
    logged = Counter(log.read(model="half_plus_two").column("prediction_id").to_pylist())
    answered = {f"{request_id}:{row}" for load in loads for request_id in load.answered for row in (0, 1)}
    assert not answered - logged.keys(), "answers are missing from the log"
    assert set(logged.values()) == {1}, "rows are in the log twice"
    summary = log.summary()
    assert (summary.rows, summary.repeats, summary.lost_rows) == (len(logged), 0, 0)
    # Other rows belong to requests whose answer was on its way when the server died.
    assert len(logged) - len(answered) <= 2 * CONNECTIONS * len(loads)


@pytest.mark.parametrize("rounds", [3, pytest.param(100, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])])
def test_every_answer_is_logged_once_after_kill_9(models_folder: Path, tmp_path: Path, rounds: int) -> None:
    chance = random.Random(rounds)  # noqa: S311 - where a server dies need not be a secret
    traffic = tmp_path / "traffic"
    loads: list[Load] = []
    with nursery(tmp_path) as made:
        for number in range(rounds):
            argv = ["--models", models_folder, "--traffic", traffic, "--rest-port", 0, "--grpc-port", "off"]
            server = made.start(*argv, "--log-segment-bytes", SEGMENT_BYTES)
            loads.append(Load(f"k{number}", chance.randint(1, 2000), server.pid))
            asyncio.run(loads[-1].run(server.port))
            assert len(loads[-1].answered) >= loads[-1].patience
            if number % 5 == 2:  # the dead leave segments behind, which the next server converts
                check(traffic, loads)
    check(traffic, loads)
