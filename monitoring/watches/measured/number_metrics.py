"""MAE, RMSE, MAPE and R² of predicted numbers, from sums of powers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from monitoring.records import MeasuredMetric
from monitoring.tasks.regression import Regression
from monitoring.tasks.task import Floats, Whole

#: Standard errors of an interval of 95 %.
ERRORS = 1.96


def over_windows(windows: Iterable[Iterable[MeasuredMetric]]) -> tuple[MeasuredMetric, ...]:
    """The mean of each metric over windows, weighted by rows, with its 95 % interval: windows are independent.

    Returns:
        The means; both bounds are the mean where a metric is known in one window only.

    >>> one = [MeasuredMetric(metric="auc", rows=10, value=value, low=0.0, high=1.0) for value in (0.7, 0.9)]
    >>> round(over_windows([[one[0]], [one[1]]])[0].value, 3)
    0.8
    """
    by_name: dict[str, list[MeasuredMetric]] = {}
    for window in windows:
        for metric in window:
            by_name.setdefault(metric.metric, []).append(metric)
    return tuple(_mean(name, metrics) for name, metrics in by_name.items())


def _mean(name: str, metrics: list[MeasuredMetric]) -> MeasuredMetric:
    rows = sum(metric.rows for metric in metrics)
    mean = math.fsum(metric.value * metric.rows for metric in metrics) / rows
    squares = math.fsum((metric.rows * (metric.value - mean)) ** 2 for metric in metrics)
    count = len(metrics)
    half = ERRORS * math.sqrt(squares * count / (count - 1)) / rows if count > 1 else 0.0
    return MeasuredMetric(metric=name, rows=rows, value=mean, low=mean - half, high=mean + half)


#: An error counts as at most so many times the bound of the tested losses, a percentage as at most so many times 1, a
#: label as at most so many of the baseline's spreads from its middle.
LARGEST = 32.0

#: One unit in fixed point: 2^23 rows of the largest values add up without overflow, and far more of usual ones.
ONE = 1 << 40

#: The sums: of an error |e|, a percentage p and a label z, all over `LARGEST`.
SUMS = ("e", "e2", "e4", "p", "p2", "z", "z2", "z3", "z4", "e2z", "e2z2")


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberMetrics:
    """The metrics of a model that predicts a number, with intervals by the delta method: rows are independent.

    Attributes:
        spread: Their standard deviation, above 0.
    """

    task: Regression
    middle: float
    spread: float

    @classmethod
    def fit(cls, task: Regression, labels: Whole) -> NumberMetrics:
        """From the labels' codes of a baseline, [n], n > 0, none absent."""
        truth = task.read_labels(labels)
        return cls(task=task, middle=float(np.median(truth)), spread=float(truth.std()) or 1.0)

    def tally(self, answers: Floats, labels: Whole) -> dict[str, Whole]:
        """Whole numbers that can be added over batches of rows.

        Args:
            answers: Finite answers, [n, 1].
            labels: Their labels' codes, none absent, [n].
        """
        truth = self.task.read_labels(labels)
        sizes = np.abs(answers[:, 0] - truth)
        errors = np.minimum(sizes / self.task.bound, LARGEST) / LARGEST
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            shares = np.minimum(np.nan_to_num(sizes / np.abs(truth), nan=0.0, posinf=LARGEST), LARGEST) / LARGEST
        places = np.clip((truth - self.middle) / self.spread, -LARGEST, LARGEST) / LARGEST
        e2, z2 = errors**2, places**2
        powers = (errors, e2, e2**2, shares, shares**2, places, z2, z2 * places, z2**2, e2 * places, e2 * z2)
        sums = np.array([int(np.rint(values * ONE).astype(np.int64).sum()) for values in powers], dtype=np.int64)
        return {"measured rows": np.array(len(labels)), "powers": sums}

    def measured(self, counts: Mapping[str, Whole], rng: np.random.Generator | None = None) -> list[MeasuredMetric]:
        """The metrics of some rows."""
        rows = int(counts["measured rows"]) if "measured rows" in counts else 0
        if not rows:
            return []
        mean = dict(zip(SUMS, (counts["powers"] / ONE / rows).tolist(), strict=True))
        unit = LARGEST * self.task.bound
        estimates = [
            ("mean_absolute_error", mean["e"] * unit, _error(mean["e2"] - mean["e"] ** 2, rows) * unit),
            (
                "root_mean_squared_error",
                (root := math.sqrt(mean["e2"])) * unit,
                _error(mean["e4"] - mean["e2"] ** 2, rows) / (2.0 * root or 1.0) * unit,
            ),
        ]
        if self.task.percentage:
            estimates.append(
                (
                    "mean_absolute_percentage_error",
                    mean["p"] * LARGEST,
                    _error(mean["p2"] - mean["p"] ** 2, rows) * LARGEST,
                )
            )
        if (explained := self._r_squared(mean, rows)) is not None:
            estimates.append(("r_squared", *explained))
        return [
            MeasuredMetric(
                metric=name,
                rows=rows,
                value=value,
                low=value - (half := 0.0 if rng is None else ERRORS * error),
                high=value + half,
            )
            for name, value, error in estimates
        ]

    def _r_squared(self, mean: Mapping[str, float], rows: int) -> tuple[float, float] | None:
        """R² = 1 - A/B and its standard error, for the mean squared error A and the labels' variance B.

        A row's influence on it is A (d² - B)/B² - (e² - A)/B, with d the label less the mean of the labels.

        Returns:
            Both; None where the labels do not vary.
        """
        m = mean["z"]
        variance = mean["z2"] - m**2
        if variance <= 1e-12 or rows < 2:
            return None
        ratio = (self.task.bound / self.spread) ** 2
        squared = mean["e2"] * ratio
        d4 = mean["z4"] - 4.0 * m * mean["z3"] + 6.0 * m**2 * mean["z2"] - 3.0 * m**4
        both = ratio * (mean["e2z2"] - 2.0 * m * mean["e2z"] + m**2 * mean["e2"])
        spread = (
            squared**2 / variance**4 * (d4 - variance**2)
            + (ratio**2 * mean["e4"] - squared**2) / variance**2
            - 2.0 * squared / variance**3 * (both - squared * variance)
        )
        return 1.0 - squared / variance, _error(spread, rows)


def _error(variance: float, rows: int) -> float:
    """The standard error of a mean of rows of that variance."""
    return math.sqrt(max(variance, 0.0) / rows)
