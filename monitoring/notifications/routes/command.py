"""The command route: a program of this machine with the JSON document on its standard input."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress

from monitoring.notifications.digest import Message
from monitoring.notifications.notification import one_line
from monitoring.notifications.routes.request import shortened

#: The variables that the program gets; secrets of other programs stay with the monitor.
PASSED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")

_LONGEST = 200


def message_document(message: Message, *, link: str | None) -> dict[str, object]:
    """The document of a webhook, with `link` where there is one."""
    document: dict[str, object] = message.document.plain()
    return document if link is None else {**document, "link": link}


def command_input(message: Message, *, link: str | None) -> bytes:
    """What the program reads: `message_document`, and a line end."""
    return json.dumps(message_document(message, link=link)).encode() + b"\n"


def run_command(
    command: Sequence[str], text: bytes, *, timeout: float, environ: Mapping[str, str] = os.environ
) -> None:
    """Run a program; its output is not shown, but for the last line of its errors where it fails.

    Args:
        timeout: Seconds after which it is killed, with all that it has started in its own session.

    Raises:
        ConnectionError: It could not be started, failed, or took too long.
    """
    try:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={name: environ[name] for name in PASSED if name in environ},
            start_new_session=True,
        )
    except OSError as error:
        raise ConnectionError(f"cannot be started: {error.strerror}") from error
    with process:
        try:
            _, errors = process.communicate(text, timeout=timeout)
        except subprocess.TimeoutExpired as error:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise ConnectionError(f"not finished within {timeout:g} s") from error
    if process.returncode:
        lines = errors.decode("utf-8", "replace").strip().splitlines() or [""]
        detail = f": {shortened(one_line(lines[-1]), _LONGEST)}" if lines[-1] else ""
        raise ConnectionError(f"exit status {process.returncode}{detail}")
