"""An alarm every hundred windows, whatever comes."""

from __future__ import annotations

from ..streams import Reference, Window

TITLE = "an alarm clock, every 100 windows"
LEVELS = (100.0,)


def alarms(_reference: Reference, windows: tuple[Window, ...], level: float) -> list[bool]:
    """Whether each window raises an alarm."""
    return [at % level == 0 for at in range(1, len(windows) + 1)]
