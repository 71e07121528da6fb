"""ADWIN of river on the errors of rows; only rises count."""

from __future__ import annotations

import numpy as np
from river import drift

from ..streams import Reference, Window

TITLE = "river ADWIN"
LEVELS = tuple(np.geomspace(0.3, 1e-12, 24).tolist())
TUNED_YEARS = 1.0


def alarms(reference: Reference, windows: tuple[Window, ...], level: float) -> list[bool]:
    """Whether a row of each window is told as drift after which the error rate is higher."""
    detector, found = drift.ADWIN(delta=level), []
    for window in (*reference.windows, *windows):
        is_alarm, before = False, detector.estimation
        for error in window.labelled.errors.tolist():
            detector.update(error)
            is_alarm = is_alarm or (detector.drift_detected and detector.estimation > before)
        found.append(is_alarm)
    return found[len(reference.windows) :]
