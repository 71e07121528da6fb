"""Bursts on many connections at once, and the processor time of the event loop before others are answered."""

from __future__ import annotations

import http.client
import multiprocessing
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from benchmarks.grpc_load_generator import (
    ACK,
    DATA,
    END_HEADERS,
    END_STREAM,
    FIRST_CALL,
    FURTHER_CALL,
    GOAWAY,
    HEAD,
    HEADERS,
    PING,
    PREFACE,
    ROOM,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    frame,
    literal,
)
from benchmarks.hostile.costs import Target
from benchmarks.hostile.models import FLOATS
from benchmarks.hostile.requests import Rest, predict, rows, tensor

#: A health probe is begun so long after the last one was answered.
PROBE_EVERY_S = 0.02
#: The most processor time of the loop that a probe may wait for.
WAIT_S = 0.05
STATUS_LINE = b"HTTP/1.1 "
PONG = frame(PING, 0, 0, b"the-last")
CHECK = (
    b"\x83\x86"
    + literal(b":path", b"/grpc.health.v1.Health/Check")
    + literal(b":authority", b"127.0.0.1")
    + literal(b"content-type", b"application/grpc")
    + literal(b"te", b"trailers")
)


class Waits(NamedTuple):
    """Processor seconds of the loop while health was asked for: the longest of all probes."""

    rest_s: float
    grpc_s: float
    loop_s: float
    """Of the whole burst."""
    probes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """What each of several connections sends at once."""

    connections: int
    calls: int
    """Of each connection."""
    wire: bytes
    """Of each connection."""
    is_over: Callable[[socket.socket, int], None]
    """Reads until the server has answered so many calls."""
    is_grpc: bool = True


def loop_s(pid: int) -> float:
    """Processor time of a process's first thread, in which its event loop runs."""
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text("ascii").split()[0]) / 1e9


