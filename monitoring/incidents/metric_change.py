"""The change that an alarm is about in the user's own metric: from, to, since when, and over how many rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np

from monitoring.incidents.alarm import Alarm, rows_of, score_of
from monitoring.incidents.harm import loss_changes
from monitoring.records import LOSS_FAMILIES, LossSplit, MetricChange, Onset, WatchKey, WindowRecord
from monitoring.tasks.metrics import unbounded_loss
from monitoring.tasks.output_names import named, split_output
from monitoring.tasks.task import ESTIMATED, SURPRISE, loss_of
from monitoring.watches.descriptions import is_rank

#: The loss that people ask for first, and the metric of two classes that a ranking loss stands for.
ERROR, AUC = "error", "auc"


def metric_change(alarm: Alarm, key: WatchKey) -> MetricChange | None:
    """How far a watch has moved since the onset, each window weighing as many rows as it has.

    Returns:
        The change; None where the baseline or every window has no score of it.
    """
    if key not in alarm.baseline.scores:
        return None
    scored = [
        (score.value, alarm.baseline.expected(key, window.start), score.rows)
        for window in alarm.windows
        for score in window.scores
        if score.watch == key.watch and score.slice == key.slice and score.value is not None
    ]
    if not scored:
        return None
    values, expected, rows = (np.array(column, dtype=np.float64) for column in zip(*scored, strict=True))
    weights = np.maximum(rows, 1.0)
    change = MetricChange(
        key=key,
        before=float(np.average(expected, weights=weights)),
        now=float(np.average(values, weights=weights)),
        rows=int(rows.sum()),
    )
    if not key.slice:
        change = replace(change, now=unbounded_loss(key.watch, change.now, _measured_errors(alarm)))
    auc = _measured_auc(alarm, key)
    shows = auc is not None and 1.0 - auc >= change.before + change.change / 2.0 > change.before
    return replace(change, auc=auc) if shows else change


def user_metrics(alarm: Alarm) -> tuple[MetricChange, ...]:
    """The metrics that a message begins with: the error rate where it has moved, then the loss that alarmed.

    A loss that became worse stands before one that became better: where the loss that alarmed did not become worse and
    another did, that one is told in its place. Beside the error rate a ranking loss is told as the AUC of the same
    rows, or not at all: that of rows against the baseline's moves with the score alone, too.

    Returns:
        One or two of an alarm about losses; of another its watch; none where no window has a score.
    """
    key = alarm.key
    if alarm.watch.family not in LOSS_FAMILIES:
        change = metric_change(alarm, key)
        return () if change is None else (change,)
    # Labels that arrived since the onset of an estimate are of earlier rows.
    losses = {} if alarm.watch.family == "estimates" else {loss.metric: loss for loss in loss_changes(alarm)}
    if not losses:
        estimate = metric_change(alarm, WatchKey(watch=f"{ESTIMATED}{loss_of(key.watch)}", slice=key.slice))
        change = estimate or metric_change(alarm, key)
        return () if change is None else (change,)
    output = split_output(loss_of(key.watch))[0]
    error = named(output, ERROR) if output else ERROR
    own_loss = loss_of(key.watch)
    worse = [name for name, loss in losses.items() if loss.is_worse]
    if own_loss not in losses or (worse and own_loss not in worse):
        own_loss = max(losses, key=lambda name: losses[name].rise / max(losses[name].limit, 1e-9))
    has_moved = error in losses and (losses[error].is_worse or losses[error].is_better)
    names = [error, own_loss] if has_moved else [own_loss]
    told = dict.fromkeys(sorted(names, key=lambda name: bool(worse) and name not in worse))
    found = (metric_change(alarm, WatchKey(watch=name, slice=key.slice)) for name in told)
    changes = [change for change in found if change is not None]
    plain = [change for change in changes if change.auc is not None or not is_rank(split_output(change.key.watch)[1])]
    return tuple(plain) if has_moved and (error in worse or not worse) else tuple(changes)


def _measured_auc(alarm: Alarm, key: WatchKey) -> float | None:
    """The AUC of the windows since the onset, by their rows, for a ranking loss of two classes."""
    if not is_rank(key.watch) or key.slice:
        return None
    measured = [metric for window in alarm.windows for metric in window.measured if metric.metric == AUC]
    rows = [metric.rows for metric in measured]
    return float(np.average([metric.value for metric in measured], weights=rows)) if sum(rows) else None


def _measured_errors(alarm: Alarm) -> dict[str, float]:
    """The errors of predicted numbers over the windows since the onset, by their rows, without a bound."""
    powers = {"mean_absolute_error": 1.0, "root_mean_squared_error": 2.0}
    shown = [metric for window in alarm.windows for metric in window.measured if metric.rows]
    found = {}
    for name in dict.fromkeys(metric.metric for metric in shown):
        power = powers.get(split_output(name)[1])
        if power is not None:
            values, rows = zip(*((one.value, one.rows) for one in shown if one.metric == name), strict=True)
            found[name] = float(np.average(np.array(values) ** power, weights=rows) ** (1.0 / power))
    return found


def onset_of(window: WindowRecord, timezone: str) -> Onset:
    """A change that began with a window; its time of day counts where windows are shorter than a day."""
    is_short = window.end - window.start < timedelta(hours=20)
    return Onset(start=window.start.astimezone(ZoneInfo(timezone)), batch=window.batch, has_time=is_short)


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """A watch's mean since the onset against what the baseline expected of it.

    Attributes:
        level: Mean score over the windows that have one, in the watch's own unit; None where none has.
    """

    level: float | None
    expected: float

    @property
    def change(self) -> float:
        """`level` minus `expected`; 0 where no window has a score."""
        return 0.0 if self.level is None else self.level - self.expected


def departure(alarm: Alarm) -> Departure:
    """Measure the departure of the watch with the largest share of the evidence."""
    key, baseline = alarm.key, alarm.baseline
    pairs = [
        (value, baseline.expected(key, window.start))
        for window in alarm.windows
        if (value := score_of(window, key)) is not None
    ]
    if not pairs:
        return Departure(level=None, expected=baseline.scores[key].mean)
    level, expected = (float(np.mean(side)) for side in zip(*pairs, strict=True))
    return Departure(level=level, expected=expected)


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
