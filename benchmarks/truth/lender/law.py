"""The lender's law: what its rows, answers and labels are drawn from, in calm traffic and under a change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.baseline.predictions import Predictions

Floats = NDArray[np.float64]

ROWS_A_DAY = 400
DAY_US = 86_400_000_000
HOUR_US = DAY_US // 24
CLASSES = ("repaid", "default")
NUMBERS = ("income", "amount", "age", "debt")
CATEGORIES = {
    "region": (("north", "south", "east", "west", "isles"), (0.35, 0.25, 0.2, 0.15, 0.05)),
    "channel": (("web", "branch", "agent"), (0.6, 0.3, 0.1)),
}

#: The model in standard units of its numbers; with it, a third of the loans default, the error is .235, and the Brier
#: score .160.
INTERCEPT = -1.08
SLOPES = (-0.95, 0.75, -0.45, 0.85)
REGION_EFFECTS = (0.0, 0.2, -0.2, 0.3, -0.3)
CHANNEL_EFFECTS = (0.0, 0.15, 0.4)

#: The numbers' means and standard deviations in their own units.
CENTRES = (3200.0, 9000.0, 41.0, 1500.0)
SPREADS = (800.0, 3000.0, 11.0, 600.0)

#: Incomes differ by the day of the week, in standard deviations; each day's defaults are rarer or more frequent by a
#: normal shift of the log odds, of which the daily error varies by .013 besides its sampling error of .021.
WEEKLY = (0.1, 0.05, 0.0, 0.0, 0.05, -0.1, -0.1)
DAY_EFFECT = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """Rows of one day before they become predictions: standard units [n, 4], codes of the categories, and odds.

    Attributes:
        numbers: the four numbers in standard units, float64 [n, 4].
        region: code of the region, int64 [n].
        channel: code of the channel, int64 [n].
        truth: log odds of a default, float64 [n].
        score: log odds that the model answers, float64 [n].
        labels: whether the loan defaulted, int64 [n].
    """

    numbers: Floats
    region: NDArray[np.int64]
    channel: NDArray[np.int64]
    truth: Floats
    score: Floats
    labels: NDArray[np.int64]

    @property
    def answers(self) -> NDArray[np.int64]:
        """The predicted classes, int64 [n]."""
        return (self.score > 0.0).astype(np.int64)

    @property
    def errors(self) -> NDArray[np.bool_]:
        """Which answers are wrong, bool [n]."""
        return np.asarray(self.answers != self.labels, dtype=np.bool_)

    @property
    def brier(self) -> float:
        """The mean Brier score."""
        return float(np.mean((sigmoid(self.score) - self.labels) ** 2))


#: A change of a day: its rows, how much of the change is in force (0 to 1), and randomness.
Change = Callable[[Day, float, np.random.Generator], Day]

#: A change of the inputs before answers and labels are drawn: [n, 4] numbers, share in force, number of the day.
Shift = Callable[[Floats, int], Floats]


def sigmoid(odds: Floats) -> Floats:
    """The probability of log odds."""
    return np.asarray(1.0 / (1.0 + np.exp(-odds)), dtype=np.float64)


def linear(numbers: Floats, region: NDArray[np.int64], channel: NDArray[np.int64]) -> Floats:
    """The log odds of the model."""
    odds = INTERCEPT + numbers @ np.array(SLOPES)
    return np.asarray(odds + np.array(REGION_EFFECTS)[region] + np.array(CHANNEL_EFFECTS)[channel], dtype=np.float64)


def calm_day(
    number: int,
    rng: np.random.Generator,
    *,
    rows: int = ROWS_A_DAY,
    shift: Shift | None = None,
    day_effect: float | None = None,
) -> Day:
    """A day of calm traffic: answers are right about the odds, but for the day's own shift of the truth.

    Args:
        number: the day, from 0; it decides the day of the week.
        shift: moves the inputs; the truth moves with them, so that the model is as right as before.
        day_effect: the day's shift of the log odds; drawn where it is None.
    """
    numbers = rng.normal(size=(rows, len(NUMBERS)))
    numbers[:, 0] += WEEKLY[number % 7]
    if shift is not None:
        numbers = shift(numbers, number)
    region, channel = (rng.choice(len(names), rows, p=shares) for names, shares in CATEGORIES.values())
    score = linear(numbers, region, channel)
    effect = rng.normal(0.0, DAY_EFFECT) if day_effect is None else day_effect
    truth = score + effect
    labels = (rng.random(rows) < sigmoid(truth)).astype(np.int64)
    return Day(numbers=numbers, region=region, channel=channel, truth=truth, score=score, labels=labels)


def with_truth(day: Day, truth: Floats, rng: np.random.Generator) -> Day:
    """The same rows with other odds, and labels drawn by them."""
    return replace(day, truth=truth, labels=(rng.random(truth.size) < sigmoid(truth)).astype(np.int64))


def predictions(day: Day, number: int, extra: Floats | None = None) -> Predictions:
    """A day as predictions, each labelled two hours later.

    Args:
        number: its number, from 0.
        extra: further numbers, [n, k]: inputs that the model does not use.

    Returns:
        The rows in order of time.
    """
    rows = day.labels.size
    times = number * DAY_US + np.arange(rows) * ((DAY_US - 3 * HOUR_US) // rows)
    chance = sigmoid(day.score)
    columns: dict[str, object] = {
        name: CENTRES[at] + SPREADS[at] * day.numbers[:, at] for at, name in enumerate(NUMBERS)
    }
    for name, codes in (("region", day.region), ("channel", day.channel)):
        columns[name] = pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(CATEGORIES[name][0])).cast(pa.string())
    if extra is not None:
        columns |= {f"other{at}": extra[:, at] for at in range(extra.shape[1])}
    return Predictions(
        ids=pa.array([f"{number}-{row}" for row in range(rows)], pa.string()),
        event_times=times,
        features=pa.table(columns),
        probabilities=np.stack([1.0 - chance, chance], axis=1),
        labels=day.labels,
        label_times=times + 2 * HOUR_US,
    )
