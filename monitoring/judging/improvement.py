"""An improvement that lasts: losses that have been below the benchmark for weeks, by more than the tolerance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from monitoring.incidents.alarm import DeploymentBaseline, rows_of, score_of
from monitoring.records import Finding, WatchKey, WindowRecord
from monitoring.tasks.metrics import part_of
from monitoring.watches.descriptions import format_move, watch_title
from monitoring.watches.rank import is_rank

#: So many windows in a row show that it lasts: four weeks of days.
LASTING_WINDOWS = 28

#: By how many standard errors of its mean a loss must have fallen.
FALL_ERRORS = 4.0

#: The largest AR(1) coefficient that the standard error takes account of.
MAX_AR1 = 0.9

#: The kind of the finding, and what it is about.
IMPROVED = "better than the benchmark"
SUBJECT = "losses"

Floats = NDArray[np.float64]


def improvement_findings(
    windows: Sequence[WindowRecord], baseline: DeploymentBaseline, means: Mapping[WatchKey, Floats]
) -> tuple[Finding, ...]:
    """The finding that a loss has been better than the benchmark for `LASTING_WINDOWS` windows.

    No alarm says so: tests of losses look for rises, and a return from a better level to the benchmark is none.

    Returns:
        One finding, about the first such loss of all rows; none where no loss is.
    """
    recent = windows[-LASTING_WINDOWS:]
    if len(recent) < LASTING_WINDOWS:
        return ()
    for name, watch in baseline.watches.items():
        key = WatchKey(watch=name)
        if watch.family != "performance" or is_rank(name) or part_of(name) is not None or key not in baseline.scores:
            continue
        values = [score_of(window, key) for window in recent]
        scored = [value for value in values if value is not None]
        if len(scored) < LASTING_WINDOWS:
            continue
        before = float(np.mean([baseline.expected(key, window.start) for window in recent]))
        fall = before - float(np.mean(scored))
        score = baseline.scores[key]
        error = score.deviation * math.sqrt(1.0 / LASTING_WINDOWS + 1.0 / max(score.windows, 1))
        if fall > max(score.tolerance, FALL_ERRORS * error * _inflation(means.get(key))):
            rows = sum(rows_of(window, key) for window in recent)
            message = (
                f"{watch_title(name)} {format_move(name, before, before - fall)} over the last {LASTING_WINDOWS} "
                f"windows ({rows:,} rows): better than the benchmark. Check that labels are whole; if they are, make "
                "a new baseline (`pitfalls monitor rebaseline`), so that a return to the old level is an alarm."
            )
            return (Finding(kind=IMPROVED, feature=SUBJECT, message=message),)
    return ()


def _inflation(means: Floats | None) -> float:
    """By how much autocorrelation between the baseline's windows widens the standard error of a mean.

    >>> _inflation(np.array([0.1, 0.2, 0.1, 0.2, 0.1, 0.2]))
    1.0
    """
    if means is None or means.size < 3 or not float(means.std()):
        return 1.0
    centred = means - means.mean()
    ar1 = float(np.clip(centred[1:] @ centred[:-1] / (centred @ centred), 0.0, MAX_AR1))
    return math.sqrt((1.0 + ar1) / (1.0 - ar1))
