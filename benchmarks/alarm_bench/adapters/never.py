"""No alarm at all."""

from __future__ import annotations

from ..streams import Reference, Window

TITLE = "never"
LEVELS = (0.0,)


def alarms(_reference: Reference, windows: tuple[Window, ...], _level: float) -> list[bool]:
    """Whether each window raises an alarm."""
    return [False] * len(windows)
