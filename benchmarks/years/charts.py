"""Charts of the weekly error rate and Brier score, tuned on the same reference, and when the error rate really rose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.truth.lender.rivals import Chart, alarms, cusum, ewma, own_thresholds
from benchmarks.truth.lender.streams import Losses
from benchmarks.years.deployments import YearsDeployment

Floats = NDArray[np.float64]

#: A chart sees weeks with so many labels at least; fewer wait for the next week.
MIN_LABELS = 10

#: A part of the years is at least so many weeks long, and a change of level is real from this many times log(weeks) on.
SHORTEST, PENALTY = 26, 2.0

#: A part is harmed if its error rate is above the reference's by this share of it, and by so many standard errors.
HARM_SHARE, HARM_ERRORS = 0.1, 3.0

SEED = 7


def three_sigma(z: Floats, threshold: Floats) -> NDArray[np.bool_]:
    """Shewhart's chart: each week by itself."""
    return np.asarray(z >= threshold[:, None], dtype=np.bool_)


CHARTS: Mapping[str, Chart] = {"CUSUM": cusum, "EWMA": ewma, "three-sigma band": three_sigma}


@dataclass(frozen=True, slots=True, kw_only=True)
class Weeks:
    """Losses by the week in which labels arrived: number of the week from the first live one on, labels, means."""

    week: NDArray[np.int64]
    labels: NDArray[np.int64]
    errors: Floats
    brier: Floats

    def part(self, mask: NDArray[np.bool_]) -> Weeks:
        """Some of the weeks."""
        return Weeks(week=self.week[mask], labels=self.labels[mask], errors=self.errors[mask], brier=self.brier[mask])

    @property
    def losses(self) -> Losses:
        """As charts take them."""
        return Losses(errors=self.errors[None], brier=self.brier[None])


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A part of the live years at one level of the error rate: weeks from `first` up to `end`."""

    first: int
    end: int
    labels: int
    error: float
    is_harmed: bool


def weekly(deployment: YearsDeployment, rows: pd.DataFrame) -> tuple[Weeks, Weeks]:
    """The losses of the reference's weeks and of the live ones."""
    scores = [name for name in map(str, rows.columns) if name.startswith("p_")]
    values = rows[scores].to_numpy()
    truth = (rows["label"].to_numpy()[:, None] == np.array([name[2:] for name in scores])).astype(float)
    origin = pd.Timestamp(deployment.first_week, tz="UTC")
    is_live = rows["time"] >= pd.Timestamp(deployment.live, tz="UTC")
    table = pd.DataFrame(
        {
            "week": (rows["label_time"] - origin).dt.days // 7 + 1,
            "errors": 1.0 - truth[np.arange(len(rows)), values.argmax(axis=1)],
            "brier": ((values - truth) ** 2).sum(axis=1) / 2.0,
        }
    )
    reference, live = (_joined(table[part]) for part in (~is_live, is_live))
    return reference, live


def _joined(table: pd.DataFrame) -> Weeks:
    """Weeks with `MIN_LABELS` labels at least; those with fewer are joined to the next ones."""
    each = table.groupby("week").agg(labels=("errors", "size"), errors=("errors", "sum"), brier=("brier", "sum"))
    found: list[tuple[int, int, float, float]] = []
    labels, errors, brier = 0, 0.0, 0.0
    for week, row in each.iterrows():
        labels, errors, brier = labels + int(row["labels"]), errors + row["errors"], brier + row["brier"]
        if labels >= MIN_LABELS:
            found.append((int(str(week)), labels, errors / labels, brier / labels))
            labels, errors, brier = 0, 0.0, 0.0
    columns = [np.array(column) for column in zip(*found, strict=True)]
    return Weeks(week=columns[0], labels=columns[1], errors=columns[2], brier=columns[3])


def chart_alarms(reference: Weeks, live: Weeks, budget: float) -> dict[str, list[int]]:
    """The weeks of each chart's alarms, its threshold set for one in `budget` windows drawn from the reference."""
    found = {}
    for name, chart in CHARTS.items():
        threshold = own_thresholds(chart, reference.losses, 365.0 / budget, SEED)
        mask = alarms(chart, reference.losses, live.losses, threshold)[0]
        found[name] = [int(week) for week in live.week[mask]]
    return found


def periods(reference: Weeks, live: Weeks) -> tuple[Period, ...]:
    """Where the live error rate had which level, by the segmentation of least squares, with all years known."""
    mean = float(np.average(reference.errors, weights=reference.labels))
    spread = float(np.average((reference.errors - mean) ** 2 * reference.labels))
    bounds = _segments(live.errors, live.labels.astype(float), PENALTY * spread * np.log(len(live.errors)))
    found = []
    for begin, end in bounds:
        labels = int(live.labels[begin:end].sum())
        error = float(np.average(live.errors[begin:end], weights=live.labels[begin:end]))
        risen = error - mean
        is_harmed = risen > HARM_SHARE * mean and risen > HARM_ERRORS * np.sqrt(
            spread / labels + spread / reference.labels.sum()
        )
        last = live.week[end - 1]
        found.append(
            Period(
                first=int(live.week[begin]), end=int(last) + 1, labels=labels, error=error, is_harmed=bool(is_harmed)
            )
        )
    return tuple(found)


def _segments(values: Floats, weights: Floats, penalty: float) -> list[tuple[int, int]]:
    """The cut of a series into levels with the least weighted squares and a penalty for each, by dynamic programming.

    >>> _segments(np.repeat([0.0, 1.0], 40), np.ones(80), 4.0)
    [(0, 40), (40, 80)]
    """
    sums = [np.concatenate([[0.0], np.cumsum(weights * values**power)]) for power in (0, 1, 2)]
    count = len(values)
    best, before = np.full(count + 1, np.inf), np.zeros(count + 1, dtype=np.int64)
    best[0] = -penalty
    for end in range(SHORTEST, count + 1):
        begin = np.concatenate([[0], np.arange(SHORTEST, max(end - SHORTEST, SHORTEST - 1) + 1)])
        zero, one, two = (each[end] - each[begin] for each in sums)
        costs = best[begin] + two - one**2 / zero + penalty
        at = int(np.argmin(costs))
        best[end], before[end] = costs[at], begin[at]
    cuts = [count]
    while cuts[-1]:
        cuts.append(int(before[cuts[-1]]))
    cuts.reverse()
    return list(pairwise(cuts))
