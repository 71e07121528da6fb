"""A program of this machine that an action names, with a deadline and the end of its output."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from tempfile import TemporaryFile
from typing import NoReturn

from monitoring.errors import CannotRun
from monitoring.notifications.routes.command import PASSED

#: Bytes of the output that are kept, from its end.
KEPT = 2_000


def run_program(command: Sequence[str], text: bytes, *, timeout: float, environ: Mapping[str, str] = os.environ) -> str:
    """Run a program to its end.

    Args:
        command: The program and its arguments; no shell is involved, and nothing from traffic is among them.
        timeout: Seconds after which it is killed, with all that it has started in its own session.
        environ: The environment of which a few variables are passed on.

    Returns:
        The end of its output and errors, `KEPT` bytes at most.

    Raises:
        CannotRun: It could not be started, failed, or took too long.
    """
    with TemporaryFile() as output:
        try:
            process = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={name: environ[name] for name in PASSED if name in environ},
                start_new_session=True,
            )
        except OSError as error:
            _fail(command, f"it cannot be started: {error.strerror}", "", error)
        with process:
            try:
                process.communicate(text, timeout=timeout)
            except subprocess.TimeoutExpired as error:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                _fail(command, f"it was not finished within {timeout:g} s and was killed", "", error)
        output.seek(max(0, output.seek(0, os.SEEK_END) - KEPT))
        said = output.read().decode("utf-8", "replace").strip()
    if process.returncode:
        _fail(command, f"exit status {process.returncode}", said)
    return said


def _fail(command: Sequence[str], reason: str, said: str, cause: Exception | None = None) -> NoReturn:
    raise CannotRun(
        f"{command[0]} failed.",
        got=reason + (f"; it said: {said}" if said else ""),
        expected="exit status 0",
        fix="Run it by hand on this machine.",
    ) from cause
