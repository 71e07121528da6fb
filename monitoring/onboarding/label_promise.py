"""How soon a rise of a loss is told with so many labels a week, said before there is any."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from monitoring.config import MonitorConfig
from monitoring.config.values import label_budget_numbers
from monitoring.deployment.deployment import Deployment
from monitoring.evidence.few_labels import Evaluations, evaluations_until_told
from monitoring.evidence.sensitivity import Harm
from monitoring.fits.simulations import initial_level
from monitoring.judging.fit.harms import harms_of
from monitoring.judging.fit.reference_fit import ReferenceFit
from monitoring.records import WatchKey
from monitoring.reports.sections.formatting import format_count
from monitoring.traffic.windows import parse_duration
from monitoring.watches.descriptions import format_change, lower_first, metric_title

#: Rises of an error rate that are looked at; of another loss, as parts of what it is in the reference.
RISES = (0.05, 0.1, 0.2)
PARTS = (0.25, 0.5, 1.0)

#: Weeks, at most, within which a rise is promised to be told.
MOST_WEEKS = 52

_ERROR = "error"
_WEEK = 7.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPromise:
    """Within how many weeks a lasting rise of a loss is told in nine of ten simulated cases; None: not in a year."""

    metric: str
    rise: float
    weeks: int | None


def label_promises(config: MonitorConfig, deployment: Deployment) -> tuple[LabelPromise, ...]:
    """What the budget of labels of a config promises; as `promises_of`, and none without a budget."""
    if config.labels.budget is None:
        return ()
    labels, days = label_budget_numbers(config.labels.budget)
    return promises_of(deployment.reference_fit, labels / days, _window_days(config))


def promises_of(fit: ReferenceFit, labels: float, window: float) -> tuple[LabelPromise, ...]:
    """What so many labels a day promise of the first loss of all rows.

    The rise begins while a test waits for its labels, so the first of them count for nothing. Not in it: how long
    people take, and the label horizon of new traffic, during which no loss is tested.

    Args:
        window: Days of a window.

    Returns:
        One for each size; none without a loss that is tested. Cost: the calibration, which takes seconds, and tenths of
        a second.
    """
    harm = next((each for each in harms_of(fit) if not each.slice), None)
    if harm is None:
        return ()
    waits, each = _evaluations(fit, harm, labels, window)
    return tuple(
        LabelPromise(metric=harm.metric, rise=rise, weeks=_weeks(fit, harm, rise, waits, each))
        for rise in _rises(fit, harm)
        if rise <= harm.largest
    )


def label_promise_notes(config: MonitorConfig, deployment: Deployment) -> tuple[str, ...]:
    """The promises in a sentence; none where nothing is promised."""
    promises = label_promises(config, deployment)
    if not promises:
        return ()
    told = [
        f"{format_change(each.metric, each.rise)} after "
        f"{'more than a year' if each.weeks is None else format_count(each.weeks, 'week')}"
        for each in promises
    ]
    loss = lower_first(metric_title(promises[0].metric))
    note = (
        f"At {config.labels.budget}, a lasting rise of the {loss} is told in 9 of 10 simulated cases: "
        f"{', '.join(told)}; not counting how long labels take."
    )
    return (note,)


def _window_days(config: MonitorConfig) -> float:
    """The length of a window; a day where windows are so many rows."""
    windows = config.windows
    if windows.rows is not None or windows.by_batch:
        return 1.0
    return parse_duration(windows.every).total_seconds() / 86_400


def _evaluations(fit: ReferenceFit, harm: Harm, a_day: float, window: float) -> tuple[float, int]:
    """After how many days a test has enough labels, and how many it has then."""
    test = fit.tests["page"]
    key = WatchKey(watch=harm.metric)
    needed = max((test.rows_needed(each) for each in harm.score_shifts if each in test.shares), default=0)
    needed = max(needed, test.rows_needed(key))
    windows = max(math.ceil(needed / (a_day * window)), 1)
    return windows * window, max(int(windows * window * a_day), 1)


def _rises(fit: ReferenceFit, harm: Harm) -> tuple[float, ...]:
    if harm.metric == _ERROR:
        return RISES
    mean = fit.tests["page"].tests[WatchKey(watch=harm.metric)].mean * fit.watches[harm.metric].scale
    return tuple(part * mean for part in PARTS)


def _weeks(fit: ReferenceFit, harm: Harm, rise: float, days: float, labels: int) -> int | None:
    evaluations = evaluations_until_told(
        fit.tests["page"],
        fit.means,
        {key: rise * moved for key, moved in harm.score_shifts.items()},
        Evaluations(labels=labels, most=max(int(MOST_WEEKS * _WEEK / days) - 1, 1)),
        np.random.default_rng(0),
        log_scale=initial_level(fit, "page").log_scale or 0.0,
    )
    return None if evaluations is None else math.ceil((evaluations + 1) * days / _WEEK)
