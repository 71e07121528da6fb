"""What a request costs a process: processor time, memory, and the time that others wait."""

from __future__ import annotations

import http.client
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import grpc

from benchmarks.hostile.requests import Grpc, Rest

#: The most that a request may cost.
CPU_S, MEMORY_BYTES, HEALTH_S = 0.25, 64e6, 1.0
TICKS = os.sysconf("SC_CLK_TCK")


class Cost(NamedTuple):
    """What a process spent on a request."""

    cpu_s: float
    grown_bytes: int
    """From before it to the peak."""
    health_s: float
    """The longest wait for health while it was answered."""
    answer: str
    """The status with which it was answered."""

    @property
    def is_too_much(self) -> bool:
        """Whether it is beyond a bound; a wait is not, which a busy machine lengthens."""
        return self.cpu_s > CPU_S or self.grown_bytes > MEMORY_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A process that answers."""

    pid: int
    port: int
    """Of its HTTP interface."""
    health: str = "/v2/health/live"
    grpc: str = ""
    """HOST:PORT of its gRPC interface."""


def send_rest(target: Target, wire: bytes) -> str:
    """Send a whole HTTP request, and read until the server closes.

    Returns:
        The status of the response; a dash if there is none.
    """
    start = b""
    with socket.create_connection(("127.0.0.1", target.port), timeout=120) as connection, suppress(ConnectionError):
        connection.sendall(wire)
        while data := connection.recv(1 << 20):
            start = start or data[:100]
    return start[9:12].decode("ascii") or "-"


def send_grpc(target: Target, request: Grpc) -> str:
    """Make a gRPC call, and give the name of its status."""
    algorithm = grpc.Compression.Gzip if request.is_compressed else grpc.Compression.NoCompression
    unlimited = [("grpc.max_receive_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
    with grpc.insecure_channel(target.grpc, unlimited) as channel:
        try:
            channel.unary_unary(request.method)(request.message, timeout=120, compression=algorithm)
        except grpc.RpcError as error:
            return str(error.code().name)
    return "OK"


def cost_of(target: Target, request: Rest | Grpc) -> Cost:
    """Send a request to a server, and measure what it costs."""
    if isinstance(request, Rest):
        wire = request.wire()
        return measured(target, lambda: send_rest(target, wire))
    return measured(target, lambda: send_grpc(target, request))


def measured(target: Target, send: Callable[[], str]) -> Cost:
    """What a process spends while something is sent to it, asked for its health meanwhile."""
    Path(f"/proc/{target.pid}/clear_refs").write_text("5")  # the peak begins anew
    memory, begin = status(target.pid, "VmRSS"), cpu_s(target.pid)
    with probed(target) as waits:
        answer = send()
    spent = cpu_s(target.pid) - begin
    return Cost(spent, status(target.pid, "VmHWM") - memory, max(waits, default=0.0), answer)


@contextmanager
def probed(target: Target) -> Iterator[list[float]]:
    """Ask for health again and again while the block runs; gives how long each answer took."""
    waits, stop = list[float](), threading.Event()

    def probe() -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", target.port, timeout=120)) as connection:
            while not stop.wait(0.05):
                begin = time.monotonic()
                connection.request("GET", target.health)
                connection.getresponse().read()
                waits.append(time.monotonic() - begin)

    thread = threading.Thread(target=probe)
    thread.start()
    try:
        yield waits
    finally:
        stop.set()
        thread.join()


def status(pid: int, key: str) -> int:
    """A size of a process, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:")) << 10


def cpu_s(pid: int) -> float:
    """User and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
