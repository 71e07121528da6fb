"""Reads the token of a client, and the tokens of the dashboard, from a file or from the environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from monitoring.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path

    from monitoring.dashboard.view.access import Role


def read_token(file: Path | None) -> str | None:
    """Read the token.

    Args:
        file: file that begins with the token, such as the server's own; None for the variable PITFALLS_TOKEN.

    Returns:
        The token; None if there is neither.

    Raises:
        BadInput: the file cannot be read, or is empty.
    """
    if file is None:
        return os.environ.get("PITFALLS_TOKEN") or None
    return _lines(file)[0][0]


def read_dashboard_tokens(file: Path | None) -> tuple[str | None, dict[str, Role]]:
    """Read the dashboard's tokens.

    Args:
        file: file with the token, and with lines ``TOKEN read`` for tokens that may read and not act, or
            ``TOKEN read rows`` where they may see single rows of the traffic too; None for none.

    Returns:
        The token, which may act, and the tokens that may not, each with what it may do.

    Raises:
        BadInput: the file cannot be read, or has no token that may act.
    """
    if file is None:
        return None, {}
    lines = _lines(file)
    reading = [words for words in lines if words[1:2] == ["read"]]
    readers: dict[str, Role] = {words[0]: "rows" if words[2:3] == ["rows"] else "read" for words in reading}
    first = next((words[0] for words in lines if words[1:2] != ["read"]), None)
    if first is None:
        raise _bad_token_file(file, "each of its tokens may read only")
    return first, {token: role for token, role in readers.items() if token != first}


def _lines(file: Path) -> list[list[str]]:
    """The words of each line that has some, one line at least."""
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _bad_token_file(file, str(error)) from error
    lines = [words for line in text.splitlines() if (words := line.partition("#")[0].split())]
    if not lines:
        raise _bad_token_file(file, "it is empty")
    return lines


def _bad_token_file(file: Path, reason: str) -> BadInput:
    return BadInput(
        "The token file cannot be used.",
        got=f"{file}: {reason}",
        expected="a file with the token on one line",
        fix="Create one, for example: openssl rand -hex 16 > token",
    )
