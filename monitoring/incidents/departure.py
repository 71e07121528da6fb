"""How far the watch that alarmed has left its baseline since the onset."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from monitoring.incidents.alarm import Alarm, score_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """A watch's mean since the onset against what the baseline expected of it.

    Attributes:
        level: Mean score over the windows that have one, in the watch's own unit; NaN where none has.
        expected: The baseline's expectation of it in the same windows.
        windows: How many windows have a score.
        start: The start of the first window since the onset.
    """

    level: float
    expected: float
    windows: int
    start: datetime

    @property
    def change(self) -> float:
        """`level` minus `expected`; 0 where no window has a score."""
        return self.level - self.expected if self.windows else 0.0


def departure(alarm: Alarm) -> Departure:
    """Measure the departure of the watch with the largest share of the evidence.

    Returns:
        The means over the windows that have a score.
    """
    key, baseline = alarm.key, alarm.baseline
    pairs = [
        (value, baseline.expected(key, window.start))
        for window in alarm.windows
        if (value := score_of(window, key)) is not None
    ]
    level, expected = (
        (float(np.mean(side)) for side in zip(*pairs, strict=True)) if pairs else (math.nan, baseline.scores[key].mean)
    )
    return Departure(level=level, expected=expected, windows=len(pairs), start=alarm.windows[0].start)
