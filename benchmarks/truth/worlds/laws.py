"""The worlds: four laws whose truth is known, and two real tables of which days are drawn with replacement."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol, cast

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from benchmarks.truth.worlds.world import SITES, Conditions, Day, Floats, World, drawn, sites
from pitfalls_tf.rows.table import Table
from pitfalls_tf.sources import flights, rodents

#: How much the truth of a day differs by itself, in log odds or in standard deviations of the noise.
DAY_EFFECT = 0.25


class _Scorer(Protocol):
    def decision_function(self, rows: Floats) -> Floats: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Lender:
    """Loans: a logistic model that is right about the odds; a third default. 400 rows a day."""

    name: str = "lender, two classes, calibrated"
    classes: tuple[str, ...] = ("repaid", "default")
    numbers: int = 4
    has_law: bool = True
    rows: int = 400

    def day(self, rng: np.random.Generator, conditions: Conditions) -> Day:
        """A day under conditions."""
        inputs = rng.normal(size=(self.rows, self.numbers)) + conditions.season
        odds = -1.08 + inputs @ np.array([-0.95, 0.75, -0.45, 0.85])
        truth = odds + DAY_EFFECT * conditions.effect
        return Day(
            numbers=inputs,
            site=sites(self.rows, rng),
            score=_two(odds),
            labels=drawn(_two(truth), rng),
            unlike=_two(truth - 0.75 * inputs[:, 1]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Overconfident:
    """Five classes: a network whose log odds are twice as large as they should be. 300 rows a day."""

    name: str = "network of five classes, overconfident"
    classes: tuple[str, ...] = ("ant", "bee", "cricket", "dragonfly", "earwig")
    numbers: int = 6
    has_law: bool = True
    rows: int = 300

    def day(self, rng: np.random.Generator, conditions: Conditions) -> Day:
        """A day under conditions."""
        weights = 0.9 * np.random.default_rng(5).normal(size=(self.numbers, len(self.classes)))
        inputs = rng.normal(size=(self.rows, self.numbers)) + conditions.season
        odds = inputs @ weights
        answered = 2.0 * (odds + 0.3 * rng.normal(size=odds.shape))
        tilt = DAY_EFFECT * conditions.effect * np.array([1.0, -1.0, 0.5, -0.5, 0.0])
        truth = odds + tilt
        without = odds - np.outer(inputs[:, 0], weights[0])
        labels = drawn(truth, rng)
        return Day(numbers=inputs, site=sites(self.rows, rng), score=answered, labels=labels, unlike=without)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rare:
    """Three percent positives: boosting, fitted to 30,000 rows of a law with an interaction. 1,000 rows a day."""

    name: str = "3 % positives, gradient boosting"
    classes: tuple[str, ...] = ("good", "fraud")
    numbers: int = 5
    has_law: bool = True
    rows: int = 1000

    def day(self, rng: np.random.Generator, conditions: Conditions) -> Day:
        """A day under conditions."""
        inputs = rng.normal(size=(self.rows, self.numbers)) + 0.5 * conditions.season
        truth = _rare_odds(inputs) + DAY_EFFECT * conditions.effect
        score = _two(_boosted().decision_function(inputs))
        without = _rare_odds(inputs * np.array([0.0, 1.0, 1.0, 1.0, 1.0]))
        labels = drawn(_two(truth), rng)
        return Day(numbers=inputs, site=sites(self.rows, rng), score=score, labels=labels, unlike=_two(without))


@dataclass(frozen=True, slots=True, kw_only=True)
class HeavyTails:
    """A number with noise of Student's t with three degrees of freedom. 300 rows a day."""

    name: str = "regression with heavy tails"
    classes: tuple[str, ...] = ()
    numbers: int = 4
    has_law: bool = True
    rows: int = 300

    def day(self, rng: np.random.Generator, conditions: Conditions) -> Day:
        """A day under conditions."""
        inputs = rng.normal(size=(self.rows, self.numbers)) + conditions.season
        mean = inputs @ np.array([1.0, -0.6, 0.4, 0.2]) + 0.5 * np.sin(2.0 * inputs[:, 0])
        noise = rng.standard_t(3, self.rows) * 0.8 * (1.0 + 0.05 * conditions.effect)
        answered = mean + 0.2 * np.cos(3.0 * inputs[:, 1])
        without = (mean - inputs[:, 0])[:, None]
        return Day(
            numbers=inputs, site=sites(self.rows, rng), score=answered[:, None], labels=mean + noise, unlike=without
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RealTable:
    """A real table: boosting fitted to its first half, days drawn with replacement from the rest.

    Attributes:
        place: Ranks of the rows by their first and by their second number, as standard normal quantiles, [n, 2].
    """

    name: str
    classes: tuple[str, ...]
    numbers: int
    rows: int
    pool: Day = field(repr=False)
    place: Floats = field(repr=False)
    has_law: bool = False

    def day(self, rng: np.random.Generator, conditions: Conditions) -> Day:
        """A day: its rows are drawn by weights that move two numbers, and the odds of a wrong answer by its effect."""
        wrong = self.pool.answers != self.pool.labels
        weights = np.exp(conditions.season * self.place.sum(axis=1) + DAY_EFFECT * conditions.effect * wrong)
        rows = rng.choice(len(wrong), self.rows, p=weights / weights.sum())
        return Day(
            numbers=self.pool.numbers[rows],
            site=sites(self.rows, rng),
            score=self.pool.score[rows],
            labels=self.pool.labels[rows],
        )


@lru_cache(maxsize=1)
def worlds() -> tuple[World, ...]:
    """Every world. Cost: some seconds, which fit the boosted trees."""
    return (
        Lender(),
        Overconfident(),
        Rare(),
        HeavyTails(),
        real_table("real table: flights, late or not", flights.load(), rows=400),
        real_table("real table: rodents, ten species", rodents.load(), rows=200),
    )


def real_table(name: str, table: Table, *, rows: int) -> RealTable:
    """The world of a real table whose labels are classes.

    Args:
        table: Its rows; at most 40,000 labelled ones are used, a random half of them to fit.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - only this benchmark needs it

    numbers = [feature.name for feature in table.features if feature.kind == "number"]
    codes = np.array(
        [table.classes.index(label) if label is not None else -1 for label in table.rows["label"].to_pylist()]
    )
    order = np.random.default_rng(1).permutation(np.flatnonzero(codes >= 0))[:40_000]
    inputs = np.stack([table.rows[number].to_numpy().astype(np.float64) for number in numbers], axis=1)
    half = len(order) // 2
    model = HistGradientBoostingClassifier(max_iter=100, random_state=0).fit(inputs[order[:half]], codes[order[:half]])
    rest = order[half:]
    score = np.log(np.clip(model.predict_proba(inputs[rest]), 1e-7, 1.0))
    pool = Day(numbers=inputs[rest], site=np.full(len(rest), SITES[0]), score=score, labels=codes[rest])
    spread = inputs[rest].std(axis=0)
    place = scipy.stats.norm.ppf(scipy.stats.rankdata(inputs[rest][:, spread > 0.0][:, :2], axis=0) / (len(rest) + 1))
    return RealTable(name=name, classes=table.classes, numbers=len(numbers), rows=rows, pool=pool, place=place)


def _two(odds: Floats) -> Floats:
    return np.stack([np.zeros_like(odds), odds], axis=1)


def _rare_odds(inputs: Floats) -> Floats:
    return np.asarray(
        -4.9 + 1.1 * inputs[:, 0] - 0.8 * inputs[:, 1] + 0.7 * inputs[:, 2] * (inputs[:, 3] > 0.0), dtype=np.float64
    )


@lru_cache(maxsize=1)
def _boosted() -> _Scorer:
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - as above

    rng = np.random.default_rng(3)
    inputs = rng.normal(size=(30_000, 5))
    labels: NDArray[np.int64] = drawn(_two(_rare_odds(inputs)), rng)
    model = HistGradientBoostingClassifier(max_iter=80, learning_rate=0.08, max_leaf_nodes=15, random_state=0)
    return cast("_Scorer", model.fit(inputs, labels))
