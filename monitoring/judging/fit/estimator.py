"""Performance as estimated without labels, window by window, and held to account when labels come."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.folder import Baseline
from monitoring.judging.fit.baseline_windows import BaselineSamples
from monitoring.judging.window.row_scorer import METRICS, RowScorer
from monitoring.judging.window.tally import LossSum, Tally
from monitoring.judging.window.window_sums import AnsweredSums, LabelledSums
from monitoring.judging.window.windowing import split_by_label_arrival
from monitoring.records import (
    SCORE_ONE,
    Account,
    EstimateMethod,
    EstimateRecord,
    SettledLosses,
)
from monitoring.timestamps import as_datetime
from monitoring.traffic.windows import RowPlan, WindowPlan
from monitoring.watches import estimates, performance, trust
from monitoring.watches.calibration import Calibration
from monitoring.watches.catalogue import Catalogue, labelled_rows
from monitoring.watches.estimates import ExpectedLoss
from monitoring.watches.scoring import fixed_point_sum
from monitoring.watches.weighting import ImportanceWeighting, WeightedEstimate

#: A confusion matrix of more classes than this is not kept with every window.
MAX_CONFUSION_CLASSES = 10

#: Fewer baseline windows than this have no interval of this level.
FEWEST_WINDOWS = math.ceil(1.0 / trust.MISS_RATE) - 1

Kind = tuple[EstimateMethod, str]
_KINDS: tuple[Kind, ...] = (("calibrated", "error"), ("calibrated", "brier"), ("threshold", "error"))
_WEIGHTED: tuple[Kind, ...] = (("weighted", "error"), ("weighted", "brier"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ConformalInterval:
    """How far estimates were from the truth in the baseline's windows.

    `between` is the variance of the difference beyond what chance among a window's rows explains, `reach` the quantile
    of |difference| in units of its standard error that split conformal prediction asks for: the ⌈(R + 1)(1 - a)⌉-th
    smallest of R. Source: Vovk, Gammerman & Shafer, *Algorithmic learning in a random world* (2nd ed. 2022), §4.2.
    """

    between: float
    reach: float

    @classmethod
    def fit(cls, differences: NDArray[np.float64], chance: NDArray[np.float64]) -> ConformalInterval:
        """From each baseline window's difference, and the variance that chance explains of it; both [R], R >= 9."""
        between = max(float(np.mean(differences**2 - chance)), 0.0)
        errors = np.abs(differences) / np.sqrt(np.maximum(between + chance, 1e-12))
        place = math.ceil((differences.size + 1) * (1.0 - trust.MISS_RATE))
        return cls(between=between, reach=float(np.sort(errors)[place - 1]))

    def half(self, rows: int, variance: float) -> float:
        """Half the width of the interval for a mean over rows whose variances sum to `variance`."""
        return self.reach * math.sqrt(max(self.between + variance / rows**2, 1e-12))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PerformanceEstimator:
    """Estimates of every kind with their spreads, as learnt from one baseline."""

    calibration: Calibration
    threshold: float | None
    weighting: ImportanceWeighting
    spreads: Mapping[Kind, ConformalInterval]
    min_rows: int

    @classmethod
    def fit(cls, baseline: Baseline, catalogue: Catalogue, plan: WindowPlan | RowPlan) -> PerformanceEstimator | None:
        """Learn from the baseline's labels; None where they are too few.

        Each baseline window of label arrivals is estimated by a calibration that has not seen its labels, and by
        weighing other rows than its own; the threshold, a single number, is the same for all. Cost: one pass over the
        labelled rows, and per window a fit of some dozens of points per class and of the weights.
        """
        calibration, reference = catalogue.calibration, baseline.rows.answers
        if calibration is None:
            return None
        known = labelled_rows(reference)
        answers, labels = reference.probabilities[known], reference.labels[known]
        threshold = estimates.confidence_threshold(answers, labels) if catalogue.has_probabilities else None
        rows, weighting = max(plan.min_rows, 1), ImportanceWeighting.fit(baseline, known)
        gathered: dict[Kind, Account] = {}
        found: dict[Kind, list[tuple[float, float]]] = {}
        arrived = [places for _, places in split_by_label_arrival(reference, plan)]
        samples = BaselineSamples(baseline.rows, [places[known[places]] for places in arrived], weighting.inputs)
        for places, sample in zip(arrived, samples, strict=True):
            window = reference.take(places[known[places]])
            unseen = calibration.without(window.probabilities, window.labels)
            truth = performance.scores(window.probabilities, window.labels)
            estimated = [
                *_expected(window.probabilities, unseen, threshold),
                *_weighted(weighting.without(places).estimate(sample, len(window))),
            ]
            for kind, expected in estimated:
                account = _gathered(
                    gathered.get(kind, Account()), LossSum.of(expected), fixed_point_sum(truth[kind[1]])
                )
                if account.rows >= rows:
                    difference = (account.realised - account.expected) / (account.rows * SCORE_ONE)
                    found.setdefault(kind, []).append((difference, account.variance / account.rows**2))
                    account = Account()
                gathered[kind] = account
        spreads = {
            kind: ConformalInterval.fit(*np.asarray(pairs, dtype=np.float64).T)
            for kind, pairs in found.items()
            if len(pairs) >= FEWEST_WINDOWS and (catalogue.has_probabilities or kind[1] == "error")
        }
        if not spreads:
            return None
        return cls(calibration=calibration, threshold=threshold, weighting=weighting, spreads=spreads, min_rows=rows)

    def records(
        self, previous: Sequence[EstimateRecord], answered: AnsweredSums, labelled: LabelledSums, scorer: RowScorer
    ) -> tuple[EstimateRecord, ...]:
        """One window's estimates, and what its labels say of them; `previous` is what the window before left."""
        accounts = {(one.method, one.metric): one.account for one in previous}
        effective, weighted = self.weighting.weighted_means(answered.usable, answered.tally.number("rows"))
        _, weighted_later = self.weighting.weighted_means(labelled.usable, labelled.whole.number("rows"))
        now_expected = self._sums(scorer, answered.tally, weighted)
        later = self._sums(scorer, labelled.whole, weighted_later)
        realised = dict(zip(METRICS, labelled.whole.numbers("realised") or (0,) * len(METRICS), strict=True))
        found = []
        for kind in (*_KINDS, *_WEIGHTED):
            if kind not in self.spreads:
                continue
            before = accounts.get(kind, Account())
            now = _gathered(before, later[kind], realised[kind[1]]) if kind in later else before
            record = self._record(kind, now_expected.get(kind), before, now)
            if kind in _WEIGHTED:
                record = replace(record, rows=answered.tally.number("rows"), effective=effective)
            found.append(record)
        if found and scorer.width <= MAX_CONFUSION_CLASSES:
            matrix = scorer.confusion(answered.tally)
            found[0] = replace(found[0], confusion=matrix)
        return tuple(found)

    def _sums(
        self, scorer: RowScorer, tally: Tally, weighted: Mapping[str, tuple[float, float]]
    ) -> dict[Kind, LossSum]:
        found = {kind: scorer.expected(tally, kind[1]) for kind in _KINDS[:2]}
        if self.threshold is not None:
            found[_KINDS[2]] = scorer.thresholded(tally)
        rows = tally.number("rows")
        return found | {kind: LossSum.alike(rows, *weighted[kind[1]]) for kind in _WEIGHTED if kind[1] in weighted}

    def _record(self, kind: Kind, expected: LossSum | None, before: Account, now: Account) -> EstimateRecord:
        spread, count = self.spreads[kind], 0 if expected is None else expected.rows
        value = low = high = estimated = half = realised = None
        if expected is not None and count >= self.min_rows:
            value = expected.losses / (count * SCORE_ONE)
            reach = spread.half(count, expected.variances / SCORE_ONE)
            low, high = max(value - reach, 0.0), min(value + reach, 1.0)
        checked = 0
        if now.rows >= self.min_rows:
            checked = now.rows
            estimated, realised = (total / (checked * SCORE_ONE) for total in (now.expected, now.realised))
            half = spread.half(checked, now.variance)
            cleared = replace(now, rows=0, expected=0, realised=0, variance=0.0)
            now = trust.checked(cleared, missed=abs(realised - estimated) > half)
        return EstimateRecord(
            method=kind[0],
            metric=kind[1],
            rows=count,
            value=value,
            low=low,
            high=high,
            checked=checked,
            expected=estimated,
            half=half,
            realised=realised,
            trusted=before.trusted,
            account=now,
        )


