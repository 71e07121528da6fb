"""Recognises a baseline of rows that the model was fitted on, by the first labelled windows of its traffic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from monitoring.incidents.onset import HISTORY
from monitoring.judging.facts.loss_outliers import OUTLIER
from monitoring.records import Finding, Watch, WatchKey, WindowRecord
from monitoring.tasks.task import SURPRISE
from monitoring.watches.descriptions import format_value, lower_first, watch_title
from monitoring.watches.rank import is_rank

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

    Args:
        windows: All windows of the traffic so far, in order of time.

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
