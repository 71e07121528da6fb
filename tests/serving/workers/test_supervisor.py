"""A supervisor raises what keeps its workers from starting, and stops by a signal."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from monitoring.errors import BadInput, CannotRun
from serving.workers.supervisor import FIRST_PAUSE_S, HEALTHY_S, LONGEST_PAUSE_S, WorkerHandle

if TYPE_CHECKING:
    from pathlib import Path

# Its workers end, or wait, before TensorFlow is loaded. What happens after that is tested with real servers.
SCRIPT = """
import os, sys, time
from pathlib import Path
from monitoring.errors import CannotRun
from serving.models.model_list import SingleModel
from serving.server.settings import Limits, ModelRepositorySettings, ServeSettings
from serving.transport.sockets import Address
from serving.workers.supervisor import Supervisor

folder, how = Path(sys.argv[1]), sys.argv[2]

def prepare():
    if how == "refused":
        raise CannotRun("what", got="got", expected="expected", fix="fix")
    if how == "dies":
        os._exit(5)
    (folder / f"waits-{os.getpid()}").touch()
    time.sleep(600)

repository = ModelRepositorySettings(source=SingleModel(name="m", base=folder / "m"))
settings = ServeSettings(repository=repository, address=Address(port=0), limits=Limits(drain_s=0.0))
supervisor = Supervisor(settings, folder, prepare, lambda text: print(text, flush=True))
try:
    supervisor.run(2, lambda models: print("ready", models, flush=True))
except CannotRun as error:
    print("raised:", error, flush=True)
try:
    os.waitpid(-1, 0)
except ChildProcessError:
    print("no child is left", flush=True)
"""


def started(folder: Path, how: str, root: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT, str(folder), how]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=root)


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ("refused", "raised: what Got got; expected expected. fix"),
        ("dies", "raised: A worker did not end well. Got with exit code 5, before it was ready; expected exit code 0"),
    ],
)
def test_a_worker_that_cannot_start_ends_all_of_them(
    tmp_path: Path, pytestconfig: pytest.Config, how: str, text: str
) -> None:
    with started(tmp_path, how, pytestconfig.rootpath) as supervisor:
        stdout, stderr = supervisor.communicate(timeout=60)
    first, last = stdout.splitlines()
    assert first.startswith(text), stderr
    assert last == "no child is left"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_before_the_workers_are_ready_ends_them_with_its_exit_code(
    tmp_path: Path, pytestconfig: pytest.Config, number: signal.Signals
) -> None:
    with started(tmp_path, "waits", pytestconfig.rootpath) as supervisor:
        while len(list(tmp_path.glob("waits-*"))) < 2:
            assert supervisor.poll() is None
        supervisor.send_signal(number)
        stdout, stderr = supervisor.communicate(timeout=60)
    assert (supervisor.returncode, stdout) == (128 + number, ""), stderr


def deaths(worker: WorkerHandle, *lives: tuple[float, bool]) -> list[float]:
    """The pauses after lives of so many seconds, in which it answered or did not."""
    pauses, now_s = [], 1000.0
    for lived_s, was_ready in lives:
        worker.started_s = now_s
        now_s += lived_s
        worker.schedule_restart(now_s, was_ready=was_ready)
        assert worker.restart_at_s == now_s + worker.pause_s
        pauses.append(worker.pause_s)
        now_s = worker.restart_at_s
    return pauses


def test_pauses_before_restarts_double_up_to_the_longest() -> None:
    assert deaths(WorkerHandle(number=0), *[(5.0, True)] * 7) == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert (FIRST_PAUSE_S, LONGEST_PAUSE_S) == (1.0, 30.0)


def test_a_healthy_worker_is_restarted_after_the_first_pause_again() -> None:
    assert deaths(WorkerHandle(number=0), (1.0, True), (1.0, True), (HEALTHY_S, True), (1.0, True)) == [
        1.0,
        2.0,
        1.0,
        2.0,
    ]
    # Long in starting is not well.
    assert deaths(WorkerHandle(number=0), (1.0, False), (10 * HEALTHY_S, False), (1.0, True)) == [1.0, 2.0, 4.0]


def test_messages_are_received_whole_and_the_end_is_not_a_message() -> None:
    worker = WorkerHandle(number=1)
    with ExitStack() as stack:
        ours, theirs = (stack.enter_context(one) for one in socket.socketpair())
        worker.start(7, ours, 5.0)
        assert (worker.pid, worker.started_s, worker.receive()) == (7, 5.0, [])
        lines = [json.dumps(one).encode() + b"\n" for one in ({"said": "a"}, {"ready": {"models": {"m": [1]}}})]
        theirs.sendall(lines[0] + lines[1][:5])
        assert worker.receive() == [{"said": "a"}]
        theirs.sendall(lines[1][5:])
        theirs.close()
        [message] = worker.receive()
        worker.record(message)
        assert (worker.ready, worker.receive()) == ({"models": {"m": [1]}}, [])
        worker.schedule_restart(6.0, was_ready=True)
        worker.clear()
        assert (worker.pid, worker.control, worker.ready, worker.restart_at_s) == (0, None, None, 7.0)
        assert ours.fileno() == -1


@pytest.mark.parametrize("kind", [BadInput, CannotRun])
def test_the_error_of_a_worker_that_cannot_start_is_received_whole(kind: type[BadInput | CannotRun]) -> None:
    worker = WorkerHandle(number=0)
    parts = {"what": "w", "got": "g", "expected": "e", "fix": "f"}
    worker.record({"failed": {**parts, "exit_code": kind.exit_code}})
    assert type(worker.failure) is kind
    assert str(worker.failure) == str(kind(**parts))
