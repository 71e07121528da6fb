"""The process beside a server that works on rollouts."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from monitoring.errors import BadInput
from pitfalls_tf.cli.rollout.work import verb_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pitfalls_tf.cli.serve.server_flags import ServerFlags

#: Seconds between two looks at the process.
_LOOK_SECONDS = 5.0

#: Seconds that its workers have for their pass, and it for them, before it is killed.
_STOP_SECONDS = 30.0


@contextmanager
def rollout_workers(server: ServerFlags, workers: int, report: Callable[[str], None]) -> Iterator[None]:
    """Run `pitfalls rollout work` while the block runs; nothing without `--rollouts`.

    It is started again when it has ended. A server that confines itself can start no processes then: it says so.

    Raises:
        BadInput: The server has several processes: the one that starts them has no thread that could look.
    """
    if server.rollouts is None:
        yield
        return
    if workers > 1:
        raise BadInput(
            "--rollouts and --workers contradict each other: a server of several processes starts no others.",
            got=f"--rollouts={server.rollouts} with --workers={workers}",
            expected="one of them",
            fix=f"Run `pitfalls rollout work --configs {server.rollouts}` beside the server.",
        )
    beside = _Beside(verb_command("rollout", "work", "--configs", server.rollouts), report)
    from serving.server.server import repeating  # noqa: PLC0415 - not needed for --help

    try:
        with repeating("rollouts", beside.look, every_s=_LOOK_SECONDS):
            yield
    finally:
        beside.close()


class _Beside:
    """A process that is started again when it has ended. It ends with this one by itself, see `--parent`."""

    def __init__(self, command: list[str], report: Callable[[str], None]) -> None:
        self._command, self._report = command, report
        self._process = self._started()
        self._is_lost = False

    def look(self) -> None:
        """Start it again, if it has ended; where the kernel does not let this process, say once who can."""
        status = self._process.poll()
        if status is None or self._is_lost:
            return
        try:
            self._process = self._started()
        except OSError as error:
            self._is_lost = True
            self._report(
                f"The process that works on rollouts has ended with {status}, and a confined server cannot start it "
                f"again ({error}): no verdict comes, and no promotion is watched. Restart the server, or run `pitfalls "
                "rollout work` beside it, as deploy/systemd/pitfalls-rollouts.service does."
            )
        else:
            self._report(f"The process that works on rollouts has ended with {status}, and was started again.")

    def close(self) -> None:
        """End it between two passes of its workers."""
        try:
            self._process.terminate()
            self._process.wait(_STOP_SECONDS)
        except PermissionError:  # a confined process may send it no signal: it ends with this one
            return
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
