"""A closed-loop load generator over gRPC: TensorFlow Serving's Predict, one call at a time on each connection.

    python -m benchmarks.grpc_load_generator PORT CONNECTIONS SECONDS < requests in base64, one per line

Prints one JSON document. It writes HTTP/2 frames itself, on uvloop: a call through gRPC's library costs a client
several times as much as this server's answer costs the server, and the generator would be what is measured. The frames
are those that gRPC's own client sends: headers with a deadline of their own, a window update, the message, and another.
"""

from __future__ import annotations

import asyncio
import base64
import json
import struct
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import cast

import numpy as np
import uvloop

from benchmarks.load_generator import WARM_UP, Load, Tally

METHOD = "/tensorflow.serving.PredictionService/Predict"
ROOM = 1 << 30
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#: The first 16 bits of a frame's length, the other 8, its kind, flags, and the number of its stream.
HEAD = struct.Struct(">HBBBI")
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
ACK = END_STREAM = 1
END_HEADERS, INITIAL_WINDOW_SIZE = 4, 4


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Write a frame."""
    return HEAD.pack(len(payload) >> 8, len(payload) & 0xFF, kind, flags, stream) + payload


def literal(name: bytes, value: bytes, first: bytes = b"\0") -> bytes:
    """Write a header of at most 126 bytes; ``first`` says whether the other end remembers it."""
    return first + bytes((len(name),)) + name + bytes((len(value),)) + value


#: The headers of the first call of a connection, and those of each further one: numbers of what is remembered.
FIRST_CALL = b"\x83\x86" + b"".join(  # POST, http
    literal(name, value, b"\x40")
    for name, value in (
        (b":path", METHOD.encode()),
        (b":authority", b"127.0.0.1"),
        (b"content-type", b"application/grpc"),
        (b"te", b"trailers"),
        (b"user-agent", b"load-generator"),
    )
)
FURTHER_CALL = b"\x83\x86\xc2\xc1\xc0\xbf\xbe"
FEW_BYTES = (5).to_bytes(4, "big")


class CallingConnection(asyncio.Protocol):
    """One connection: sends the next call when the answer to the last has come."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._stream = -1
        self._rest = b""
        self._began = 0.0
        self._has_message = False
        self.is_closing = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first call."""
        self._transport = cast("asyncio.Transport", transport)
        settings = frame(SETTINGS, 0, 0, struct.pack(">HI", INITIAL_WINDOW_SIZE, ROOM))
        self._transport.write(PREFACE + settings + frame(WINDOW_UPDATE, 0, 0, ROOM.to_bytes(4, "big")))
        self._call(FIRST_CALL)

    def _call(self, block: bytes) -> None:
        self._stream += 2
        self._has_message = False
        message = self._tally.request()
        data = b"\0" + len(message).to_bytes(4, "big") + message
        deadline = literal(b"grpc-timeout", b"%dm" % (9000 + self._stream % 1000))
        self._began = time.perf_counter()
        self._transport.write(
            frame(HEADERS, END_HEADERS, self._stream, block + deadline)
            + frame(WINDOW_UPDATE, 0, self._stream, FEW_BYTES)
            + frame(DATA, END_STREAM, self._stream, data)
            + frame(WINDOW_UPDATE, 0, 0, FEW_BYTES)
        )

    def data_received(self, data: bytes) -> None:
        """Read the frames of an answer."""
        data = self._rest + data
        begin, end = 0, len(data)
        while end - begin >= HEAD.size:
            high, low, kind, flags, _ = HEAD.unpack_from(data, begin)
            text = begin + HEAD.size
            if text + (high << 8 | low) > end:
                break
            begin = text + (high << 8 | low)
            self._on_frame(kind, flags, data[text:begin])
        self._rest = data[begin:]

    def _on_frame(self, kind: int, flags: int, payload: bytes) -> None:
        is_ours = not flags & ACK
        if kind == SETTINGS and is_ours:
            self._transport.write(frame(SETTINGS, ACK, 0))
        elif kind == PING and is_ours:
            self._transport.write(frame(PING, ACK, 0, payload))
        elif kind in {GOAWAY, RST_STREAM}:
            self._tally.failures += 1
            self._transport.close()
        elif kind == DATA:
            self._has_message = True
        elif kind == HEADERS and flags & END_STREAM:
            self._tally.latencies.append(time.perf_counter() - self._began)
            self._tally.failures += not self._has_message
            if self.is_closing:
                self._transport.close()
            else:
                self._call(FURTHER_CALL)


async def loaded(port: int, requests: Sequence[bytes], connections: int, seconds: float) -> Load:
    """Load a server for a given time, after a warm-up."""
    tally = Tally(requests)
    loop = asyncio.get_running_loop()
    clients = [
        (await loop.create_connection(lambda: CallingConnection(tally), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    await asyncio.sleep(min(WARM_UP, seconds))
    tally.latencies.clear()
    begin, busy = time.perf_counter(), time.process_time()
    await asyncio.sleep(seconds)
    elapsed, used = time.perf_counter() - begin, time.process_time() - busy
    counted = np.array(tally.latencies) * 1e3
    for client in clients:
        client.is_closing = True
    await asyncio.sleep(0.2)
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
    """Read the requests, run the loop, print the results."""
    port, connections, seconds = sys.argv[1:]
    requests = [base64.b64decode(line) for line in sys.stdin.buffer.read().splitlines()]
    print(json.dumps(asdict(uvloop.run(loaded(int(port), requests, int(connections), float(seconds))))))


if __name__ == "__main__":
    main()
