"""Errors of a baseline that is missing or cannot be read."""

from __future__ import annotations

from pathlib import Path

from monitoring.errors import CannotRun

#: The folder of a bundle with its baseline and schema; a table's are next to its config.
_EXTRAS = "assets.extra"


def how_to_rewrite(place: Path) -> str:
    """The fix for a missing or damaged baseline or schema.

    Args:
        place: Where it is, or should be.

    Returns:
        A sentence for the `fix` of an error.

    >>> how_to_rewrite(Path("models/flights/1/assets.extra/baseline"))
    'Export the bundle again, with a reference table.'
    >>> how_to_rewrite(Path("baseline"))
    'Write it again, from the reference table: pitfalls monitor init --force.'
    """
    if _EXTRAS in place.parts:
        return "Export the bundle again, with a reference table."
    return "Write it again, from the reference table: pitfalls monitor init --force."


def unreadable(path: Path, reason: str, expected: str) -> CannotRun:
    """The error of a baseline with a damaged file.

    Args:
        reason: What is wrong with it; the first line is quoted.

    Returns:
        The error, to be raised.
    """
    return CannotRun(
        "The baseline cannot be read.",
        got=f"{path}: {reason.splitlines()[0] if reason else 'no reason given'}",
        expected=expected,
        fix=how_to_rewrite(path),
    )
