"""Shewhart's chart of the error rate and the Brier score, its width tuned."""

from __future__ import annotations

import numpy as np

from ..streams import Reference, Window, standardised

TITLE = "Shewhart's chart, tuned"
LEVELS = tuple(np.geomspace(1.5, 15.0, 60).tolist())


def alarms(reference: Reference, windows: tuple[Window, ...], level: float) -> list[bool]:
    """Whether either loss lies so many standard deviations above the reference's mean."""
    return [bool((z >= level).any()) for z in standardised(reference, windows)]
