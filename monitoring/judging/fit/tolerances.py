"""Tolerances: changes that the user calls harmless."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from monitoring.records import Watch, WatchKey
from monitoring.tasks.metrics import find_metric
from monitoring.tasks.output_names import split_output
from monitoring.tasks.task import loss_of
from monitoring.watches import label_coverage
from monitoring.watches.descriptions import is_rank

#: The smallest standard deviation assumed for integrity and label coverage, in tolerances: in a good baseline their
#: scores hardly vary.
MIN_STD_IN_TOLERANCES = 0.5

#: A Brier tolerance that nobody gave is this many standard errors of the benchmark, and no less than the smallest
#: difference that matters.
BENCHMARK_ERRORS = 2.0
SMALLEST_BRIER = 0.0025

#: As for the Brier score: the smallest difference of an AUC that matters.
SMALLEST_RANK = 0.01

#: The same for losses of other tasks, of which no tolerance can be given: this share of the benchmark.
SMALLEST_SHARE = 0.05

#: Until a reference covers a year, labels may follow the probabilities less well in a season that it has not seen, and
#: nobody is woken for that: a rise by this share of the benchmark counts as harmless, of the Brier score, of ranking
#: losses and of those of other tasks. With these, one point more wrong answers is harmless and two are not, as with the
#: tolerance of error rates.
SEASONAL_BRIER = 0.09
SEASONAL_RANK = 0.13
SEASONAL_SHARE = 0.15

#: A rise of a loss is material, whatever explains it, from this part of the benchmark on; of the error rate from this
#: share of wrong answers on, if that is less.
MATERIAL_SHARE = 0.5
MATERIAL_ERROR = 0.1

#: Losses that have a tolerance of their own, and what is no loss.
ERROR_RATES = ("error", "hamming_error", "class_error")
OTHERWISE = ("error", "brier", "bias", "quantile_coverage", "number_bias", "number_quantile_coverage")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerances:
    """The largest harmless rise of each metric, in its own unit; of those of other tasks (`others`), in score units.

    Of `others`, those that the user gives for metrics of their own are in `custom`, by the name of their watch. The
    shares that stand for a season not seen yet are multiplied by `seasonal`.

    >>> tolerances = Tolerances(error=0.02, brier=0.01, integrity=0.005)
    >>> surprise = Watch(
    ...     name="surprise_error", family="surprise", level="page", needs_label=True, scale=2.0, offset=-1.0
    ... )
    >>> tolerances.score_tolerance(surprise), tolerances.min_std(surprise)
    (0.01, 0.0)
    """

    error: float
    brier: float | None
    integrity: float
    ranks: Mapping[str, float] = field(default_factory=dict)
    others: Mapping[str, float] = field(default_factory=dict)
    custom: Mapping[str, float] = field(default_factory=dict)
    any_cause: float | None = None
    any_cause_share: float = MATERIAL_SHARE
    seasonal: float = 1.0

    def material_tolerance(self, watch: Watch, benchmark: float) -> float:
        """The rise of a loss from which on it is harm whatever explains it, in score units.

        Returns:
            `any_cause` for error rates, where it is given; else `any_cause_share` of the benchmark, of error rates
            `MATERIAL_ERROR` if that is less.
        """
        share = self.any_cause_share * benchmark
        metric = split_output(loss_of(watch.name))[1].partition(":")[0]
        if metric not in ERROR_RATES:
            return share
        return min(share, MATERIAL_ERROR) if self.any_cause is None else self.any_cause

    def completed(self, means: Mapping[WatchKey, NDArray[np.float64]], *, covers_year: bool = True) -> Tolerances:
        """The tolerances with those that nobody gave, derived from the benchmark's own uncertainty.

        Returns:
            The tolerances, with ``max(SMALLEST_BRIER, BENCHMARK_ERRORS · std / √R)`` for the Brier score if none was
            given, with `SMALLEST_RANK` for each ranking loss, and `SMALLEST_SHARE` of other losses; and with the
            seasonal share of the benchmark, if that is more and the baseline does not cover a year.

        >>> scores = {WatchKey(watch="brier"): np.array([0.1, 0.2] * 50)}
        >>> round(Tolerances(error=0.02, brier=None, integrity=0.0).completed(scores).brier, 4)
        0.0101
        """
        seasonal = 0.0 if covers_year else self.seasonal
        ranks = {
            key.watch: max(SMALLEST_RANK, seasonal * SEASONAL_RANK * float(scores.mean()), _uncertainty(means, key))
            for key, scores in means.items()
            if is_rank(key.watch)
        }
        brier, key = self.brier, WatchKey(watch="brier")
        if brier is None:
            benchmark = float(means[key].mean()) if key in means else 0.0
            brier = max(SMALLEST_BRIER, seasonal * SEASONAL_BRIER * benchmark, _uncertainty(means, key))
        share = max(SMALLEST_SHARE, seasonal * SEASONAL_SHARE)
        others = {
            key.watch: max(share * float(scores.mean()), _uncertainty(means, key))
            for key, scores in means.items()
            if is_other_loss(key.watch) and not key.slice
        }
        return replace(self, brier=brier, ranks=ranks, others={**others, **self.custom})

    def score_tolerance(self, watch: Watch) -> float:
        """The largest harmless rise of a watch, in score units; 0 for watches without a tolerance."""
        if watch.family == "integrity":
            return self.integrity
        if watch.family == "labelled":
            return label_coverage.TOLERANCE / watch.scale
        metric = loss_of(watch.name)
        if metric in self.others:
            return self.others[metric] / (2.0 if watch.family == "surprise" else 1.0)
        loss = {"error": self.error, "brier": self.brier or 0.0, **self.ranks}.get(metric, 0.0)
        return loss / watch.scale

    def min_std(self, watch: Watch) -> float:
        """The smallest standard deviation assumed for a watch between windows, in score units."""
        if watch.family not in ("integrity", "labelled"):
            return 0.0
        return MIN_STD_IN_TOLERANCES * self.score_tolerance(watch)


def is_other_loss(watch: str) -> bool:
    """Whether a watch is a loss that tolerates `SMALLEST_SHARE` of its benchmark: no Brier score, no ranking loss.

    >>> [is_other_loss(name) for name in ("absolute_error", "brier", "rank:late", "missing:temp")]
    [True, False, False, False]
    """
    return find_metric(watch) is not None and watch.partition(":")[0] not in OTHERWISE


def _uncertainty(means: Mapping[WatchKey, NDArray[np.float64]], key: WatchKey) -> float:
    """`BENCHMARK_ERRORS` standard errors of a watch's mean over the baseline; 0 without windows."""
    scores = means.get(key)
    return 0.0 if scores is None else BENCHMARK_ERRORS * float(scores.std(ddof=1)) / math.sqrt(scores.size)
