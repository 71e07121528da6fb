"""Environments of the peers, and each server as a process of its own that can be paused and weighed."""

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
#: Not in the product's environment, and kept between runs; ignored by git.
ENVIRONMENTS = Path(".venv-peers")
#: Seconds that a peer gets to import TensorFlow, in several processes, on a busy machine.
PATIENCE = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server's processes, by the first of them."""

    port: int
    pid: int

    def processes(self) -> list[int]:
        """The first process and all that came from it."""
        found, rest = [], [self.pid]
        while rest:
            pid = rest.pop()
            found.append(pid)
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                with suppress(OSError):
                    rest += [int(child) for child in task.read_text("utf-8").split()]
        return found

    def cpu_seconds(self) -> float:
        """Processor time that they have used, as Linux counts it."""
        ticks = 0
        for pid in self.processes():
            with suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def megabytes(self) -> float:
        """Memory that they hold; what several share is counted once for each."""
        pages = 0
        for pid in self.processes():
            with suppress(OSError):
                pages += int(Path(f"/proc/{pid}/statm").read_text("utf-8").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def send(self, number: signal.Signals) -> None:
        """A signal to each of them."""
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def environment(requirements: str) -> Path:
    """The folder of programs of the environment with these requirements, built if it is not there or out of date.

    Raises:
        CannotRun: it cannot be installed; with what the installer said.
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
                expected="its packages from the registry that pip is set to",
                fix="Check the network, or leave the peer out; the others are measured without it.",
            )
    (folder / "ready").touch()
    return (folder / "bin").absolute()


@contextmanager
def running(
    command: Sequence[str], *, port: int, probe: tuple[str, bytes], folder: Path, model: Path
) -> Iterator[Server]:
    """Start a peer, ask it until it answers with 200, and end all of its processes.

    Raises:
        CannotRun: it ends, or does not answer in five minutes.
    """
    surroundings = os.environ | {
        "PEER_MODEL": str(model),
        "BENTOML_DO_NOT_TRACK": "True",
        "BENTOML_HOME": str(folder / "bentoml"),
        "PYTHONPATH": str(PEERS),
    }
    with (folder / f"{port}.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=surroundings, stdout=log, stderr=log, start_new_session=True
        )
    server = Server(port=port, pid=process.pid)
    try:
        deadline = time.monotonic() + PATIENCE
        while not answers(port, *probe):
            if process.poll() is not None or time.monotonic() > deadline:
                said = (folder / f"{port}.log").read_text("utf-8", "replace").strip().splitlines()
                raise CannotRun(
                    "A peer did not start.",
                    got=said[-1][:300] if said else "no answer",
                    expected="an answer to a request",
                    fix="Run it by hand, as the docstring of its file says.",
                )
            time.sleep(0.5)
        yield server
    finally:
        stop(server, process)


def stop(server: Server, process: subprocess.Popen[bytes]) -> None:
    """End all of a server's processes, first politely."""
    server.send(signal.SIGCONT)
    group = server.processes()
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(15)
    for pid in group:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def answers(port: int, path: str, body: bytes) -> bool:
    """Whether the request is answered with 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", path, body=body, headers={"Content-Type": "application/json"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def free_port() -> int:
    """A port that nobody listens at just now."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


def write_mlserver(folder: Path, port: int) -> None:
    """MLServer's two files of settings: one process, the model in it."""
    settings = {
        "host": "127.0.0.1", "http_port": port, "grpc_port": free_port(), "metrics_port": free_port(),
        "parallel_workers": 0, "debug": False,
    }  # fmt: skip
    folder.mkdir()
    (folder / "settings.json").write_text(json.dumps(settings), "utf-8")
    model = {"name": "peer", "implementation": "mlserver_model.Peer"}
    (folder / "model-settings.json").write_text(json.dumps(model), "utf-8")
