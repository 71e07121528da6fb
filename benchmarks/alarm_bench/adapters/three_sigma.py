"""Three sigma above the reference's mean, as it is."""

from __future__ import annotations

from .shewhart import alarms

__all__ = ["LEVELS", "TITLE", "alarms"]

TITLE = "three sigma, as it is"
LEVELS = (3.0,)