def losses_by_window(labelled: LabelledSums) -> tuple[SettledLosses, ...]:
    """The losses of the labels that arrived, by the window in which their predictions were answered."""
    found = []
    for start, tally in labelled.tallies.items():
        error, brier = tally.numbers("realised")
        found.append(SettledLosses(start=as_datetime(start), rows=tally.number("rows"), error=error, brier=brier))
    return tuple(found)


def _expected(
    answers: NDArray[np.float64], calibration: Calibration, threshold: float | None
) -> Iterator[tuple[Kind, ExpectedLoss]]:
    found = estimates.calibrated_confidence(answers, calibration.calibrated(answers))
    for kind in _KINDS[:2]:
        yield kind, found[kind[1]]
    if threshold is not None:
        yield _KINDS[2], estimates.thresholded_confidence(answers, threshold)


def _weighted(weighted: WeightedEstimate) -> Iterator[tuple[Kind, ExpectedLoss]]:
    for kind in _WEIGHTED:
        if kind[1] in weighted.losses:
            yield kind, weighted.losses[kind[1]]


def _gathered(account: Account, expected: LossSum, realised: int) -> Account:
    """The account with those labelled rows added; a window's sums are whole, so that no order of rows matters."""
    return replace(
        account,
        rows=account.rows + expected.rows,
        expected=account.expected + expected.losses,
        realised=account.realised + realised,
        variance=account.variance + expected.variances / SCORE_ONE,
    )
