"""The limits beyond which one window is a fact, fitted to a baseline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.folder import Baseline
from monitoring.evidence.budget import Budget
from monitoring.evidence.sampling_variance import SamplingVariance
from monitoring.evidence.seasonality import Seasonality
from monitoring.judging.facts.answer_relations import fit_relations
from monitoring.judging.facts.class_order import ClassOrder
from monitoring.judging.facts.constant_values import VarietyLimit
from monitoring.judging.facts.fact_limits import FactLimits
from monitoring.judging.facts.gross_failures import gross_limits, share_limits
from monitoring.judging.facts.input_values import ValueLimits
from monitoring.judging.facts.label_facts import ClassRun, LabelLimits, ShareLimit, gap_scores
from monitoring.judging.facts.loss_outliers import LossLimit
from monitoring.judging.facts.usual_level import Places
from monitoring.judging.facts.volume_range import VolumeRange
from monitoring.judging.facts.window_limit import WindowLimit
from monitoring.judging.fit.baseline_sums import BaselineSums, pooled_sums
from monitoring.judging.window.windowing import split_by_label_arrival, split_by_window
from monitoring.records import WatchKey
from monitoring.traffic.windows import WindowPlan
from monitoring.watches.catalogue import Catalogue, labelled_rows
from monitoring.watches.label_shares import ANSWERED
from monitoring.watches.variety import Variety, tally_of


class FittedWatch(Protocol):
    """A watch over the R baseline windows: `scores` are without the seasonality, [R]."""

    @property
    def scores(self) -> NDArray[np.float64]:
        """Scores, [R]."""

    @property
    def seasonality(self) -> Seasonality:
        """What was taken from them."""

    @property
    def sampling_variance(self) -> SamplingVariance:
        """How much they vary with the number of rows."""

    @property
    def rows_needed(self) -> int:
        """The rows to which windows were pooled."""


def fit_fact_limits(
    fits: Mapping[WatchKey, FittedWatch],
    windows: BaselineSums,
    catalogue: Catalogue,
    *,
    baseline: Baseline,
    plan: WindowPlan,
    budget: Budget,
) -> FactLimits:
    """The limits of facts. Returns the limits. Cost: a pass over the baseline's answers and labels."""
    watches = catalogue.watches
    losses = {
        key: LossLimit(watch=watches[key.watch], limit=_limit(fit))
        for key, fit in fits.items()
        if watches[key.watch].family == "performance" and not key.slice
    }
    volumes = _volumes(baseline, plan)
    gross = gross_limits(
        {key: fit.scores for key, fit in fits.items()},
        {name: watch.feature or "" for name, watch in watches.items() if watch.family == "integrity"},
    )
    return FactLimits(
        threshold=budget.threshold,
        gross=gross,
        shares=share_limits(gross),
        losses=losses,
        answers=_answers(baseline, catalogue, plan),
        label_numbers=_label_numbers(baseline, catalogue, plan),
        labels=_labels(fits, windows, catalogue),
        values=ValueLimits.fit(catalogue.bins, windows.values, dated=baseline.spec.rows_per_window is None),
        ranges=sum(feature_bins.edges is not None for feature_bins in catalogue.bins),
        volumes=volumes,
        volume_range=VolumeRange.fit(volumes, budget.threshold),
        relations=fit_relations(baseline, catalogue.task, plan),
        order=ClassOrder.fit(baseline.rows.answers.take(labelled_rows(baseline.rows.answers)), catalogue.task),
        dated=baseline.spec.rows_per_window is None,
    )


def _limit(fitted: FittedWatch) -> WindowLimit:
    return WindowLimit.fit(fitted.scores, fitted.sampling_variance, fitted.seasonality)


def _answers(baseline: Baseline, catalogue: Catalogue, plan: WindowPlan) -> tuple[VarietyLimit | None, ...]:
    """The variety of the answers in the baseline's windows."""
    rows = baseline.rows.answers
    usable = np.asarray(np.isfinite(rows.probabilities).all(axis=1), dtype=np.bool_)
    scores = catalogue.task.outputs(rows.probabilities)
    inside = [positions[usable[positions]] for _, positions in split_by_window(rows.event_times, plan)]
    return tuple(
        VarietyLimit.fit(
            part,
            [
                Variety.of(
                    part, tally_of(part, rows.probabilities[at], {name: scores[name][at] for name in part.scores})
                )
                for at in inside
            ],
        )
        for part in catalogue.answer_parts
    )


def _label_numbers(baseline: Baseline, catalogue: Catalogue, plan: WindowPlan) -> tuple[VarietyLimit | None, ...]:
    """The variety of labelled numbers in the windows in which they arrived."""
    parts, rows = catalogue.labels.variety_parts, baseline.rows.answers
    if not parts:
        return ()
    usable = labelled_rows(rows)
    arrived = (positions[usable[positions]] for _, positions in split_by_label_arrival(rows, plan))
    tallies = [catalogue.labels.tallies(rows.probabilities[at], rows.labels[at])[1] for at in arrived if at.size]
    return tuple(
        VarietyLimit.fit(part, [Variety.of(part, tally[place]) for tally in tallies])
        for place, part in enumerate(parts)
    )


def _labels(fits: Mapping[WatchKey, FittedWatch], windows: BaselineSums, catalogue: Catalogue) -> LabelLimits:
    """How often each class is the label, and where labelled numbers lie."""
    keys = {name: WatchKey(watch=name) for name in catalogue.labels.names}
    sums = {
        name: [window_sums[key] for window_sums in windows.sums if key in window_sums and window_sums[key].rows]
        for name, key in keys.items()
    }
    runs = {name: ClassRun.fit(sums[name]) for name in catalogue.labels.class_names}
    shares = {
        name: _share_limit(fits[keys[name]], windows, name) for name in catalogue.labels.jumping if keys[name] in fits
    }
    return LabelLimits(runs={name: run for name, run in runs.items() if run is not None}, shares=shares)


def _share_limit(fitted: FittedWatch, windows: BaselineSums, name: str) -> ShareLimit:
    shares, answered = (
        pooled_sums(windows.sums, WatchKey(watch=f"{before}{name}"), fitted.rows_needed)[0] for before in ("", ANSWERED)
    )
    return ShareLimit.fit(_limit(fitted), fitted.scores, gap_scores(shares, answered))


def _volumes(baseline: Baseline, plan: WindowPlan) -> tuple[tuple[Places, int], ...]:
    """Place in each period, and rows, of the baseline's windows but the first and last; none without dates."""
    if plan.rows is not None or baseline.spec.rows_per_window is not None:
        return ()
    whole = list(split_by_window(baseline.rows.answers.event_times, plan))[1:-1]
    ordinary = (item for item in whole if plan.events.at(item[0].start, item[0].end) is None)
    return tuple((plan.phases(window.start), positions.size) for window, positions in ordinary)
