"""A world: what the rows, answers and labels of its days are drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.truth.lender.law import DAY_US, HOUR_US
from monitoring.baseline.predictions import Predictions
from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.tasks.regression import Regression

Floats = NDArray[np.float64]
Texts = NDArray[np.str_]

#: The sites of every world, and their shares of the rows: the last one is a slice of a twentieth.
SITES = np.array(["a", "b", "c", "d", "e"])
SITE_SHARES = (0.35, 0.25, 0.2, 0.15, 0.05)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """How a day differs from calm traffic while the model is as right as before.

    Attributes:
        season: How far the numbers move, in their standard deviations.
        effect: The day's own shift of the truth, a standard normal number.
    """

    season: float = 0.0
    effect: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The rows of a day.

    Attributes:
        numbers: Numeric inputs, float64 [n, d].
        site: A category, [n].
        score: Log odds of the classes that the model answers, float64 [n, k]; of a regression the number, [n, 1].
        labels: Codes of the classes, int64 [n]; of a regression the numbers, float64 [n].
        unlike: Log odds of the truth, or its mean, if one input no longer mattered, as `score`; None where the truth of
            a row is not known.
    """

    numbers: Floats
    site: Texts
    score: Floats
    labels: NDArray[np.int64] | Floats
    unlike: Floats | None = None

    @property
    def probabilities(self) -> Floats:
        """What the model answers: probabilities [n, k], or the number."""
        return self.score if self.score.shape[1] == 1 else softmax(self.score)

    @property
    def answers(self) -> NDArray[np.int64]:
        """The predicted classes, int64 [n]."""
        return np.asarray(self.score.argmax(axis=1), dtype=np.int64)


class World(Protocol):
    """Where days come from."""

    @property
    def name(self) -> str:
        """What it is."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes; none for a regression."""

    @property
    def numbers(self) -> int:
        """How many numeric inputs there are."""

    @property
    def has_law(self) -> bool:
        """Whether the truth of a row is known, so that another law can take its place."""

    def day(self, rng: np.random.Generator, conditions: Conditions) -> Day:
        """A day under conditions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """The daily losses of a day, as control charts see them.

    Attributes:
        loss: Each loss: error rate and Brier score, or absolute and squared error.
        surprise: Each minus what the answers promise; empty for a regression.
    """

    loss: tuple[float, ...]
    surprise: tuple[float, ...] = field(default=())


def losses(day: Day) -> Losses:
    """The losses of a day."""
    if day.score.shape[1] == 1:
        off = np.abs(day.score[:, 0] - day.labels)
        return Losses(loss=(float(off.mean()), float((off**2).mean())))
    answers = softmax(day.score)
    truth = np.eye(answers.shape[1])[day.labels.astype(np.int64)]
    error, brier = day.answers != day.labels, ((answers - truth) ** 2).sum(axis=1) / 2.0
    promised = 1.0 - answers.max(axis=1), (1.0 - (answers**2).sum(axis=1)) / 2.0
    loss = float(error.mean()), float(brier.mean())
    return Losses(loss=loss, surprise=(loss[0] - float(promised[0].mean()), loss[1] - float(promised[1].mean())))


def softmax(odds: Floats) -> Floats:
    """Probabilities of log odds, [n, k]."""
    powers = np.exp(odds - odds.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float64)


def drawn(odds: Floats, rng: np.random.Generator) -> NDArray[np.int64]:
    """Labels by their log odds, int64 [n]."""
    return np.asarray((odds + rng.gumbel(size=odds.shape)).argmax(axis=1), dtype=np.int64)


def sites(rows: int, rng: np.random.Generator) -> Texts:
    """The sites of some rows."""
    return SITES[rng.choice(len(SITES), rows, p=SITE_SHARES)]


def spec_of(world: World) -> BaselineSpec:
    """What the deployment of a world reads."""
    features = (
        *(FeatureSpec(name=f"x{at}", kind="number") for at in range(world.numbers)),
        FeatureSpec(name="site", kind="category"),
    )
    regression = None if world.classes else Regression(bound=20.0)
    return BaselineSpec(classes=world.classes, features=features, other_task=regression)


def predictions(day: Day, number: int) -> Predictions:
    """A day as predictions, each labelled two hours later.

    Args:
        number: Its number, from 0.

    Returns:
        The rows in order of time.
    """
    rows = len(day.labels)
    times = number * DAY_US + np.arange(rows) * ((DAY_US - 3 * HOUR_US) // rows)
    columns: Mapping[str, object] = {
        **{f"x{at}": day.numbers[:, at] for at in range(day.numbers.shape[1])},
        "site": pa.array(day.site.tolist(), pa.string()),
    }
    labels = day.labels if day.labels.dtype == np.int64 else day.labels.astype(np.float64).view(np.int64)
    return Predictions(
        ids=pa.array([f"{number}-{row}" for row in range(rows)], pa.string()),
        event_times=times,
        features=pa.table(dict(columns)),
        probabilities=day.probabilities,
        labels=np.asarray(labels, dtype=np.int64),
        label_times=times + 2 * HOUR_US,
    )
