"""Tasks of domain adaptation: train on one domain and adapt to another, for every ordered pair of domains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pitfalls_tf.experiments.tasks import alterations, letter_tasks
from pitfalls_tf.experiments.tasks.source_tasks import evenly_spaced, load
from pitfalls_tf.experiments.tasks.task import Part, Task
from pitfalls_tf.rows.examples import Examples
from pitfalls_tf.rows.splits import random_split
from pitfalls_tf.sources import digits as images

PLAIN: Final = "plain"
TABLE_ALTERATIONS: Final = ("noise", "missing_category")
IMAGE_ALTERATIONS: Final = ("noise", "blur", "rotation")
MONTHS: Final = {"May": "2013-05", "September": "2013-09"}
IMAGE_SHARE: Final = 0.3  # of each source's images, held out for scoring
SEED: Final = 2013
QUICK_IMAGES: Final = 600


def pairs(names: Sequence[str], *, quick: bool) -> list[tuple[str, str]]:
    """Ordered pairs of names. Returns all ordered pairs, or a cycle through the names.

    >>> pairs(("a", "b", "c"), quick=True)
    [('a', 'b'), ('b', 'c'), ('c', 'a')]
    """
    cycle = list(zip(names, (*names[1:], names[0]), strict=True))
    return cycle if quick else list(permutations(names, 2))


def flights(*, quick: bool) -> list[Task]:
    """Airport to airport, January to March, scored on held-out blocks of days, plain and altered.

    Alterations: noise on every number, a tenth of the destinations missing, and the rows of May and of September.
    """
    from pitfalls_tf.sources.flights import AIRPORTS  # noqa: PLC0415 - reads tables

    whole = load("flights", quick=quick)
    held = {part.domain if part.split == "deployed" else part.split: part.examples for part in whole.parts}
    tasks = []
    for origin, target in pairs(AIRPORTS, quick=quick):
        plain = _at(held["blocked"], target)
        rows = _altered(plain, TABLE_ALTERATIONS)
        rows |= {name: held[f"{target}/{month}"] for name, month in MONTHS.items()}
        training = _at(whole.training, origin)
        varying = training.inputs.std(axis=0) > 0
        tasks.append(
            Task(
                source="flights",
                training=_zero_constant_columns(training, varying),
                validation=_zero_constant_columns(_at(whole.validation, origin), varying),
                target=_zero_constant_columns(_at(whole.training, target), varying),
                parts=_parts(
                    f"{origin} to {target}",
                    {name: _zero_constant_columns(part, varying) for name, part in rows.items()},
                ),
            )
        )
    return tasks


def _zero_constant_columns(rows: Examples, varying: NDArray[np.bool_]) -> Examples:
    """Set the columns that are constant in the training domain to 0, such as the airport's own indicator.

    Their weights are untrained, and would shift every row of the other airport at random.
    """
    return replace(rows, inputs=rows.inputs * varying.astype(np.float32))


def digits(*, quick: bool) -> list[Task]:
    """Image source to image source: handwriting, scans and printed fonts, scored on held-out images, plain and altered.

    Alterations: noise, blur and rotation.
    """
    every = images.load()
    training, scoring = {}, {}
    for name in images.DOMAINS:
        rows = every.domain(name)
        rows = rows.take(np.random.default_rng(SEED).permutation(len(rows)))
        if quick:
            rows = rows.take(evenly_spaced(len(rows), QUICK_IMAGES))
        split = random_split(len(rows), share=IMAGE_SHARE, seed=SEED)
        training[name], scoring[name] = rows.take(split.training), rows.take(split.held_out)
    return [
        Task(
            source="digits",
            training=training[origin],
            validation=scoring[origin],
            target=training[target],
            parts=_parts(f"{origin} to {target}", _altered(scoring[target], IMAGE_ALTERATIONS)),
        )
        for origin, target in pairs(images.DOMAINS, quick=quick)
    ]


def letters(*, quick: bool, fresh: int | None = None) -> list[Task]:
    """Monospaced families to groups of four others that arrive together, scored on held-out letters of the group.

    Alterations: noise, blur and rotation. All tasks share their training rows; no family is in two groups.

    Args:
        fresh: number of fresh families; None for those of first runs.
    """
    from pitfalls_tf.sources import letters as images  # noqa: PLC0415 - reads images

    training, held = letter_tasks.trained_rows(images.load().examples)
    return [
        Task(
            source="letters",
            training=training,
            validation=held,
            target=target,
            parts=_parts(f"monospaced to {' + '.join(target.names)}", _altered(scored, IMAGE_ALTERATIONS)),
            metrics=letter_tasks.METRICS,
        )
        for target, scored in letter_tasks.targets(quick=quick, fresh=fresh)
    ]


def _at(rows: Examples, airport: str) -> Examples:
    return rows.where(np.char.startswith(rows.domains, airport))


def _altered(plain: Examples, names: Sequence[str]) -> dict[str, Examples]:
    """The plain rows, and the rows under each alteration."""
    altered = {name: alterations.find(name, plain.shape)(plain, seed=SEED) for name in names}
    return {PLAIN: plain} | {name.replace("_", " "): rows for name, rows in altered.items()}


def _parts(pair: str, rows: dict[str, Examples]) -> tuple[Part, ...]:
    return tuple(
        Part(split="deployed", domain=f"{pair}, {condition}", examples=part) for condition, part in rows.items()
    )
