"""What can happen to the lender: harms of the model or of its labels, faults of inputs, and calendars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.truth.lender.law import CATEGORIES, SLOPES, Change, Day, Floats, Shift, with_truth

#: The error of calm traffic: flipping a share f of labels raises the error by f (1 - 2 · .235).
ERROR = 0.235
ISLES = CATEGORIES["region"][0].index("isles")


def flipped(points: float) -> Change:
    """Labels flipped at random, so that the error rises by so many points."""

    def change(day: Day, share: float, rng: np.random.Generator) -> Day:
        flips = rng.random(day.labels.size) < share * points / 100.0 / (1.0 - 2.0 * ERROR)
        return replace(day, labels=np.where(flips, 1 - day.labels, day.labels))

    return change


def isles_flipped(day: Day, share: float, rng: np.random.Generator) -> Day:
    """Thirty points more errors in the region of a twentieth of the rows: more than half of its labels flipped."""
    flips = (day.region == ISLES) & (rng.random(day.labels.size) < share * 0.3 / (1.0 - 2.0 * ERROR))
    return replace(day, labels=np.where(flips, 1 - day.labels, day.labels))


def recall_lost(day: Day, share: float, rng: np.random.Generator) -> Day:
    """A quarter of the true positives are no longer found, and as many false positives are gone: the same accuracy."""
    true_positives = np.flatnonzero((day.answers == 1) & (day.labels == 1))
    false = np.flatnonzero((day.answers == 1) & (day.labels == 0))
    count = min(round(0.25 * share * true_positives.size), false.size)
    lost = np.concatenate([rng.permutation(true_positives)[:count], rng.permutation(false)[:count]])
    score = day.score.copy()
    score[lost] = -score[lost]
    return replace(day, score=score)


def label_shift(day: Day, share: float, rng: np.random.Generator) -> Day:
    """Defaults are 44 % of the rows instead of a third; rows of each class are as before."""
    target = 0.335 + share * 0.105
    positive, negative = np.flatnonzero(day.labels == 1), np.flatnonzero(day.labels == 0)
    wanted = rng.random(day.labels.size) < target
    rows = np.where(wanted, rng.choice(positive, day.labels.size), rng.choice(negative, day.labels.size))
    return _rows(day, rows)


def _rows(day: Day, rows: NDArray[np.int64]) -> Day:
    return Day(
        numbers=day.numbers[rows],
        region=day.region[rows],
        channel=day.channel[rows],
        truth=day.truth[rows],
        score=day.score[rows],
        labels=day.labels[rows],
    )


def label_noise(day: Day, share: float, rng: np.random.Generator) -> Day:
    """Five percent of the labels are flipped."""
    flips = rng.random(day.labels.size) < 0.05 * share
    return replace(day, labels=np.where(flips, 1 - day.labels, day.labels))


def scores_raised(day: Day, share: float, _rng: np.random.Generator) -> Day:
    """All answers half a logit too high."""
    return replace(day, score=day.score + 0.5 * share)


def worse_model(day: Day, share: float, rng: np.random.Generator) -> Day:
    """A model that knows less: noise in its log odds costs a point of error."""
    return replace(day, score=day.score + share * rng.normal(0.0, 0.45, day.score.size))


def concept_drift(day: Day, share: float, rng: np.random.Generator) -> Day:
    """The amount no longer matters to the truth: four points of error."""
    return with_truth(day, day.truth - share * SLOPES[1] * day.numbers[:, 1], rng)


def easier(day: Day, share: float, rng: np.random.Generator) -> Day:
    """Outcomes that are surer than the model says: fewer errors than promised."""
    return with_truth(day, day.truth + share * 0.25 * np.sign(day.score), rng)


#: No harm: the model is better than promised, and should page nobody.
EASIER = "none: outcomes less random (-3.6)"

#: The harms by name, the windows over which each grows, and whether regions are declared as slices.
HARMS: Mapping[str, tuple[Change, int, bool]] = {
    "error +1 point": (flipped(1.0), 1, False),
    "error +2": (flipped(2.0), 1, False),
    "error +5 (2 SD)": (flipped(5.0), 1, False),
    "error +10 (4 SD)": (flipped(10.0), 1, False),
    "error +5 over 60 days": (flipped(5.0), 60, False),
    "+30 in a 5 % slice, declared": (isles_flipped, 1, True),
    "+30 in a 5 % slice, undeclared": (isles_flipped, 1, False),
    "recall -25 %, same accuracy": (recall_lost, 1, False),
    "label shift 33 to 44 %": (label_shift, 1, False),
    "label noise 5 %": (label_noise, 1, False),
    "scores +.5 logit": (scores_raised, 1, False),
    "worse model (+1 point)": (worse_model, 1, False),
    "concept drift (+4)": (concept_drift, 1, False),
    EASIER: (easier, 1, False),
}


def season(size: float, start: int = 0) -> Shift:
    """All numbers move with the season by so many standard deviations: a sine of a year."""

    def shift(numbers: Floats, number: int) -> Floats:
        return np.asarray(numbers + size * np.sin(2.0 * np.pi * (number - start) / 365.0), dtype=np.float64)

    return shift


def trend(numbers: Floats, number: int) -> Floats:
    """Amounts grow by .35 standard deviations over a year."""
    moved = numbers.copy()
    moved[:, 1] += 0.35 * number / 365.0
    return moved


def holidays(numbers: Floats, number: int) -> Floats:
    """Twelve single days a year and a week of sales with larger amounts and lower incomes."""
    day = number % 365
    if day % 30 != 17 and not 325 <= day < 332:
        return numbers
    return np.asarray(numbers + np.array([-0.5, 0.8, 0.0, 0.3]), dtype=np.float64)


def growing_segment(numbers: Floats, number: int) -> Floats:
    """Young and indebted applicants, from none to a fifth of the rows in the course of a year."""
    rows = round(0.2 * min(max(number - 90, 0) / 365.0, 1.0) * len(numbers))
    moved = numbers.copy()
    moved[:rows] += np.array([-0.6, 0.2, -1.2, 0.6])
    return moved
