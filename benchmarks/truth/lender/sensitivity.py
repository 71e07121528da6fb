"""Is the smallest noticeable harm right: the share of fresh streams in which a rise of the printed size is paged."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta

import numpy as np

from benchmarks.results import Cell, Result, Settings, Table
from benchmarks.truth.lender.changes import flipped
from benchmarks.truth.lender.deployment import EPOCH, LenderDeployment
from benchmarks.truth.lender.harms import deployed
from benchmarks.truth.lender.law import Day, Floats, calm_day, sigmoid
from benchmarks.truth.lender.streams import REFERENCE, SEED
from monitoring.evidence.sensitivity import HORIZONS, smallest_detectable_harms
from monitoring.evidence.simulation import VectorizedTests
from monitoring.judging.fit.harms import harms_of

#: Baselines, and fresh streams of each.
FULL, QUICK = (20, 40), (2, 10)


def measure(settings: Settings) -> Result:
    """The table of sensitivities. Cost: five minutes of one core, half a minute with small sizes."""
    baselines, streams = QUICK if settings.quick else FULL
    shares: dict[tuple[str, int], list[float]] = {}
    printed: dict[tuple[str, int], list[float]] = {}
    for stream in range(6000, 6000 + baselines):
        deployment = deployed(stream)
        rises = printed_rises(deployment)
        fresh = [_fresh_days(stream, at) for at in range(streams)]
        for (metric, horizon), rise in rises.items():
            planted = _lifted_scores(deployment, fresh, metric, rise, horizon)
            shares.setdefault((f"{metric} and its surprise lifted", horizon), []).append(
                _paged_share(deployment, planted)
            )
            printed.setdefault((f"{metric} and its surprise lifted", horizon), []).append(rise)
            if metric == "error":
                harmed = [_flipped_days(days[:horizon], rise, stream + at) for at, days in enumerate(fresh)]
                scores = [[window_scores(day) for day in days] for days in harmed]
                name = "labels flipped at that rise of the error"
                shares.setdefault((name, horizon), []).append(_paged_share(deployment, _shifted(deployment, scores)))
                printed.setdefault((name, horizon), []).append(rise)
        print(f"baseline {stream - 5999} of {baselines}", file=sys.stderr)
    rows: list[tuple[Cell, ...]] = [
        (
            name,
            horizon,
            float(np.median(printed[name, horizon])),
            float(np.mean(values)),
            float(np.std(values, ddof=1) / math.sqrt(len(values))),
        )
        for (name, horizon), values in shares.items()
    ]
    table = Table(
        title="The smallest noticeable harm on fresh streams",
        columns=("harm", "within", "rise printed, median", "share alarmed", "± SE"),
        rows=tuple(rows),
        note=f"{baselines} baselines of the lender, {streams} fresh streams of each; .90 is claimed.",
    )
    return Result(tables=(table,))


def printed_rises(deployment: LenderDeployment) -> dict[tuple[str, int], float]:
    """The rises that the product prints for losses on the whole traffic, by loss and horizon."""
    harms = smallest_detectable_harms(
        deployment.fit.tests["page"],
        deployment.fit.means,
        harms_of(deployment.fit),
        np.random.default_rng(0),
        log_scale=deployment.log_scale,
    )
    return {(harm.metric, harm.windows): harm.rise for harm in harms if not harm.slice and harm.rise is not None}


def window_scores(day: Day) -> dict[str, float]:
    """The scores of a day's losses, surprises and estimates."""
    chance = sigmoid(day.score)
    expected = {"error": np.minimum(chance, 1.0 - chance).mean(), "brier": (chance * (1.0 - chance)).mean()}
    losses = {"error": float(day.errors.mean()), "brier": day.brier}
    return {
        **losses,
        **{f"surprise_{name}": (losses[name] - float(expected[name]) + 1.0) / 2.0 for name in losses},
        **{f"estimated_{name}": float(expected[name]) for name in losses},
    }


def _fresh_days(stream: int, at: int) -> list[Day]:
    first = 10_000 * (at + 1)
    return [
        calm_day(number, np.random.default_rng([SEED, stream, first, number]))
        for number in range(REFERENCE, REFERENCE + max(HORIZONS))
    ]


def _flipped_days(days: Sequence[Day], rise: float, seed: int) -> list[Day]:
    rng = np.random.default_rng([SEED, seed])
    return [flipped(100.0 * rise)(day, 1.0, rng) for day in days]


def _lifted_scores(
    deployment: LenderDeployment, streams: Sequence[Sequence[Day]], metric: str, rise: float, horizon: int
) -> Floats:
    """Scores [streams, windows, watches] with one loss and its surprise lifted."""
    shifts = {metric: rise, f"surprise_{metric}": rise / 2.0}
    scores = [
        [{name: value + shifts.get(name, 0.0) for name, value in window_scores(day).items()} for day in days[:horizon]]
        for days in streams
    ]
    return _shifted(deployment, scores)


def _shifted(deployment: LenderDeployment, streams: Sequence[Sequence[Mapping[str, float]]]) -> Floats:
    """Scores of the page level's watches that page in order; those that never vary are at their baseline's mean."""
    tests = deployment.fit.tests["page"].paging()
    columns = []
    for key, test in tests.tests.items():
        if key.watch in streams[0][0]:
            seasonality = tests.seasonality.get(key)
            column = np.array([[window[key.watch] for window in windows] for windows in streams])
            if seasonality is not None:
                starts = [EPOCH + timedelta(days=REFERENCE + at) for at in range(column.shape[1])]
                column = column - np.array([seasonality.offset(deployment.plan.phases(start)) for start in starts])
        else:
            column = np.full((len(streams), len(streams[0])), test.mean)
        columns.append(column)
    return np.stack(columns, axis=2)


def _paged_share(deployment: LenderDeployment, scores: Floats) -> float:
    """The share of streams in which the page level alarms."""
    level = deployment.fit.tests["page"].paging()
    runs = VectorizedTests(list(level.tests.values()), len(scores), levels=[0] * len(level.tests))
    shares = np.array([level.shares[key] for key in level.tests]) * math.exp(deployment.log_scale)
    alarmed = np.zeros(len(scores), dtype=np.bool_)
    for window in range(scores.shape[1]):
        alarmed |= runs.step(scores[:, window]) @ shares >= level.budget.threshold
    return float(alarmed.mean())
