"""The baseline cut like the traffic: what each watch is held against, and each level's test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.folder import Baseline
from monitoring.baseline.predictions import NO_LABEL, Predictions
from monitoring.baseline.profile_builder import ProfileBuilder
from monitoring.errors import BadInput
from monitoring.evidence.autocorrelation import level_ar1
from monitoring.evidence.budget import Budget, weights
from monitoring.evidence.conformal import MIN_WINDOWS, ConformalTest
from monitoring.evidence.level import LevelTest
from monitoring.evidence.sampling_variance import SamplingVariance
from monitoring.evidence.seasonality import NO_SEASONALITY, Seasonality, fit_seasonality
from monitoring.evidence.sensitivity import Harm
from monitoring.judging.baseline_windows import BaselineSamples, window_profiles
from monitoring.judging.estimator import PerformanceEstimator
from monitoring.judging.windowing import pooled_sums, split_by_label_arrival, split_by_window
from monitoring.records import BaselineScore, Level, ScoreSum, Watch, WatchKey
from monitoring.timestamps import duration_microseconds
from monitoring.traffic.windows import RowPlan, WindowPlan
from monitoring.watches import joint, labelled
from monitoring.watches.catalogue import Catalogue
from monitoring.watches.joint import Witness, inputs_of
from monitoring.watches.labelled import CoverageGroups

#: What a deviation is at least, as a part of the tolerance, of scores that hardly move in a good baseline: integrity,
#: and which rows get their label.
INTEGRITY_DEVIATION = 0.5

LEVELS: tuple[Level, ...] = ("page", "notice")

#: The losses whose smallest noticed rise is reported, and on how many slices at most.
METRICS = ("error", "brier")
MOST_HARMED = 8

#: Share of the baseline's windows that a slice must have a score in, for how soon a harm on it is noticed to be known.
SCORED = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerances:
    """What the user calls harmless, in each metric's own unit."""

    error: float
    brier: float
    integrity: float

    def score(self, watch: Watch) -> float:
        """The harmless rise of a watch, in score units."""
        if watch.family == "integrity":
            return self.integrity
        if watch.family == "labelled":
            return labelled.TOLERANCE / watch.scale
        metric = watch.name.removeprefix("surprise_").removeprefix("estimated_")
        loss = {"error": self.error, "brier": self.brier}.get(metric, 0.0)
        return loss / watch.scale

    def deviation(self, watch: Watch) -> float:
        """The smallest deviation that a watch is held to have, in score units."""
        return INTEGRITY_DEVIATION * self.score(watch) if watch.family in ("integrity", "labelled") else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceFit:
    """Each level's test, with the baseline's window means behind it, by watch and slice.

    `losses` are the sums of the losses over all its labelled rows, `witness` is the joint watch's; labels are
    waited for as long as `horizon`, by when a share `labelled` of the baseline's rows had one. The watches of estimates
    have a place in both levels, and are judged in one at a time.
    """

    tests: Mapping[Level, LevelTest]
    means: Mapping[WatchKey, NDArray[np.float64]]
    watches: Mapping[str, Watch]
    estimator: PerformanceEstimator | None = None
    losses: Mapping[WatchKey, ScoreSum] = field(default_factory=dict)
    witness: Witness | None = None
    horizon: timedelta = timedelta(days=7)
    labelled: float = 1.0

    def baseline_scores(self) -> tuple[BaselineScore, ...]:
        """Every watch as the baseline knew it, in its own unit."""
        return tuple(
            BaselineScore(
                level=level,
                watch=key.watch,
                slice=key.slice,
                mean=self.watches[key.watch].value(test.mean),
                deviation=test.std * self.watches[key.watch].scale,
                tolerance=test.tolerance * self.watches[key.watch].scale,
                windows=test.windows,
                cycle=self.tests[level].seasonality.get(key, NO_SEASONALITY).period,
                gain=self.tests[level].seasonality.get(key, NO_SEASONALITY).gain,
            )
            for level in LEVELS
            for key, test in self.tests[level].tests.items()
            if self.watches[key.watch].level == level
        )

    def harms(self) -> tuple[Harm, ...]:
        """The harms whose smallest noticed size is reported: each loss everywhere, then on each of the largest slices.

        A loss that rises while the traffic stays as hard as it was is all surprise, so both watches move together; on
        one slice alone it moves the whole by the slice's share of the labelled rows. A slice is left out where many
        of its windows had to be joined to be large enough: how soon it is judged depends on the traffic to come.
        """
        tests = self.tests["page"].tests
        found = []
        for part in ("", *self._largest_slices()):
            for metric in METRICS:
                mine = self._moved(metric, part)
                own = WatchKey(watch=metric, slice=part)
                if own not in mine:
                    continue
                share = self.losses[own].rows / max(self.losses[WatchKey(watch=metric)].rows, 1) if part else 1.0
                whole = {key: move * share for key, move in self._moved(metric, "").items()} if part else {}
                largest = 1.0 - tests[own].mean
                found.append(Harm(metric=metric, slice=part, score_shifts={**whole, **mine}, largest=largest))
        return tuple(found)

    def _moved(self, metric: str, part: str) -> dict[WatchKey, float]:
        """How far a rise of 1 in a metric on one part moves that part's watches, in score units."""
        keys = (WatchKey(watch=watch, slice=part) for watch in (metric, f"surprise_{metric}"))
        return {key: 1.0 / self.watches[key.watch].scale for key in keys if key in self.tests["page"].tests}

    def _largest_slices(self) -> tuple[str, ...]:
        """The slices with most labelled rows in the baseline, of those with a score in most windows."""
        rows = {
            key.slice: self.losses[key].rows
            for key in self.means
            if key.slice and key in self.losses and self.means[key].size >= SCORED * self._windows(key.watch)
        }
        return tuple(sorted(rows, key=lambda part: (-rows[part], part))[:MOST_HARMED])

    def _windows(self, watch: str) -> int:
        whole = self.means.get(WatchKey(watch=watch))
        return 0 if whole is None else int(whole.size)


