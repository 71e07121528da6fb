"""The change of a loss, as the change of what the model expected plus the change of its surprise."""

from __future__ import annotations

import numpy as np

from monitoring.incidents.alarm import Alarm
from monitoring.records import LossSplit, WatchKey
from monitoring.tasks.task import SURPRISE, loss_of
from monitoring.watches.rank import is_rank

BRIER = "brier"


def loss_split(alarm: Alarm) -> LossSplit | None:
    """Split the change of a loss since the onset; the two parts add up to it, as a loss is their sum.

    The expected loss is the one that the model's own probabilities promise; surprise is realised minus expected loss.
    Where the realised loss rose and the expected one did not, the probabilities are no longer calibrated.

    A ranking loss is over the rows of a class and its surprise over all, so they do not add up: its alarms have the
    split of the Brier score, where that rose by more than its tolerance.

    Args:
        alarm: An alarm and its windows since the onset.

    Returns:
        The split in the metric's own unit; None where the alarm is not about a loss, or no window has both scores.
    """
    if alarm.watch.family not in ("performance", "surprise", "material"):
        return None
    metric = loss_of(alarm.key.watch)
    if is_rank(metric):
        split = _split_of(alarm, BRIER)
        return split if split and split.change > alarm.baseline.scores[WatchKey(watch=BRIER)].tolerance else None
    return _split_of(alarm, metric)


def _split_of(alarm: Alarm, metric: str) -> LossSplit | None:
    loss_key = WatchKey(watch=metric, slice=alarm.key.slice)
    surprise_key = WatchKey(watch=f"{SURPRISE}{metric}", slice=alarm.key.slice)
    if loss_key not in alarm.baseline.scores or surprise_key not in alarm.baseline.scores:
        return None
    pairs = [
        (loss, surprise)
        for window in alarm.windows
        if (loss := alarm.excess(window, loss_key)) is not None
        and (surprise := alarm.excess(window, surprise_key)) is not None
    ]
    if not pairs:
        return None
    loss, surprise = (float(np.mean(side)) for side in zip(*pairs, strict=True))
    return LossSplit(metric=metric, difficulty=loss - surprise, surprise=surprise)
