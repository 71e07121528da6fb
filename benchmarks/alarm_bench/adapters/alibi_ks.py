"""KSDrift of alibi-detect on inputs, probabilities and errors of labelled rows."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from alibi_detect.cd import KSDrift

from ..streams import Reference, Window, columns

TITLE = "alibi-detect KSDrift"
LEVELS = tuple(np.linspace(0.5, 40.0, 400).tolist())
TUNED_YEARS = 1.0


@lru_cache(maxsize=4)
def evidence(reference: Reference, windows: tuple[Window, ...]) -> list[float]:
    """Minus the logarithm of the smallest p-value of any column; 0 for an empty window."""
    known = np.nan_to_num(np.concatenate([columns(window.labelled) for window in reference.windows]), nan=-1.0)
    detector, found = KSDrift(known.astype(np.float32), p_val=0.05), []
    for window in windows:
        rows = np.nan_to_num(columns(window.labelled), nan=-1.0).astype(np.float32)
        values = detector.predict(rows)["data"]["p_val"] if len(rows) > 1 else [1.0]
        found.append(float(-np.log10(max(np.min(values), 1e-300))))
    return found


def alarms(reference: Reference, windows: tuple[Window, ...], level: float) -> list[bool]:
    """Whether any column's p-value is that small in each window."""
    return [value >= level for value in evidence(reference, windows)]
