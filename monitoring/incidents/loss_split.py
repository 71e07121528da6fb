"""The change of a loss, as the change of what the model expected plus the change of its surprise."""

from __future__ import annotations

import numpy as np

from monitoring.incidents.alarm import Alarm, rows_of
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

    Returns:
        The split in the metric's own unit; None where the alarm is not about a loss, or no window has both scores.
    """
    if alarm.watch.family not in ("performance", "surprise", "material"):
        return None
    metric = loss_of(alarm.key.watch)
    if is_rank(metric):
        split = split_of(alarm, BRIER)
        return split if split and split.change > alarm.baseline.scores[WatchKey(watch=BRIER)].tolerance else None
    return split_of(alarm, metric)


def split_of(alarm: Alarm, metric: str) -> LossSplit | None:
    """Split the change of one loss on the slice of an alarm, each window weighing as many rows as it has.

    Returns:
        The split; None where no window has both the loss and its surprise.
    """
    loss_key = WatchKey(watch=metric, slice=alarm.key.slice)
    surprise_key = WatchKey(watch=f"{SURPRISE}{metric}", slice=alarm.key.slice)
    if loss_key not in alarm.baseline.scores or surprise_key not in alarm.baseline.scores:
        return None
    scored = [
        (loss, surprise, max(rows_of(window, loss_key), 1))
        for window in alarm.windows
        if (loss := alarm.excess(window, loss_key)) is not None
        and (surprise := alarm.excess(window, surprise_key)) is not None
    ]
    if not scored:
        return None
    losses, surprises, rows = (np.array(column, dtype=np.float64) for column in zip(*scored, strict=True))
    loss, surprise = (float(np.average(side, weights=rows)) for side in (losses, surprises))
    return LossSplit(metric=metric, difficulty=loss - surprise, surprise=surprise)
