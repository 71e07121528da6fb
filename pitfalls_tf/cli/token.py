"""Reads the token of a client from a file or from the environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from monitoring.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path


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
