"""Six simulated deployments whose truth is known, each befallen by four planted harms after some calm months."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from .streams import DAY, Floats, Integers, Reference, Rows, Stream, stream_of

#: Windows, of a day each: of the reference, the fewest and the most calm ones after it, and harmed ones at the end.
REFERENCE, CALM, HARMED = 90, (70, 170), 90

#: How much the truth of a day differs by itself, in log odds.
DAY_EFFECT = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A deployment: the log odds of a softmax that is right, and how days differ.

    Attributes:
        weights: Log odds of each class by input, [d, k].
        constant: Added to the log odds, [k].
        rows: A day.
        sharpness: What the answered log odds are multiplied by; 1: calibrated.
        coefficient: AR(1) of the days' effects.
        season: Largest shift of the inputs within a year, in their standard deviations.
    """

    name: str
    weights: Floats
    constant: Floats
    rows: int = 400
    sharpness: float = 1.0
    coefficient: float = 0.0
    season: float = 0.0


_LOANS = np.array([[0.0, -0.95], [0.0, 0.75], [0.0, -0.45], [0.0, 0.85]])
_ODDS = np.array([0.0, -1.08])
_FIVE = 0.9 * np.random.default_rng(5).normal(size=(6, 5))

WORLDS = (
    World(name="loans", weights=_LOANS, constant=_ODDS),
    World(name="loans, days correlated by .7", weights=_LOANS, constant=_ODDS, coefficient=0.7),
    World(name="loans, inputs by season", weights=_LOANS, constant=_ODDS, season=0.3),
    World(name="loans, 40 a day", weights=_LOANS, constant=_ODDS, rows=40),
    World(name="five classes, overconfident", weights=_FIVE, constant=np.zeros(5), rows=300, sharpness=2.0),
    World(name="three percent", weights=_LOANS, constant=np.array([0.0, -4.6]), rows=600),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What a harm may change: inputs, log odds of the truth and of the answers, and labels."""

    inputs: Floats
    truth: Floats
    answered: Floats
    labels: Integers


#: A harm: the day and how much of the harm is in force, to the labels and the answered log odds.
Harm = Callable[[Day, float, np.random.Generator], tuple[Integers, Floats]]


def wrong(share: float) -> Harm:
    """So many of all labels are exchanged for those of other classes, where the answer was right."""

    def harm(day: Day, force: float, rng: np.random.Generator) -> tuple[Integers, Floats]:
        answers, classes = day.answered.argmax(axis=1), day.answered.shape[1]
        right = np.flatnonzero(answers == day.labels)
        chosen = right[rng.random(right.size) < share * force * len(answers) / right.size]
        labels = day.labels.copy()
        labels[chosen] = (labels[chosen] + rng.integers(1, classes, chosen.size)) % classes
        return labels, day.answered

    return harm


def mixed_up(day: Day, force: float, rng: np.random.Generator) -> tuple[Integers, Floats]:
    """A fifth of the rows have another row's label."""
    rows = np.flatnonzero(rng.random(len(day.labels)) < 0.2 * force)
    labels = day.labels.copy()
    labels[rows] = labels[rng.permutation(rows)]
    return labels, day.answered


def doubled(day: Day, _force: float, _rng: np.random.Generator) -> tuple[Integers, Floats]:
    """Answered log odds are twice what they were."""
    return day.labels, 2.0 * day.answered


#: The harms by name, with the days until all of each is in force.
HARMS: Mapping[str, tuple[Harm, int]] = {
    "error +3 points": (wrong(0.03), 1),
    "error +5 points over 60 days": (wrong(0.05), 60),
    "a fifth of the labels mixed up": (mixed_up, 1),
    "log odds doubled": (doubled, 1),
}


def simulated_streams() -> Iterator[Stream]:
    """Each harm in each world, drawn with its own seed."""
    for number, name in enumerate(HARMS):
        for at, world in enumerate(WORLDS):
            yield simulated(world, name, seed=100 * at + number)


def simulated(world: World, harm: str, *, seed: int) -> Stream:
    """One stream; the harm's first window is the one after the calm ones."""
    rng = np.random.default_rng(seed)
    calm, phase = int(rng.integers(*CALM)), rng.uniform(0.0, 365.0)
    effect, days = rng.normal(), []
    for number in range(-REFERENCE, calm + HARMED):
        effect = world.coefficient * effect + np.sqrt(1.0 - world.coefficient**2) * rng.normal()
        shift = world.season * np.sin(2.0 * np.pi * (number + phase) / 365.0)
        day = _day(world, shift, DAY_EFFECT * effect, rng)
        labels, answered = day.labels, day.answered
        if number >= calm:
            change, growing = HARMS[harm]
            labels, answered = change(day, min((number - calm + 1) / growing, 1.0), rng)
        days.append((number, day.inputs, answered, labels))
    n = world.rows
    minute = np.concatenate([number * DAY + np.arange(n) * (DAY - 180) // n for number, *_ in days])
    rows = Rows(
        id=np.arange(len(minute)),
        minute=minute,
        label_minute=minute + 120,
        label=np.concatenate([labels for *_, labels in days]),
        scores=np.round(_softmax(np.concatenate([answered for _, _, answered, _ in days])), 4),
        inputs=np.concatenate([inputs for _, inputs, _, _ in days]),
    )
    inputs, classes = world.weights.shape
    empty = Reference(
        windows=(),
        minutes=DAY,
        classes=tuple(f"class {at}" for at in range(classes)),
        names=tuple(f"x{at}" for at in range(inputs)),
        is_category=(False,) * inputs,
    )
    harms = ((calm + 1, calm + HARMED + 1),)
    return stream_of(f"{world.name}: {harm}", rows, empty, harms=harms, is_real=False)


def _day(world: World, shift: float, effect: float, rng: np.random.Generator) -> Day:
    inputs = rng.normal(size=(world.rows, len(world.weights))) + shift
    odds = inputs @ world.weights + world.constant
    truth = odds + effect * np.linspace(-0.5, 0.5, odds.shape[1])
    return Day(inputs=inputs, truth=truth, answered=world.sharpness * odds, labels=_drawn(truth, rng))


def _drawn(odds: Floats, rng: np.random.Generator) -> Integers:
    return np.asarray((odds + rng.gumbel(size=odds.shape)).argmax(axis=1), dtype=np.int64)


def _softmax(odds: Floats) -> Floats:
    powers = np.exp(odds - odds.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float64)
