"""What is said of a baseline that is not there, or not as it was written."""

from __future__ import annotations

from pathlib import Path

from monitoring.errors import CannotRun

#: The folder of a bundle that its baseline and schema are in; a table's lie beside its config.
_EXTRAS = "assets.extra"


def remedy(place: Path) -> str:
    """How to get a baseline, or its schema, whose place that is.

    >>> remedy(Path("models/flights/1/assets.extra/baseline"))
    'Export the bundle again, with a reference table.'
    >>> remedy(Path("baseline"))
    'Write it again, from the reference table: pitfalls monitor init --force.'
    """
    if _EXTRAS in place.parts:
        return "Export the bundle again, with a reference table."
    return "Write it again, from the reference table: pitfalls monitor init --force."


def damaged(path: Path, reason: str, expected: str) -> CannotRun:
    """The error of a baseline of which a file is not what was written."""
    return CannotRun(
        "The baseline cannot be read.",
        got=f"{path}: {reason.splitlines()[0] if reason else 'no reason given'}",
        expected=expected,
        fix=remedy(path),
    )
