"""The process of a worker: what it sends, how it ends, and what it does not share with its supervisor."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

# Forked from a process without threads, as by a supervisor; the worker fails before TensorFlow is loaded.
SCRIPT = """
import json, os, signal, socket, sys
from pathlib import Path
from monitoring.errors import BadInput, CannotRun
from serving.models.model_list import SingleModel
from serving.server.settings import ModelRepositorySettings, ServeSettings
from serving.transport.sockets import Address
from serving.workers.supervisor import SIGNALS, fork_worker

folder, how = Path(sys.argv[1]), sys.argv[2]
supervisor = os.getpid()
other, others_worker = socket.socketpair()

def prepare():
    seen = {"has_group": os.getpgrp() == os.getpid() != os.getpgid(supervisor)}
    seen["hangup"] = signal.getsignal(signal.SIGHUP) == signal.SIG_DFL
    seen["terminate"] = signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    seen["blocked"] = sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ()) & set(SIGNALS))
    seen["other"] = other.fileno()
    (folder / "seen").write_text(json.dumps(seen))
    if how == "refused":
        raise CannotRun("what", got="got", expected="expected", fix="fix")
    raise RuntimeError("a defect")

repository = ModelRepositorySettings(source=SingleModel(name="m", base=folder / "m"))
settings = ServeSettings(repository=repository, address=Address(port=0))
pid, control = fork_worker(7, settings, folder, prepare, [other])
_, status = os.waitpid(pid, 0)
received = b""
while part := control.recv(1 << 16):
    received += part
lines = [json.loads(line) for line in received.splitlines()]
unblocked = not signal.pthread_sigmask(signal.SIG_BLOCK, ()) & set(SIGNALS)
print(json.dumps({"code": os.waitstatus_to_exitcode(status), "lines": lines, "unblocked": unblocked}))
"""


def ended(folder: Path, how: str, root: Path) -> tuple[dict[str, Any], dict[str, Any], str]:
    """How the worker ended, what it saw while it ran, and stderr."""
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT, str(folder), how]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=root)
    return json.loads(done.stdout), json.loads((folder / "seen").read_text()), done.stderr


def test_what_keeps_a_worker_from_starting_is_sent_whole(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    found, _, stderr = ended(tmp_path, "refused", pytestconfig.rootpath)
    failed = {"what": "what", "got": "got", "expected": "expected", "fix": "fix", "exit_code": 3}
    assert found == {"code": 3, "lines": [{"failed": failed}], "unblocked": True}
    assert stderr == ""


def test_a_defect_shows_its_traceback_and_ends_the_worker(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    found, _, stderr = ended(tmp_path, "defect", pytestconfig.rootpath)
    assert (found["code"], found["lines"]) == (3, [])
    assert "RuntimeError: a defect" in stderr


def test_a_worker_has_its_own_signals_group_and_sockets(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    _, seen, _ = ended(tmp_path, "refused", pytestconfig.rootpath)
    assert seen == {"has_group": True, "hangup": True, "terminate": True, "blocked": [signal.SIGHUP], "other": -1}
