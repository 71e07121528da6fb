"""Recognises a baseline of rows that the model was fitted on, by the first labelled windows of its traffic."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from monitoring.incidents.alarm import HISTORY, DeploymentBaseline, rows_of, score_of
from monitoring.incidents.life_cycle import QUIET_WINDOWS
from monitoring.judging.facts.loss_outliers import OUTLIER
from monitoring.records import Finding, Watch, WatchKey, WindowRecord
from monitoring.records.loss_parts import BetterLoss
from monitoring.tasks.metrics import part_of
from monitoring.tasks.task import SURPRISE
from monitoring.watches.descriptions import format_value, is_rank, lower_first, watch_title

#: The first labelled windows of a traffic that are compared with the baseline: from how many on, and how many.
LEAST_WINDOWS = 3
FIRST_WINDOWS = 7

#: The loss of an in-sample baseline is exceeded by at least this factor.
LOSS_FACTOR = 1.5

#: Surprise makes up at least this part of the rise: the model expected little of it.
SURPRISE_PART = 0.5

#: The kind of the finding.
IN_SAMPLE = "in-sample baseline"


def in_sample_findings(
    windows: Sequence[WindowRecord], means: Mapping[WatchKey, NDArray[np.float64]], watches: Mapping[str, Watch]
) -> tuple[Finding, ...]:
    """The finding that a baseline's scores look in-sample: its losses are much smaller than all that traffic has shown.

    A model has smaller losses, of which it is as sure, on the rows that it was fitted on. The rise is there from the
    first labelled window on, and larger than between any windows of the baseline. No verdict depends on it.

    Returns:
        One finding, in the third to seventh window with labels; none where a fact explains the losses.
    """
    if len(windows) >= HISTORY:  # the first ones may be gone
        return ()
    metrics = (watch.name for watch in watches.values() if watch.family == "performance" and not is_rank(watch.name))
    for key in (WatchKey(watch=name) for name in metrics):
        labelled = list(islice(_with_score(windows, key), FIRST_WINDOWS + 1))
        if not LEAST_WINDOWS <= len(labelled) <= FIRST_WINDOWS or labelled[-1] is not windows[-1] or key not in means:
            continue
        if any(finding.fact and finding.kind != OUTLIER for window in labelled for finding in window.findings):
            continue
        before, worst = (watches[key.watch].value(float(of(means[key]))) for of in (np.mean, np.max))
        losses = [_value(window, key) or 0.0 for window in labelled]
        now = float(np.mean(losses))
        if min(losses) <= worst or now < LOSS_FACTOR * before or _expected(labelled, key, means, watches, now - before):
            continue
        name, there, here = (
            lower_first(watch_title(key.watch)),
            *(format_value(key.watch, loss) for loss in (before, now)),
        )
        message = (
            f"The baseline's scores look in-sample: {name} {there} there, {here} in the first {len(labelled)} labelled "
            f"windows, each above the worst of the baseline's {means[key].size}. If the model was fitted on the "
            "reference's rows, make the baseline of held-out rows."
        )
        return (Finding(kind=IN_SAMPLE, feature="baseline", message=message),)
    return ()


def _with_score(windows: Sequence[WindowRecord], key: WatchKey) -> Iterator[WindowRecord]:
    """The ordinary windows that have a score of a loss."""
    return (
        window for window in windows if window.labels and window.expected is None and _value(window, key) is not None
    )


def _expected(
    labelled: Sequence[WindowRecord],
    key: WatchKey,
    means: Mapping[WatchKey, NDArray[np.float64]],
    watches: Mapping[str, Watch],
    rise: float,
) -> bool:
    """Whether the model expected most of the rise, as on harder traffic."""
    surprise = WatchKey(watch=f"{SURPRISE}{key.watch}")
    values = [value for window in labelled if (value := _value(window, surprise)) is not None]
    if surprise not in means or not values:
        return False
    before = watches[surprise.watch].value(float(means[surprise].mean()))
    return float(np.mean(values)) - before < SURPRISE_PART * rise


def _value(window: WindowRecord, key: WatchKey) -> float | None:
    """The value of a watch in a window; None where it was not evaluated."""
    return next((score.value for score in window.scores if (score.watch, score.slice) == (key.watch, key.slice)), None)


#: So many windows in a row show that it lasts: four weeks of days.
LASTING_WINDOWS = 28

#: So many of them have a score of the loss, at least: windows of few labels are pooled until they are enough.
LEAST_SCORED = 14

#: By how many standard errors of its mean a loss must have fallen.
FALL_ERRORS = 4.0

#: The largest AR(1) coefficient that the standard error takes account of.
MAX_AR1 = 0.9

#: So many scores in a row, each below this share of the baseline's lowest window, are told before four weeks are over.
GROSS_SCORES = 7
GROSS_SHARE = 0.1

#: The kind of the finding, and what it is about.
IMPROVED = "better than the benchmark"
SUBJECT = "recent losses"

Floats = NDArray[np.float64]


def improvement_findings(
    windows: Sequence[WindowRecord],
    baseline: DeploymentBaseline,
    means: Mapping[WatchKey, Floats],
    *,
    is_open: bool = False,
) -> tuple[Finding, ...]:
    """The finding that a loss has been better than the benchmark for `LASTING_WINDOWS` windows, or is next to none.

    No alarm says so: tests of losses look for rises, and a return from a better level to the benchmark is none. Labels
    that are copies of the answers leave no loss at all: `GROSS_SCORES` windows, each with less than a tenth of the loss
    of the best window of the baseline, tell it sooner. Chance does not: a window as good as the best of R has a
    probability of 1/(R + 1) by itself, and where rare errors leave windows without any, the lowest is 0.

    Args:
        is_open: Whether its notice is open: one that a person has closed does not come back until it is over.

    Returns:
        One finding, about the first such loss of all rows; none where no loss is.
    """
    for name, watch in baseline.watches.items():
        key = WatchKey(watch=name)
        if watch.family != "performance" or is_rank(name) or part_of(name) is not None or key not in baseline.scores:
            continue
        parts = _lasting_fall(windows, key, baseline, means) or _gross_fall(windows, key, baseline, means)
        if parts is not None:
            last = windows[-1 - QUIET_WINDOWS : -1]
            is_new = not any(finding.feature == SUBJECT for window in last for finding in window.findings)
            return (Finding(kind=IMPROVED, feature=SUBJECT, fact=is_new or is_open, parts=parts),)
    return ()


def _lasting_fall(
    windows: Sequence[WindowRecord], key: WatchKey, baseline: DeploymentBaseline, means: Mapping[WatchKey, Floats]
) -> BetterLoss | None:
    """A loss that has been lower for `LASTING_WINDOWS` windows, by the scores in them; else None."""
    recent = windows[-LASTING_WINDOWS:]
    scored = [(window, value) for window in recent if (value := score_of(window, key)) is not None]
    if len(recent) < LASTING_WINDOWS or len(scored) < LEAST_SCORED:
        return None
    before = float(np.mean([baseline.expected(key, window.start) for window, _ in scored]))
    values = np.array([value for _, value in scored])
    fall = before - float(values.mean())
    score = baseline.scores[key]
    deviation = max(score.deviation, float(values.std(ddof=1)))  # of fewer rows than the baseline's, they vary more
    error = deviation * math.sqrt(1.0 / len(scored) + 1.0 / max(score.windows, 1))
    if fall <= max(score.tolerance, FALL_ERRORS * error * _inflation(means.get(key))):
        return None
    rows = sum(rows_of(window, key) for window, _ in scored)
    return BetterLoss(watch=key.watch, before=before, now=before - fall, windows=LASTING_WINDOWS, rows=rows)


def _gross_fall(
    windows: Sequence[WindowRecord], key: WatchKey, baseline: DeploymentBaseline, means: Mapping[WatchKey, Floats]
) -> BetterLoss | None:
    """What is known of a loss of which next to none is left; None where it did not fall."""
    scored = [(window, value) for window in windows if (value := score_of(window, key)) is not None][-GROSS_SCORES:]
    if len(scored) < GROSS_SCORES or key not in means:
        return None
    lowest = baseline.watches[key.watch].value(float(means[key].min()))
    if lowest <= 0.0 or max(value for _, value in scored) >= GROSS_SHARE * lowest:
        return None
    before = float(np.mean([baseline.expected(key, window.start) for window, _ in scored]))
    rows = sum(rows_of(window, key) for window, _ in scored)
    now = float(np.mean([value for _, value in scored]))
    return BetterLoss(watch=key.watch, before=before, now=now, windows=GROSS_SCORES, rows=rows, lowest=lowest)


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
