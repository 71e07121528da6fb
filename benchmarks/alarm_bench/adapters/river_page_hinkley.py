"""Page-Hinkley of river on the windows' error rates."""

from __future__ import annotations

import numpy as np
from river import drift

from ..streams import Reference, Window, standardised

TITLE = "river Page-Hinkley"
LEVELS = tuple(np.geomspace(0.5, 60.0, 60).tolist())


def alarms(reference: Reference, windows: tuple[Window, ...], level: float) -> list[bool]:
    """Whether each window's error rate, in standard deviations, is told as a rise."""
    detector, found = drift.PageHinkley(min_instances=1, delta=0.25, threshold=level, alpha=1.0, mode="up"), []
    for z in standardised(reference, reference.windows + windows)[:, 0].tolist():
        if not np.isnan(z):
            detector.update(z)
        found.append(bool(detector.drift_detected and not np.isnan(z)))
    return found[len(reference.windows) :]
