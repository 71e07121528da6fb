"""Roberts' exponentially weighted moving average of the error rate and the Brier score."""

from __future__ import annotations

import numpy as np

from ..streams import Reference, Window, standardised

TITLE = "EWMA"
LEVELS = tuple(np.geomspace(1.0, 15.0, 60).tolist())

#: Weight of the last window.
LAST = 0.1


def alarms(reference: Reference, windows: tuple[Window, ...], level: float) -> list[bool]:
    """Whether either mean, in its own standard deviations, reaches the level; both begin again after an alarm."""
    found, means, spread = [], np.zeros(2), np.sqrt(LAST / (2.0 - LAST))
    for z in standardised(reference, windows):
        if not np.isnan(z).any():
            means = (1.0 - LAST) * means + LAST * z
        found.append(bool(means.max() / spread >= level))
        means = means * (not found[-1])
    return found
