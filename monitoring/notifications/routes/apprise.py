"""The apprise route: any of the services that Apprise reaches, by its own program in a process of its own.

A process can be ended at its deadline, whatever the service's plugin waits for.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

from monitoring.errors import BadInput
from monitoring.notifications.digest import Digest, Message
from monitoring.notifications.notification import one_line
from monitoring.notifications.routes.command import run_command
from monitoring.notifications.routes.request import shortened
from monitoring.notifications.routes.secret import check_secret_file

#: Runs Apprise's command line with this Python.
_PROGRAM = (sys.executable, "-c", "from apprise.cli import main; main()")
_TITLE = 200


def send_by_apprise(message: Message, config: Path, *, link: str | None, timeout: float) -> None:
    """Notify the services of a configuration of Apprise.

    Args:
        config: The configuration, as text or YAML: URLs with secrets.
        timeout: Seconds that all of it may take.

    Raises:
        BadInput: Apprise is not installed, or others may read the configuration.
        ConnectionError: A service was not reached; the text has no secret.
    """
    if find_spec("apprise") is None:
        raise BadInput(
            "The apprise route needs Apprise.",
            got="no module apprise",
            expected="the extra",
            fix="pip install pitfalls-tf[apprise]",
        )
    check_secret_file(config)
    run_command(apprise_command(message, config), apprise_body(message, link=link), timeout=timeout)


def apprise_command(message: Message, config: Path) -> tuple[str, ...]:
    """The program and its arguments: nothing of them is secret, and nothing of the message is an option."""
    state = "digest" if isinstance(message, Digest) else message.state
    kind = {"closed": "success", "recovering": "success", "acknowledged": "info"}.get(state, "warning")
    title = shortened(one_line(message.headline), _TITLE)
    return (*_PROGRAM, "--storage-mode=memory", f"--config={config}", f"--notification-type={kind}", f"--title={title}")


def apprise_body(message: Message, *, link: str | None) -> bytes:
    """What the program reads: the text and the facts of a message, a line each."""
    facts = [*message.facts, *([("Dashboard", link)] if link is not None else [])]
    return "\n".join([message.text, "", *(f"{name}: {value}" for name, value in facts)]).encode() + b"\n"
