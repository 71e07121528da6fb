"""The route of a plug-in: another distribution's function, in a process of its own that is ended at its deadline."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any, Protocol

from monitoring.errors import PitfallsError
from monitoring.notifications.digest import Message
from monitoring.notifications.routes.command import message_document, run_command
from monitoring.plugins import ROUTES, load_plugin


class SendDocument(Protocol):
    """What an entry point of the group ``pitfalls.routes`` names: a function that sends one message."""

    def __call__(self, document: Mapping[str, Any], options: Mapping[str, Any], /) -> None:
        """Send a message.

        Args:
            document: the JSON document of a webhook (docs/reference/schema), with ``link`` where the route has one.
            options: the table ``options`` of the route's section. A secret is read from a file or variable that it
                names: the config is no place for one.

        Raises:
            ConnectionError: it was not taken; the text is shown, and the message is tried again by later runs.
        """


def send_by_plugin(
    message: Message, name: str, options: Mapping[str, Any], *, link: str | None, timeout: float
) -> None:
    """Send a message by a plug-in.

    Raises:
        ConnectionError: it is not installed, failed, or took longer than `timeout` seconds.
    """
    given = json.dumps({"document": message_document(message, link=link), "options": dict(options)}, default=str)
    run_command((sys.executable, "-m", __name__, name), given.encode(), timeout=timeout)


def main() -> None:
    """Read a message and the route's options as JSON from standard input, and send it by the plug-in that is named."""
    given = json.load(sys.stdin)
    try:
        load_plugin(ROUTES, sys.argv[1])(given["document"], given["options"])
    except (ConnectionError, PitfallsError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
