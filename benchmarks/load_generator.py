"""A closed-loop load generator over HTTP in its own process: a connection sends its next request after a response.

    python -m benchmarks.load_generator PORT PATH CONNECTIONS SECONDS < bodies, one per line

Prints one JSON document. It uses raw asyncio protocols on uvloop and httptools, so that it costs little compared with
the server.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import cast

import httptools
import numpy as np
import uvloop

#: Seconds of warm-up, which do not count.
WARM_UP = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Results of the loop: counted responses, latencies, and failures."""

    connections: int
    seconds: float
    responses: int
    with_warm_up: int
    failures: int
    p50_ms: float
    p99_ms: float
    max_ms: float = 0.0
    """0 in results of an earlier release."""
    cpu_seconds: float

    @property
    def rate(self) -> float:
        """Responses per second."""
        return self.responses / self.seconds


@dataclass(slots=True)
class Tally:
    """Counts over all connections."""

    requests: Sequence[bytes]
    next: int = 0
    failures: int = 0
    latencies: list[float] = field(default_factory=list)

    def request(self) -> bytes:
        """The next request, in turn."""
        self.next += 1
        return self.requests[self.next % len(self.requests)]


class Connection(asyncio.Protocol):
    """One connection of the closed loop."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._sent = 0.0
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self.closing = False
        self.lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        # uvloop's transport has the interface of asyncio's without being a subclass.
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        """Parse the data; the parser calls `on_message_complete`."""
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """Count the response and send the next request."""
        self._tally.latencies.append(time.perf_counter() - self._sent)
        if self._parser.get_status_code() != 200:
            self._tally.failures += 1
        if self.closing:
            assert self._transport is not None
            self._transport.close()
        else:
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count a connection that the server closes as a failure."""
        self.lost.set()
        if not self.closing:
            self._tally.failures += 1

    def _send(self) -> None:
        assert self._transport is not None
        self._sent = time.perf_counter()
        self._transport.write(self._tally.request())


def requests_of(path: str, bodies: Sequence[bytes]) -> list[bytes]:
    """Encode HTTP/1.1 requests.

    >>> requests_of("/v1/x", [b"{}"])[0].splitlines()[-1]
    b'{}'
    """
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: "
    return [head.encode() + str(len(body)).encode() + b"\r\n\r\n" + body for body in bodies]


async def loaded(port: int, requests: Sequence[bytes], connections: int, seconds: float) -> Load:
    """Load a server on the loopback interface for a given time, after a warm-up."""
    loop = asyncio.get_running_loop()
    tally = Tally(requests)
    clients = [
        (await loop.create_connection(lambda: Connection(tally), "127.0.0.1", port))[1] for _ in range(connections)
    ]
    await asyncio.sleep(min(WARM_UP, seconds))
    tally.latencies.clear()
    begin, busy = time.perf_counter(), time.process_time()
    await asyncio.sleep(seconds)
    elapsed, used = time.perf_counter() - begin, time.process_time() - busy
    counted = np.array(tally.latencies) * 1e3
    for connection in clients:
        connection.closing = True
    for connection in clients:
        await connection.lost.wait()
    return Load(
        connections=connections,
        seconds=elapsed,
        responses=counted.size,
        with_warm_up=tally.next,
        failures=tally.failures,
        p50_ms=float(np.quantile(counted, 0.5)) if counted.size else float("nan"),
        p99_ms=float(np.quantile(counted, 0.99)) if counted.size else float("nan"),
        max_ms=float(counted.max()) if counted.size else float("nan"),
        cpu_seconds=used,
    )


def main() -> None:
    """Read the bodies, run the loop, print the results."""
    port, path, connections, seconds = sys.argv[1:]
    bodies = sys.stdin.buffer.read().splitlines()
    result = uvloop.run(loaded(int(port), requests_of(path, bodies), int(connections), float(seconds)))
    print(json.dumps(asdict(result)))


if __name__ == "__main__":
    main()
