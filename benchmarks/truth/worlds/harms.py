"""What may befall a world's model: harms of every kind, each a change of the days' rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.truth.worlds.world import SITES, Conditions, Day, World, drawn, losses

#: A change of a day: its rows, how much of the change is in force (0 to 1), the clean error, and randomness.
Change = Callable[[Day, float, float, np.random.Generator], Day]


@dataclass(frozen=True, slots=True, kw_only=True)
class Harm:
    """A harm.

    Attributes:
        change: What it does to a day.
        growing: Days until all of it is in force.
        lasting: Days for which it lasts.
        slices: Inputs whose values the deployment declares as slices.
        fact: Whether it is told by a fact, which needs no evidence.
    """

    change: Change
    growing: int = 1
    lasting: int = 10_000
    slices: tuple[str, ...] = ()
    fact: bool = False


def wrong(points: float) -> Change:
    """Labels exchanged at random for those of other classes, so that the error rises by so many points."""

    def change(day: Day, share: float, error: float, rng: np.random.Generator) -> Day:
        classes = day.score.shape[1]
        part = min(share * points / 100.0 / max(1.0 - error - error / (classes - 1), 0.1), 1.0)
        return _exchanged(day, rng.random(len(day.labels)) < part, rng)

    return change


def _exchanged(day: Day, rows: NDArray[np.bool_], rng: np.random.Generator) -> Day:
    """Some rows with labels of other classes."""
    classes, labels = day.score.shape[1], day.labels.astype(np.int64)
    others = (labels + rng.integers(1, classes, len(labels))) % classes
    return replace(day, labels=np.where(rows, others, labels))


def slice_worse(day: Day, share: float, _error: float, rng: np.random.Generator) -> Day:
    """Thirty points more errors at the site of a twentieth of the rows."""
    rows = (day.site == SITES[-1]) & (rng.random(len(day.labels)) < 0.45 * share)
    return _exchanged(day, rows, rng)


def recall_lost(day: Day, share: float, _error: float, rng: np.random.Generator) -> Day:
    """A quarter of the hits of the last class get the second best class, and as many wrong ones are right."""
    last = day.score.shape[1] - 1
    hits = np.flatnonzero((day.answers == last) & (day.labels == last))
    false = np.flatnonzero((day.answers == last) & (day.labels != last))
    count = min(round(0.25 * share * hits.size), false.size)
    rows = np.concatenate([rng.permutation(hits)[:count], rng.permutation(false)[:count]])
    score = day.score.copy()
    others = score[rows][:, :last].argmax(axis=1)
    score[rows, last], score[rows, others] = day.score[rows, others], day.score[rows, last]
    return replace(day, score=score)


def concept(day: Day, share: float, _error: float, rng: np.random.Generator) -> Day:
    """One input no longer matters to the truth, in a share of the rows."""
    assert day.unlike is not None
    moved = rng.random(len(day.labels)) < share
    if day.score.shape[1] == 1:
        mean = day.unlike[:, 0]
        noise = rng.standard_t(3, len(mean)) * 0.8
        return replace(day, labels=np.where(moved, mean + noise, day.labels))
    return replace(day, labels=np.where(moved, drawn(day.unlike, rng), day.labels))


def scaled(factor: float) -> Change:
    """Log odds multiplied: sharpened or flattened answers."""

    def change(day: Day, share: float, _error: float, _rng: np.random.Generator) -> Day:
        return replace(day, score=day.score * (1.0 + share * (factor - 1.0)))

    return change


def shifted(logits: float) -> Change:
    """The log odds of the last class shifted; of a regression the number."""

    def change(day: Day, share: float, _error: float, _rng: np.random.Generator) -> Day:
        score = day.score.copy()
        score[:, -1] += share * logits
        return replace(day, score=score)

    return change


def dead(day: Day, _share: float, _error: float, _rng: np.random.Generator) -> Day:
    """Every answer the same."""
    return replace(day, score=np.zeros_like(day.score))


def class_lost(day: Day, _share: float, _error: float, _rng: np.random.Generator) -> Day:
    """Labels of the last class are those of the first."""
    return replace(day, labels=np.where(day.labels == day.score.shape[1] - 1, 0, day.labels))


def stale(day: Day, share: float, _error: float, rng: np.random.Generator) -> Day:
    """Three in ten rows get another row's answer: a join that went wrong."""
    rows = np.flatnonzero(rng.random(len(day.labels)) < 0.3 * share)
    score = day.score.copy()
    score[rows] = day.score[rng.permutation(rows)]
    return replace(day, score=score)


def noisier(factor: float) -> Change:
    """Errors of a regression this many times as large."""

    def change(day: Day, share: float, _error: float, _rng: np.random.Generator) -> Day:
        off = day.labels - day.score[:, 0]
        return replace(day, labels=day.score[:, 0] + off * (1.0 + share * (factor - 1.0)))

    return change


