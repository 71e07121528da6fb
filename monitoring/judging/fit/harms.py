"""The harms whose smallest detectable size is reported: each loss on the whole traffic and on large slices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from monitoring.evidence.sensitivity import Harm
from monitoring.judging.fit.reference_fit import ReferenceFit
from monitoring.records import ScoreSum, WatchKey
from monitoring.tasks.metrics import part_of
from monitoring.tasks.task import MATERIAL, SURPRISE
from monitoring.watches.descriptions import is_rank

#: Slices, at most, for which the smallest detectable harm is simulated.
MAX_HARM_SLICES = 8

#: Share of the baseline's windows in which a slice must have a score for that.
MIN_SCORED_SHARE = 0.9


def harms_of(fit: ReferenceFit) -> tuple[Harm, ...]:
    """The harms of a fit: a rise of each loss, of all rows or of a slice's.

    A classifier's losses rise by labels that its answers contradict, at random: by as much as each watch moves with
    them. The loss of other models rises while they expect no more, so that its surprise rises alike. On one slice the
    harm shifts the whole by the slice's share of the labelled rows. Slices are left out where many windows had to be
    pooled: how soon they are evaluated depends on the traffic to come.
    """
    tests = fit.tests["page"].tests
    harms = []
    losses = (watch.name for watch in fit.watches.values() if watch.family == "performance")
    # Ranking losses may be pooled, as thin slices are; losses of one class have those of all classes beside them.
    metrics = [name for name in losses if not is_rank(name) and part_of(name) is None]
    for part in ("", *_largest_slices(fit)):
        for metric in metrics:
            shifts = _score_shifts(fit, metric, part)
            loss = WatchKey(watch=metric, slice=part)
            if loss not in shifts:
                continue
            share = fit.losses[loss].rows / max(fit.losses[WatchKey(watch=metric)].rows, 1) if part else 1.0
            whole = {key: shift * share for key, shift in _score_shifts(fit, metric, "").items()} if part else {}
            largest = fit.watches[metric].scale * (1.0 - tests[loss].mean)
            harms.append(Harm(metric=metric, slice=part, score_shifts={**whole, **shifts}, largest=largest))
    return tuple(harms)


def _score_shifts(fit: ReferenceFit, metric: str, part: str) -> dict[WatchKey, float]:
    """How far a rise of 1 in a metric on one slice shifts that slice's watches, in score units."""
    loss, tests, watches = WatchKey(watch=metric, slice=part), fit.tests["page"].tests, fit.watches
    names = (f"{prefix}{metric}" for prefix in ("", MATERIAL, SURPRISE))
    shifts = {
        key: 1.0 / watches[key.watch].scale
        for key in (WatchKey(watch=name, slice=part) for name in names)
        if key in tests
    }
    rises = _mean_rises(fit.losses, fit.wrong_labels, (key for key in tests if key.slice == part))
    if rises.get(loss, 0.0) <= 0.0:
        return shifts
    unit = rises[loss] * watches[metric].scale
    return {**{key: rise / unit for key, rise in rises.items()}, **shifts}


def _mean_rises(
    before: Mapping[WatchKey, ScoreSum], after: Mapping[WatchKey, ScoreSum], keys: Iterable[WatchKey]
) -> dict[WatchKey, float]:
    """How far the mean score of each watch moved, of those that have rows before and after."""
    shared_keys = (key for key in keys if key in before and key in after and before[key].rows and after[key].rows)
    return {key: after[key].mean - before[key].mean for key in shared_keys}


def _largest_slices(fit: ReferenceFit) -> tuple[str, ...]:
    """The slices with most labelled rows in the baseline, of those with a score in most windows."""
    rows = {
        key.slice: fit.losses[key].rows
        for key in fit.means
        if key.slice and key in fit.losses and fit.means[key].size >= MIN_SCORED_SHARE * _windows(fit, key.watch)
    }
    return tuple(sorted(rows, key=lambda part: (-rows[part], part))[:MAX_HARM_SLICES])


def _windows(fit: ReferenceFit, watch: str) -> int:
    whole = fit.means.get(WatchKey(watch=watch))
    return 0 if whole is None else int(whole.size)
