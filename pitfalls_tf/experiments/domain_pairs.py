"""One domain to learn from, another to adapt to: every ordered pair of airports, and of images' origins."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING, Final

import numpy as np

from pitfalls_tf.experiments import alterations
from pitfalls_tf.experiments.tasks import Part, Task, load, thinned
from pitfalls_tf.rows.splits import random_split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pitfalls_tf.rows.examples import Examples

PLAIN: Final = "plain"
OF_TABLES: Final = ("noise", "missing_category")
OF_IMAGES: Final = ("noise", "blur", "rotation")
MONTHS: Final = {"May": "2013-05", "September": "2013-09"}
IMAGE_SHARE: Final = 0.3  # of each origin's images are kept for scoring
SEED: Final = 2013
QUICK_IMAGES: Final = 600


def pairs(names: Sequence[str], *, quick: bool) -> list[tuple[str, str]]:
    """Every ordered pair; quick, each name once on either side.

    >>> pairs(("a", "b", "c"), quick=True)
    [('a', 'b'), ('b', 'c'), ('c', 'a')]
    """
    around = list(zip(names, (*names[1:], names[0]), strict=True))
    return around if quick else list(permutations(names, 2))


def flights(*, quick: bool) -> list[Task]:
    """Airport to airport, January to March. Scored on blocks of days that nobody learnt from, plain and altered.

    Altered: noise on every number, a tenth of destinations missing, and the plain rows of May and of September.
    """
    from pitfalls_tf.sources.flights import AIRPORTS  # noqa: PLC0415 - reads tables

    whole = load("flights", quick=quick)
    held = {part.domain if part.split == "deployed" else part.split: part.examples for part in whole.parts}
    found = []
    for learnt, met in pairs(AIRPORTS, quick=quick):
        plain = _at(held["blocked"], met)
        rows = _altered(plain, OF_TABLES)
        rows |= {name: held[f"{met}/{month}"] for name, month in MONTHS.items()}
        training = _at(whole.training, learnt)
        varied = training.inputs.std(axis=0) > 0
        found.append(
            Task(
                source="flights",
                training=_only(training, varied),
                validation=_only(_at(whole.validation, learnt), varied),
                target=_only(_at(whole.training, met), varied),
                parts=_parts(f"{learnt} to {met}", {name: _only(part, varied) for name, part in rows.items()}),
            )
        )
    return found


def _only(rows: Examples, varied: NDArray[np.bool_]) -> Examples:
    """With 0 in the columns that do not vary where was learnt: the airport's own, and what never flew from there.

    Their weights are untrained, and would move every row of the other airport by chance.
    """
    return replace(rows, inputs=rows.inputs * varied.astype(np.float32))


def digits(*, quick: bool) -> list[Task]:
    """Origin to origin: handwriting, scans and printed fonts, scored on images that nobody learnt from or adapted to.

    Altered: noise, blur and rotation.
    """
    from pitfalls_tf.sources import digits as images  # noqa: PLC0415 - reads images

    every = images.load()
    learning, scoring = {}, {}
    for name in images.DOMAINS:
        there = every.domain(name)
        there = there.take(np.random.default_rng(SEED).permutation(len(there)))
        if quick:
            there = there.take(thinned(len(there), QUICK_IMAGES))
        split = random_split(len(there), share=IMAGE_SHARE, seed=SEED)
        learning[name], scoring[name] = there.take(split.training), there.take(split.held_out)
    return [
        Task(
            source="digits",
            training=learning[learnt],
            validation=scoring[learnt],
            target=learning[met],
            parts=_parts(f"{learnt} to {met}", _altered(scoring[met], OF_IMAGES)),
        )
        for learnt, met in pairs(images.DOMAINS, quick=quick)
    ]


def _at(rows: Examples, airport: str) -> Examples:
    return rows.where(np.char.startswith(rows.domains, airport))


def _altered(plain: Examples, names: Sequence[str]) -> dict[str, Examples]:
    """The rows as they are and under each alteration."""
    changed = {name: alterations.find(name, plain.shape)(plain, seed=SEED) for name in names}
    return {PLAIN: plain} | {name.replace("_", " "): rows for name, rows in changed.items()}


def _parts(pair: str, rows: dict[str, Examples]) -> tuple[Part, ...]:
    return tuple(
        Part(split="deployed", domain=f"{pair}, {condition}", examples=part) for condition, part in rows.items()
    )