def fit_reference(
    baseline: Baseline,
    catalogue: Catalogue,
    *,
    plan: WindowPlan | RowPlan,
    budgets: Mapping[Level, Budget],
    tolerances: Tolerances,
    horizon: timedelta,
) -> ReferenceFit:
    """Cut the baseline's rows as the traffic is cut, losses by the arrival of labels, and fit every watch's test.

    A cycle of the day or the week is taken out of a watch that has one. Labels later than `horizon` after their window
    did not come. A watch or slice with fewer than five baseline windows is left out: nothing to hold it against.
    Raises BadInput where none is left. Cost: a pass over the reference's file, some over samples; memory as of
    `ReferenceFile`.
    """
    witness, reference = _witness(baseline, catalogue, plan), _sliced(baseline, catalogue)
    windows = _window_sums(baseline, catalogue, plan, reference=reference, witness=witness, horizon=horizon)
    rows = max(int(np.median([part.rows for part in _whole(windows.sums)])) if windows.sums else 1, 1)
    watches = catalogue.watches
    smallest = {name: max(tolerances.deviation(watch), 0.5 / rows) for name, watch in watches.items()}
    found = _known(windows, catalogue.keys, plan, smallest)
    if not found:
        raise _too_short(len(windows.starts), len(reference), plan.min_rows)
    means = {key: one.scores for key, one in found.items()}
    tests: dict[Level, dict[WatchKey, ConformalTest]] = {}
    for level in LEVELS:
        known = {key: scores for key, scores in means.items() if stands_in(watches[key.watch], level)}
        remembered = level_ar1(known)
        tests[level] = {
            key: ConformalTest.fit(
                scores,
                tolerance=tolerances.score(watches[key.watch]),
                direction=watches[key.watch].direction,
                ar1=remembered[key],
                min_std=smallest[key.watch],
                sampling_variance=found[key].chance,
            )
            for key, scores in known.items()
        }
    return ReferenceFit(
        tests={
            level: LevelTest(
                level=level,
                budget=budgets[level],
                tests=tests[level],
                shares=weights(tests[level], catalogue.groups),
                min_rows=plan.min_rows,
                seasonality={key: found[key].cycle for key in tests[level] if found[key].cycle.offsets},
            )
            for level in LEVELS
        },
        means=means,
        watches=watches,
        estimator=PerformanceEstimator.fit(baseline, catalogue, plan),
        losses=catalogue.label_sums(reference),
        witness=witness,
        horizon=horizon,
        labelled=_labelled_share(reference, horizon),
    )


def _too_short(windows: int, rows: int, min_rows: int) -> BadInput:
    return BadInput(
        "The baseline is too short to be held against: no watch has windows enough.",
        got=f"{rows:,} rows in {windows} windows, small ones joined to {min_rows} rows",
        expected=f"at least {MIN_WINDOWS}, better 20 or more",
        fix="Give a longer reference with event times, or cut shorter windows: `every`, or `rows`, and `min_rows`.",
    )


def stands_in(watch: Watch, level: Level) -> bool:
    """Whether a watch has a share of that level: its own, and for an estimate, which may fall, both."""
    return watch.level == level or watch.family == "estimates"


def _witness(baseline: Baseline, catalogue: Catalogue, plan: WindowPlan | RowPlan) -> Witness | None:
    if catalogue.space is None:
        return None
    windows = [places for _, places in split_by_window(baseline.rows.answers.event_times, plan)]
    sizes = [places.size for places in windows]
    return Witness.fit(
        catalogue.space, BaselineSamples(baseline.rows, windows, inputs_of(catalogue.space.coordinates)), sizes
    )


