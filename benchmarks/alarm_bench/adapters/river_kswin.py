"""KSWIN of river on the windows' error rates."""

from __future__ import annotations

import numpy as np
from river import drift

from ..streams import Reference, Window, standardised

TITLE = "river KSWIN"
LEVELS = tuple(np.geomspace(0.05, 1e-12, 24).tolist())
TUNED_YEARS = 3.0


def alarms(reference: Reference, windows: tuple[Window, ...], level: float) -> list[bool]:
    """Whether the last 15 windows differ from those before in the last 60; after a rise alone."""
    detector, found, last = drift.KSWIN(alpha=level, window_size=60, stat_size=15, seed=1), [], [0.0]
    for z in standardised(reference, reference.windows + windows)[:, 0].tolist():
        if not np.isnan(z):
            detector.update(z)
            last = [*last[-14:], z]
        found.append(bool(detector.drift_detected and not np.isnan(z) and np.mean(last) > 0.0))
    return found[len(reference.windows) :]
