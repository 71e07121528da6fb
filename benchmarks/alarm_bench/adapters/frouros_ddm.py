"""DDM of frouros on the errors of rows."""

from __future__ import annotations

import numpy as np
from frouros.detectors.concept_drift import DDM, DDMConfig

from ..streams import Reference, Window

TITLE = "frouros DDM"
LEVELS = tuple(np.geomspace(2.0, 30.0, 40).tolist())
TUNED_YEARS = 1.0


def alarms(reference: Reference, windows: tuple[Window, ...], level: float) -> list[bool]:
    """Whether a row of each window is told as drift; the detector begins again after one."""
    detector, found = DDM(config=DDMConfig(warning_level=level / 1.5, drift_level=level)), []
    for window in (*reference.windows, *windows):
        is_alarm = False
        for error in window.labelled.errors.tolist():
            detector.update(value=error)
            if detector.drift:
                is_alarm = True
                detector.reset()
        found.append(is_alarm)
    return found[len(reference.windows) :]