def _sliced(baseline: Baseline, catalogue: Catalogue) -> Predictions:
    """Every row, with no inputs but those that it is sliced by."""
    return replace(baseline.rows.answers, features=baseline.rows.inputs(tuple(catalogue.slices)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Windows:
    """The baseline's windows in time order: their starts, each watch's sums, and the sums of the squared scores."""

    starts: Sequence[datetime]
    sums: Sequence[Mapping[WatchKey, ScoreSum]]
    squares: Sequence[Mapping[WatchKey, ScoreSum]]

    def chance(self, key: WatchKey, joined: Sequence[ScoreSum], min_rows: int) -> SamplingVariance:
        """How much one watch's mean varies with its rows, from its windows as they were `joined`."""
        rows = np.array([one.rows for one in joined])
        if key.watch == joint.WATCH.name:
            return SamplingVariance.from_row_variance(joint.RANK_VARIANCE, np.minimum(rows, joint.SAMPLE))
        squares, _ = pooled_sums(self.squares, key, min_rows)
        return SamplingVariance.fit(_means(joined), _means(squares), rows)


def _window_sums(
    baseline: Baseline,
    catalogue: Catalogue,
    plan: WindowPlan | RowPlan,
    *,
    reference: Predictions,
    witness: Witness | None,
    horizon: timedelta,
) -> _Windows:
    """Every window's sums: what needs no label by event time, what does by the labels' arrival.

    `reference` has every row with the inputs that it is sliced by.
    """
    windows = list(split_by_window(reference.event_times, plan))
    counter = ProfileBuilder(baseline.bins, described=False)
    by_start: dict[datetime, dict[WatchKey, ScoreSum]] = {}
    squared: dict[datetime, dict[WatchKey, ScoreSum]] = {}
    for number, counts in window_profiles(baseline.rows, counter, [places for _, places in windows]):
        window, places = windows[number]
        rows = reference.take(places)
        found, squares = by_start.setdefault(window.start, {}), squared.setdefault(window.start, {})
        found.update(catalogue.prediction_sums(rows, counts))
        squares.update(catalogue.prediction_sums(rows, counts, power=2))
        if catalogue.parts is not None and len(rows):
            known = _known_of(catalogue.parts, rows, horizon)
            found.update(catalogue.parts.sums(*known))
            squares.update(catalogue.parts.squares(*known))
        if witness is not None:
            found[WatchKey(watch=joint.WATCH.name)] = witness.baseline[number]
    for window, places in split_by_label_arrival(reference, plan):
        arrived = reference.take(places)
        by_start.setdefault(window.start, {}).update(catalogue.label_sums(arrived))
        squared.setdefault(window.start, {}).update(catalogue.label_sums(arrived, power=2))
    starts = sorted(by_start)
    return _Windows(
        starts=starts, sums=[by_start[start] for start in starts], squares=[squared[start] for start in starts]
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Known:
    """One watch over the baseline's windows: its scores [R], without its cycle, the cycle, and its chance."""

    scores: NDArray[np.float64]
    cycle: Seasonality
    chance: SamplingVariance


def _known(
    windows: _Windows, keys: Sequence[WatchKey], plan: WindowPlan | RowPlan, smallest: Mapping[str, float]
) -> dict[WatchKey, _Known]:
    """Every watch that has windows enough; `smallest` is the least deviation of a watch, by its name."""
    places = [plan.phases(start) for start in windows.starts]
    found = {}
    for key in keys:
        joined, completed = pooled_sums(windows.sums, key, plan.min_rows)
        if len(joined) >= MIN_WINDOWS:
            phases = _phases(places, completed)
            cycle, scores = fit_seasonality(_means(joined), phases, min_std=smallest[key.watch])
            found[key] = _Known(scores=scores, cycle=cycle, chance=windows.chance(key, joined, plan.min_rows))
    return found


def _means(sums: Sequence[ScoreSum]) -> NDArray[np.float64]:
    return np.array([one.mean for one in sums], dtype=np.float64)


def _phases(places: Sequence[Mapping[str, int]], completed: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    """For each cycle, the places of the windows that completed a score."""
    return {name: np.array([places[at][name] for at in completed], dtype=np.int64) for name in (places or [{}])[0]}


def _known_of(parts: CoverageGroups, rows: Predictions, horizon: timedelta) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Counts of one window's rows, at least one, and of those that got their label while it was waited for."""
    last = int(rows.event_times.max()) + duration_microseconds(horizon)
    came = rows.take((rows.labels != NO_LABEL) & (rows.label_times <= last))
    return parts.counted(rows), parts.counted(came)


def _labelled_share(rows: Predictions, horizon: timedelta) -> float:
    """Of some rows, how many got a label within the horizon."""
    waited = rows.label_times - rows.event_times <= duration_microseconds(horizon)
    return float(np.mean((rows.labels != NO_LABEL) & waited)) if len(rows) else 0.0


def _whole(parts: Sequence[Mapping[WatchKey, ScoreSum]]) -> list[ScoreSum]:
    """The largest sum of each window that has any: its row count."""
    return [max(part.values(), key=lambda total: total.rows) for part in parts if part]
