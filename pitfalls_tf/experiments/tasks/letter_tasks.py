"""Tasks of letters: train on monospaced families, deploy on families of other kinds.

All choices of families are made at random, once: those that are trained on, those of the same kind that are left out,
the families that first runs are scored on, and the fresh ones that decide claims.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np

from monitoring.errors import BadInput
from pitfalls_tf.experiments.tasks.task import ALL_ROWS, Part, Task
from pitfalls_tf.rows.examples import Examples
from pitfalls_tf.rows.splits import random_split
from pitfalls_tf.sources import letters
from pitfalls_tf.sources.letters import Kind

TRAINED_KIND: Final[Kind] = "monospaced"
TRAINED: Final = 20  # families
FIRST: Final = 48  # families that first runs are scored on
FRESH: Final = 165  # families left for fresh runs
QUICK: Final = 16
ARRIVAL: Final = 15  # families that arrive in one period
TOGETHER: Final = 4  # families of a target to adapt to
SHARE: Final = 0.15  # of the trained families' letters, held out at random
SEED: Final = 1450
METRICS: Final = ("brier", "error")  # in 52 letters of a family, others are mostly chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Families:
    """Names of families by their role."""

    trained: tuple[str, ...]
    left_out: tuple[str, ...]
    first: tuple[str, ...]
    fresh: tuple[str, ...]


@lru_cache(maxsize=1)
def families() -> Families:
    """Divide all families by their roles.

    >>> roles = families()
    >>> len(roles.trained), len(roles.left_out), len(roles.first), len(roles.fresh)
    (20, 7, 48, 165)
    """
    rng = np.random.default_rng(SEED)
    every = letters.load()
    same = every.families(TRAINED_KIND)
    others = [name for name in every.examples.names if name not in same]
    same, others = rng.permutation(same).tolist(), rng.permutation(others).tolist()
    return Families(
        trained=tuple(same[:TRAINED]),
        left_out=tuple(same[TRAINED:]),
        first=tuple(others[:FIRST]),
        fresh=tuple(others[FIRST:]),
    )


def load(*, quick: bool, raw: bool, fresh: int | None = None) -> Task:
    """Trained on letters of 20 monospaced families; each deployed domain is a family of another kind.

    The random hold-out is of the trained families, the blocked one of the monospaced families left out.

    Args:
        raw: grey levels from 0 to 255 instead of 0 to 1.
        fresh: number of fresh families to score; None for those of first runs.

    Raises:
        BadInput: more fresh families than there are.
    """
    roles, every = families(), _grey(raw=raw)
    training, held = trained_rows(every)
    parts = [
        Part(split="random", domain=ALL_ROWS, examples=held),
        Part(split="blocked", domain=ALL_ROWS, examples=every.domain(*roles.left_out)),
    ]
    scored = roles.first[: QUICK if quick else FIRST] if fresh is None else fresh_families(fresh)
    parts += [Part(split="deployed", domain=name, examples=every.domain(name)) for name in scored]
    return Task(source=letters.NAME, training=training, validation=held, parts=tuple(parts), metrics=METRICS)


def trained_rows(every: Examples) -> tuple[Examples, Examples]:
    """Rows of the trained families: those to train on, and those held out at random."""
    rows = every.domain(*families().trained)
    rows = rows.take(np.random.default_rng(SEED).permutation(len(rows)))
    split = random_split(len(rows), share=SHARE, seed=SEED)
    return rows.take(split.training), rows.take(split.held_out)


def targets(*, quick: bool, fresh: int | None = None) -> list[tuple[Examples, Examples]]:
    """Targets of adaptation: the letters of four families that arrive together, half of them to adapt to.

    Args:
        fresh: number of fresh families; None for those of first runs.
    """
    every = _grey(raw=False)
    names = families().first[: 3 * TOGETHER if quick else FIRST] if fresh is None else fresh_families(fresh)
    halves = []
    for start in range(0, len(names) - TOGETHER + 1, TOGETHER):
        rows = every.domain(*names[start : start + TOGETHER])
        split = random_split(len(rows), share=0.5, seed=SEED + start)
        halves.append((rows.take(split.training), rows.take(split.held_out)))
    return halves


def arrival(family: str) -> str:
    """The period in which a family arrives: families of other kinds arrive in a random order, fifteen at a time.

    >>> arrival(families().first[0]), arrival(families().fresh[-1])
    ('01', '15')
    """
    roles = families()
    return f"{(roles.first + roles.fresh).index(family) // ARRIVAL + 1:02d}"


def fresh_families(count: int) -> Sequence[str]:
    """The first of the fresh families."""
    every = families().fresh
    if not 0 < count <= len(every):
        raise BadInput(
            "There are not so many fresh families.",
            got=f"{count} families",
            expected=f"1 to {len(every)}",
            fix="Plan fewer domains: pitfalls reproduce plan.",
        )
    return every[:count]


def _grey(*, raw: bool) -> Examples:
    every = letters.load().examples
    return replace(every, inputs=every.inputs * np.float32(255)) if raw else every
