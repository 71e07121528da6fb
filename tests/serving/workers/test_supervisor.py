"""A supervisor raises what keeps its workers from starting, and stops by a signal."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

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