CLASSIFICATION: Mapping[str, Harm] = {
    "error +1 point": Harm(change=wrong(1.0)),
    "error +2": Harm(change=wrong(2.0)),
    "error +5": Harm(change=wrong(5.0)),
    "error +10": Harm(change=wrong(10.0)),
    "error +18": Harm(change=wrong(18.0)),
    "error +5 over 60 days": Harm(change=wrong(5.0), growing=60),
    "error +25 on one day": Harm(change=wrong(25.0), lasting=1, fact=True),
    "slice of 5 % +30, undeclared": Harm(change=slice_worse),
    "slice of 5 % +30, declared": Harm(change=slice_worse, slices=("site",)),
    "recall of a class -25 %": Harm(change=recall_lost),
    "an input no longer matters": Harm(change=concept),
    "another row's answer for 30 %": Harm(change=stale),
    "log odds x 2": Harm(change=scaled(2.0)),
    "log odds x .5": Harm(change=scaled(0.5)),
    "log odds of a class +.5": Harm(change=shifted(0.5)),
    "log odds of a class -.5": Harm(change=shifted(-0.5)),
    "answers constant": Harm(change=dead, fact=True),
    "a class lost in the labels": Harm(change=class_lost, fact=True),
}

REGRESSION: Mapping[str, Harm] = {
    "errors x 1.1": Harm(change=noisier(1.1)),
    "errors x 1.25": Harm(change=noisier(1.25)),
    "errors x 1.5": Harm(change=noisier(1.5)),
    "errors x 1.5 over 60 days": Harm(change=noisier(1.5), growing=60),
    "errors x 4 on one day": Harm(change=noisier(4.0), lasting=1, fact=True),
    "answers +.3": Harm(change=shifted(0.3)),
    "answers x .5": Harm(change=scaled(0.5)),
    "an input no longer matters": Harm(change=concept),
    "another row's answer for 30 %": Harm(change=stale),
    "answers constant": Harm(change=dead, fact=True),
}


def harms_of(world: World) -> dict[str, Harm]:
    """The harms that may befall a world."""
    harms = CLASSIFICATION if world.classes else REGRESSION
    return {name: harm for name, harm in harms.items() if world.has_law or harm.change is not concept}


def noisy(day: Day, points: float, rng: np.random.Generator) -> Day:
    """A day whose labels are harder to predict: some rows get the label of another row, so that no share changes.

    Args:
        day: The day.
        points: By how many points the error rate rises in expectation, but by no more than so many twentieths of the
            Brier score; the errors of a regression grow by so many twentieths.
        rng: Which rows.
    """
    if day.score.shape[1] == 1:
        return noisier(1.0 + 0.05 * points)(day, 1.0, 0.0, rng)
    error, brier = losses(day).loss
    error_then, brier_then = losses(replace(day, labels=rng.permutation(day.labels))).loss
    parts = [points / 100.0 / max(error_then - error, 1e-9), 0.05 * points * brier / max(brier_then - brier, 1e-9)]
    rows = np.flatnonzero(rng.random(len(day.labels)) < min(*parts, 1.0))
    labels = day.labels.copy()
    labels[rows] = day.labels[rng.permutation(rows)]
    return replace(day, labels=labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """A year in which the model is as right as before, or wrong by less than matters.

    Attributes:
        reference: Days of the reference.
        season: Largest shift of the numbers, a sine of a year, in standard deviations.
        noise: The most by which labels are harder to predict, a cosine of a year, in points (see `noisy`).
        coefficient: AR(1) coefficient of the days' own effects.
        holidays: Whether twelve single days and a week differ in their inputs.
    """

    reference: int = 90
    season: float = 0.0
    noise: float = 0.0
    coefficient: float = 0.0
    holidays: bool = False

    def conditions(self, number: int, effect: float) -> Conditions:
        """The conditions of a day."""
        day = number % 365
        holiday = self.holidays and (day % 30 == 17 or 325 <= day < 332)
        return Conditions(
            season=self.season * float(np.sin(2.0 * np.pi * number / 365.0)) + (0.5 if holiday else 0.0), effect=effect
        )

    def points(self, number: int) -> float:
        """By how many points a day's labels are harder to predict."""
        return self.noise * 0.5 * (1.0 - float(np.cos(2.0 * np.pi * number / 365.0)))


#: Peaks of seasonal noise, in points.
PEAKS = (0.5, 1.0, 1.5, 2.0, 3.0)

YEARS: Mapping[str, Quiet] = {
    "clean": Quiet(),
    "clean, 30 days of reference": Quiet(reference=30),
    "clean, 14 days of reference": Quiet(reference=14),
    "days correlated by .7": Quiet(coefficient=0.7),
    "season of ±.15 SD": Quiet(season=0.15),
    "season of ±.3 SD": Quiet(season=0.3),
    "season of ±.5 SD": Quiet(season=0.5),
    **{f"noisier labels in summer, {peak:g} points": Quiet(noise=peak) for peak in PEAKS},
    "noisier labels in summer, 1.5 points; a year of reference": Quiet(noise=1.5, reference=365),
    "holidays": Quiet(holidays=True),
}
