"""When the change behind an alarm is likeliest to have begun."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from monitoring.incidents.alarm import Alarm

#: Windows of history searched for the onset.
HISTORY = 90


def since_onset(alarm: Alarm) -> Alarm:
    """The same alarm with the windows since the onset only: at least one.

    Returns:
        The alarm, with those of its last `HISTORY` windows that come after the change-point.
    """
    recent = alarm.windows[-HISTORY:]
    return replace(alarm, windows=recent[onset(replace(alarm, windows=recent)) :])


def onset(alarm: Alarm) -> int:
    """The window in which a shift of the mean that lasts to the end is likeliest to have begun.

    Of all runs of last windows, the one whose excess over the baseline's expectation, or over the level of an
    open incident, has the largest sum² / n. For a
    one-sided watch only rises count. Source: Hinkley, *Inference about the change-point in a sequence of random
    variables* (1970).

    Returns:
        A place in `alarm.windows`; 0 where there are none.
    """
    rises = [alarm.excess(window, alarm.key) for window in alarm.windows]
    offset = alarm.offsets.get(alarm.key, 0.0)
    excess = np.array([0.0 if value is None else value - offset for value in rises])
    scored = np.array([value is not None for value in rises], dtype=np.float64)
    sums = np.cumsum(excess[::-1])[::-1]
    if alarm.watch.direction == "up":
        sums = np.maximum(sums, 0.0)
    gain = sums**2 / np.maximum(np.cumsum(scored[::-1])[::-1], 1.0)
    return int(np.argmax(np.where(scored > 0.0, gain, -1.0))) if excess.size else 0
