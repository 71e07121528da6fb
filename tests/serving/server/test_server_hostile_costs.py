"""What a request may cost is bounded by its size: CPU time and memory of hostile requests, and health meanwhile."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import sys
import threading
import time
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import grpc
import pytest

from tests.serving.conftest import Website
from tests.serving.hostile_requests import FLOATS, LARGEST, TEXTS, Grpc, Rest, grpc_requests, rest_requests
from tests.serving.nursery import nursery

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.serving.nursery import Child

#: For any request of at most 100 kB.
CPU_S, MEMORY_BYTES, HEALTH_S = 0.25, 64 << 20, 1.0
TICKS = os.sysconf("SC_CLK_TCK")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


class Cost(NamedTuple):
    """What a server spent on a request."""

    cpu_s: float
    grown_bytes: int
    """From before it to the peak."""
    health_s: float
    """The longest wait for health while it was answered."""


def status(pid: int, key: str) -> int:
    """A size of a process, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:")) << 10


def cpu_s(pid: int) -> float:
    """User and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def send_rest(server: Child, request: Rest) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection, suppress(ConnectionError):
        connection.sendall(request.wire())
        while connection.recv(1 << 20):
            pass


def send_grpc(server: Child, request: Grpc) -> None:
    algorithm = grpc.Compression.Gzip if request.is_compressed else grpc.Compression.NoCompression
    unlimited = [("grpc.max_receive_message_length", -1)]
    with grpc.insecure_channel(server.grpc, unlimited) as channel, suppress(grpc.RpcError):
        channel.unary_unary(request.method)(request.message, timeout=60, compression=algorithm)


@contextmanager
def probed(server: Child) -> Iterator[list[float]]:
    """Ask for health again and again while the block runs; gives how long each answer took."""
    waits, stop = list[float](), threading.Event()

    def probe() -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
            while not stop.wait(0.02):
                begin = time.monotonic()
                connection.request("GET", "/v2/health/live")
                assert connection.getresponse().read()
                waits.append(time.monotonic() - begin)

    thread = threading.Thread(target=probe)
    thread.start()
    try:
        yield waits
    finally:
        stop.set()
        thread.join()


def cost_of(server: Child, request: Rest | Grpc) -> Cost:
    Path(f"/proc/{server.pid}/clear_refs").write_text("5")  # the peak begins anew
    memory, begin = status(server.pid, "VmRSS"), cpu_s(server.pid)
    with probed(server) as waits:
        if isinstance(request, Rest):
            send_rest(server, request)
        else:
            send_grpc(server, request)
    spent = cpu_s(server.pid) - begin
    return Cost(spent, status(server.pid, "VmHWM") - memory, max(waits, default=0.0))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, models_folder: Path) -> Iterator[Child]:
    folder = tmp_path_factory.mktemp("hostile")
    with nursery(folder) as made:
        child = made.start(
            *("--models", models_folder, "--traffic", folder / "traffic", "--rest-port=0", "--grpc-port=0")
        )
        assert child.url is not None
        website = Website(url=child.url)
        for _ in range(3):  # what is loaded by the first request is not the hostile one's cost
            assert website.predict(FLOATS, {"instances": [1.0]}).status == 200
            assert website.predict(TEXTS, {"instances": ["a"]}).status == 200
        send_grpc(child, grpc_requests()["a shape without values"])
        yield child
        os.kill(child.pid, signal.SIGTERM)
        child.wait()


def test_no_small_request_costs_much(server: Child) -> None:
    requests: dict[str, Rest | Grpc] = {**rest_requests(), **grpc_requests()}
    assert len(requests) >= 30
    sizes = {name: len(one.wire() if isinstance(one, Rest) else one.message) for name, one in requests.items()}
    assert not [name for name, size in sizes.items() if size > LARGEST and "compressed" not in name]
    costs = {name: cost_of(server, one) for name, one in requests.items()}
    for name, cost in costs.items():
        sys.stdout.write(
            f"| {name} | {sizes[name]} | {cost.cpu_s:.2f} | {cost.grown_bytes / 1e6:.0f} | {cost.health_s:.2f} |\n"
        )
    assert not {name: cost for name, cost in costs.items() if cost.cpu_s > CPU_S or cost.grown_bytes > MEMORY_BYTES}
    assert not {name: cost for name, cost in costs.items() if cost.health_s > HEALTH_S}