def all_bursts() -> dict[str, Burst]:
    """What is sent to a server."""
    message = predict(FLOATS, "x", tensor(1, [1], float_val=[1.0])).message

    def grpc(connections: int, calls: int, *, are_reset: bool) -> Burst:
        is_over = _until_pong if are_reset else _until_answers
        wire = calls_on_one(message, calls, are_reset=are_reset)
        return Burst(connections=connections, calls=calls, wire=wire, is_over=is_over)

    def rest(connections: int, calls: int, request: bytes) -> Burst:
        return Burst(
            connections=connections, calls=calls, wire=request * calls, is_over=_until_responses, is_grpc=False
        )

    unknown = b"GET /none HTTP/1.1\r\nHost: localhost\r\n\r\n"
    one_row = Rest(f"/v1/models/{FLOATS}:predict", rows(b"1")).wire().replace(b"Connection: close\r\n", b"")
    large = Rest(f"/v1/models/{FLOATS}:predict", rows(b",".join([b"1.23456789"] * ((31 << 20) // 11)))).wire()
    return {
        "1 x 1,000 calls": grpc(1, 1000, are_reset=False),
        "8 x 1,000 calls": grpc(8, 1000, are_reset=False),
        "16 x 1,000 calls": grpc(16, 1000, are_reset=False),
        "1 x 3,000 reset calls": grpc(1, 3000, are_reset=True),
        "8 x 3,000 reset calls": grpc(8, 3000, are_reset=True),
        "24 x 3,000 reset calls": grpc(24, 3000, are_reset=True),
        "16 x 1,000 requests of REST, pipelined": rest(16, 1000, one_row),
        "1 x 31 MiB of JSON": rest(1, 1, large),
        "4 x 31 MiB of JSON": rest(4, 1, large),
        "16 x 6,000 requests of no path, pipelined": rest(16, 6000, unknown),
    }


def calls_on_one(message: bytes, calls: int, *, are_reset: bool) -> bytes:
    """The bytes of many calls on one connection, each reset at once or none; then a ping."""
    settings = frame(SETTINGS, 0, 0, b"\0\4" + ROOM.to_bytes(4, "big"))
    parts = [PREFACE, settings, frame(WINDOW_UPDATE, 0, 0, ROOM.to_bytes(4, "big"))]
    data = b"\0" + len(message).to_bytes(4, "big") + message
    for number in range(calls):
        stream = 2 * number + 1
        parts += [
            frame(HEADERS, END_HEADERS, stream, FURTHER_CALL if number else FIRST_CALL),
            frame(DATA, END_STREAM, stream, data),
        ]
        if are_reset:
            parts.append(frame(RST_STREAM, 0, stream, (8).to_bytes(4, "big")))
    return b"".join((*parts, PONG))


def waits_of(target: Target, burst: Burst) -> Waits:
    """Send a burst, asking for health meanwhile by both interfaces, on a new connection each time."""
    port = int(target.grpc.rpartition(":")[2]) if burst.is_grpc else target.port
    sockets = [socket.create_connection(("127.0.0.1", port), timeout=120) for _ in range(burst.connections)]
    for each in sockets:
        each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    readers = [threading.Thread(target=burst.is_over, args=(each, burst.calls)) for each in sockets]
    senders = [threading.Thread(target=partial(_send, each, burst.wire)) for each in sockets]
    begun_s = loop_s(target.pid)
    with _probed(target) as waits:
        for thread in (*readers, *senders):
            thread.start()
        for thread in (*readers, *senders):
            thread.join()
    for each in sockets:
        each.close()
    spent_s = loop_s(target.pid) - begun_s
    rest, grpc = zip(*waits, strict=True) if waits else ((0.0,), (0.0,))
    return Waits(max(rest), max(grpc), spent_s, len(waits))


@contextmanager
def _probed(target: Target) -> Iterator[list[tuple[float, float]]]:
    """Ask for health from a process of its own, which no thread of this one keeps waiting."""
    waits = list[tuple[float, float]]()
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe()
    process = spawning.Process(target=_probe, args=(target, theirs))
    process.start()
    ours.recv()  # it has been answered once
    try:
        yield waits
    finally:
        ours.send(None)
        waits += ours.recv()
        process.join()


def _probe(target: Target, pipe: Connection) -> None:
    waits = list[tuple[float, float]]()
    while not pipe.poll(PROBE_EVERY_S if waits else 0):
        times = [loop_s(target.pid)]
        for ask in (_rest_health, _grpc_health):
            ask(target)
            times.append(loop_s(target.pid))
        if not waits:
            pipe.send(None)
        waits.append((times[1] - times[0], times[2] - times[1]))
    pipe.send(waits[1:])


def _rest_health(target: Target) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", target.port, timeout=120)) as connection:
        connection.request("GET", target.health)
        connection.getresponse().read()


def _grpc_health(target: Target) -> None:
    port = int(target.grpc.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
        call = frame(HEADERS, END_HEADERS, 1, CHECK) + frame(DATA, END_STREAM, 1, bytes(5))
        connection.sendall(PREFACE + frame(SETTINGS, 0, 0) + call)
        _until_answers(connection, 1)


def _send(connection: socket.socket, wire: bytes) -> None:
    with suppress(ConnectionError):
        connection.sendall(wire)


def _frames(connection: socket.socket) -> Iterator[tuple[int, int]]:
    """Kind and flags of each frame, until the server closes."""
    rest = b""
    with suppress(ConnectionError):
        while data := connection.recv(1 << 18):
            rest += data
            begin = 0
            while len(rest) - begin >= HEAD.size:
                high, low, kind, flags, _ = HEAD.unpack_from(rest, begin)
                end = begin + HEAD.size + (high << 8 | low)
                if end > len(rest):
                    break
                yield kind, flags
                begin = end
            rest = rest[begin:]


def _until_answers(connection: socket.socket, calls: int) -> None:
    left = calls
    for kind, flags in _frames(connection):
        left -= kind in {HEADERS, RST_STREAM} and bool(flags & END_STREAM or kind == RST_STREAM)
        if not left or kind == GOAWAY:
            return


def _until_pong(connection: socket.socket, calls: int) -> None:
    del calls
    for kind, flags in _frames(connection):
        if (kind == PING and flags & ACK) or kind == GOAWAY:
            return


def _until_responses(connection: socket.socket, calls: int) -> None:
    left, rest = calls, b""
    with suppress(ConnectionError):
        while left > 0 and (data := connection.recv(1 << 18)):
            left -= (rest + data).count(STATUS_LINE)
            rest = data[1 - len(STATUS_LINE) :]
