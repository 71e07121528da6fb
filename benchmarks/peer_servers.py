"""Environments of the peers, and each server as a process that can be paused and measured."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from monitoring.errors import CannotRun

PEERS = Path(__file__).with_name("peers")
#: Separate from the product's environment, kept between runs, ignored by git.
ENVIRONMENTS = Path(".venv-peers")
#: Start-up timeout of a peer in seconds: several processes import TensorFlow on a busy machine.
START_TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The processes of a server, identified by the first one."""

    port: int
    pid: int

    def processes(self) -> list[int]:
        """The first process and its descendants."""
        pids, rest = [], [self.pid]
        while rest:
            pid = rest.pop()
            pids.append(pid)
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                with suppress(OSError):
                    rest += [int(child) for child in task.read_text("utf-8").split()]
        return pids

    def cpu_seconds(self) -> float:
        """CPU seconds of all processes, as Linux reports them."""
        ticks = 0
        for pid in self.processes():
            with suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def megabytes(self) -> float:
        """Resident memory of all processes; shared memory counts once per process."""
        pages = 0
        for pid in self.processes():
            with suppress(OSError):
                pages += int(Path(f"/proc/{pid}/statm").read_text("utf-8").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def send(self, number: signal.Signals) -> None:
        """Send a signal to every process."""
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def environment(requirements: str) -> Path:
    """Build the environment with these requirements, unless it exists and is up to date.

    Raises:
        CannotRun: the installation failed; with the installer's message.
    """
    text = (PEERS / requirements).read_bytes()
    folder = ENVIRONMENTS / f"{requirements.removesuffix('.txt')}-{hashlib.sha256(text).hexdigest()[:8]}"
    if (folder / "ready").is_file():
        return (folder / "bin").absolute()
    shutil.rmtree(folder, ignore_errors=True)
    uv = str(Path(sys.executable).with_name("uv"))
    for command in (
        (uv, "venv", "--quiet", "--python", sys.executable, str(folder)),
        (uv, "pip", "install", "--quiet", "--python", str(folder / "bin/python"), "-r", str(PEERS / requirements)),
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CannotRun(
                "A peer's environment cannot be built.",
                got=f"{requirements}: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'no reason'}",
                expected="packages from the configured registry",
                fix="Check the network, or leave this peer out; the others are measured without it.",
            )
    (folder / "ready").touch()
    return (folder / "bin").absolute()


@contextmanager
def running(
    command: Sequence[str], *, port: int, probe: tuple[str, bytes], folder: Path, model: Path
) -> Iterator[Server]:
    """Start a peer, wait until it responds with 200, and stop all of its processes at the end.

    Raises:
        CannotRun: the peer exits, or does not respond within five minutes.
    """
    environment_variables = os.environ | {
        "PEER_MODEL": str(model),
        "BENTOML_DO_NOT_TRACK": "True",
        "BENTOML_HOME": str(folder / "bentoml"),
        "PYTHONPATH": str(PEERS),
    }
    with (folder / f"{port}.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment_variables, stdout=log, stderr=log, start_new_session=True
        )
    server = Server(port=port, pid=process.pid)
    try:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not responds(port, *probe):
            if process.poll() is not None or time.monotonic() > deadline:
                output = (folder / f"{port}.log").read_text("utf-8", "replace").strip().splitlines()
                raise CannotRun(
                    "A peer did not start.",
                    got=output[-1][:300] if output else "no answer",
                    expected="a response to a request",
                    fix="Start it manually as described in the docstring of its file.",
                )
            time.sleep(0.5)
        yield server
    finally:
        stop(server, process)


def stop(server: Server, process: subprocess.Popen[bytes]) -> None:
    """Stop all processes of a server, by SIGTERM first."""
    server.send(signal.SIGCONT)
    group = server.processes()
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(15)
    for pid in group:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def responds(port: int, path: str, body: bytes) -> bool:
    """Whether the response has status 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", path, body=body, headers={"Content-Type": "application/json"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def free_port() -> int:
    """A free port."""
    with socket.create_server(("127.0.0.1", 0)) as socket_:
        port: int = socket_.getsockname()[1]
    return port


def write_mlserver(folder: Path, port: int) -> None:
    """Write MLServer's two settings files: one process with the model."""
    settings = {
        "host": "127.0.0.1", "http_port": port, "grpc_port": free_port(), "metrics_port": free_port(),
        "parallel_workers": 0, "debug": False,
    }  # fmt: skip
    folder.mkdir()
    (folder / "settings.json").write_text(json.dumps(settings), "utf-8")
    model = {"name": "peer", "implementation": "mlserver_model.Peer"}
    (folder / "model-settings.json").write_text(json.dumps(model), "utf-8")
