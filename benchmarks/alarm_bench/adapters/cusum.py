"""Page's CUSUM of the error rate and the Brier score."""

from __future__ import annotations

import numpy as np

from ..streams import Reference, Window, standardised

TITLE = "CUSUM"
LEVELS = tuple(np.geomspace(0.5, 60.0, 80).tolist())

#: Half of the smallest rise that it is made for, in standard deviations.
ALLOWANCE = 0.25


def alarms(reference: Reference, windows: tuple[Window, ...], level: float) -> list[bool]:
    """Whether either sum reaches the level in each window; both begin again after an alarm."""
    found, sums = [], np.zeros(2)
    for z in standardised(reference, windows):
        if not np.isnan(z).any():
            sums = np.maximum(sums + z - ALLOWANCE, 0.0)
        found.append(bool(sums.max() >= level))
        sums = sums * (not found[-1])
    return found
