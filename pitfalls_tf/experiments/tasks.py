"""Rows to learn from and rows to be scored on: the three sources, each with a benchmark and a deployment.

A part of the training period is held out twice: rows at random, as public benchmarks do, and whole blocks of days.
What comes later, or from another source of images, is the deployment.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from pitfalls_tf.rows.examples import Examples
from pitfalls_tf.rows.splits import blocked_split, random_split

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pitfalls_tf.rows.feature_encoding import Encoding
    from pitfalls_tf.rows.table import Table

Preprocessing = Literal["standardised", "raw"]
SplitName = Literal["random", "blocked", "deployed"]

SOURCES: Final = ("flights", "rodents", "digits")
SHARE: Final = 0.15  # of rows, and of what is left, of blocks
SEED: Final = 1977  # of the splits: the same rows whatever the seed of a run
WHOLE: Final = "all"
BLOCK_DAYS: Final = {"flights": 3, "rodents": 90}
QUICK_ROWS: Final = {"flights": (12_000, 400), "rodents": (4_000, 400), "digits": (1_500, 800)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Labelled rows that are scored together."""

    split: SplitName
    domain: str
    examples: Examples


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Task:
    """What a run of a source is given; one is equal to itself alone.

    `validation` is scored after every epoch; `target` is for adaptation.
    """

    source: str
    training: Examples
    validation: Examples
    parts: tuple[Part, ...]
    target: Examples | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRows:
    """Rows of a task before they are encoded, for a model that takes them as they come.

    held      those of the training period that are held out, at random and by blocks, in order of time
    deployed  those that come later, in order of time
    """

    encoding: Encoding
    held: Table
    deployed: Table


@lru_cache(maxsize=16)
def digest(task: Task) -> str:
    """sha256 of all rows with their roles. Cost: about .3 s for 100 MB, the first time."""
    found = hashlib.sha256(task.source.encode())
    others = [] if task.target is None else [("target", task.target)]
    roles = [("training", task.training), ("validation", task.validation), *others]
    roles += [(f"{part.split}/{part.domain}", part.examples) for part in task.parts]
    for role, examples in roles:
        found.update(f"\x00{role}\x00{len(examples)}\x00{examples.classes}\x00".encode())
        found.update(np.ascontiguousarray(examples.inputs).tobytes())
        found.update(np.ascontiguousarray(examples.targets).tobytes())
        found.update("\x00".join(examples.domains.tolist()).encode())
    return found.hexdigest()


@lru_cache(maxsize=8)
def load(source: str, *, quick: bool = False, preprocessing: Preprocessing = "standardised") -> Task:
    """The task of a built-in source.

    flights  learnt: January to March; deployed: every airport in every later month of the year
    rodents  learnt: 1977 to 1983; deployed: every later year
    digits   learnt: handwritten MNIST; deployed: UCI's scans, and printed fonts. Nothing is known of days: no blocks

    Cost: 2 to 6 s and, for flights, 250 MB; quick ones have fewer rows, evenly thinned.
    """
    if source == "digits":
        return _digits(quick=quick, raw=preprocessing == "raw")
    return _table_task(source, quick=quick, raw=preprocessing == "raw")


def benchmark(examples: Examples, *, blocks: NDArray[np.datetime64] | None, block_days: int) -> dict[str, Examples]:
    """The rows of the training period as `training`, `random` and, where there are days, `blocked`."""
    rest = np.arange(len(examples))
    found = {}
    if blocks is not None:
        by_days = blocked_split(blocks, block_days=block_days, share=SHARE, seed=SEED)
        found["blocked"] = examples.take(by_days.held_out)
        rest = by_days.training
    at_random = random_split(len(rest), share=SHARE, seed=SEED)
    return found | {
        "training": examples.take(rest[at_random.training]),
        "random": examples.take(rest[at_random.held_out]),
    }


def thinned(count: int, most: int) -> NDArray[np.int64]:
    """At most so many positions of `count`, evenly spaced.

    >>> thinned(10, 4).tolist()
    [0, 2, 5, 7]
    """
    return np.arange(count) if count <= most else np.arange(most) * count // most


def _digits(*, quick: bool, raw: bool) -> Task:
    from pitfalls_tf.sources import digits  # noqa: PLC0415 - reads images

    images = digits.load()
    if raw:
        images = replace(images, inputs=images.inputs * np.float32(255))
    most_training, most = QUICK_ROWS["digits"] if quick else (len(images), len(images))
    learnt = _shuffled(images.domain("mnist"))
    held = benchmark(learnt.take(thinned(len(learnt), most_training)), blocks=None, block_days=1)
    parts = [Part(split="random", domain="mnist", examples=held["random"])]
    for name in ("uci", "font"):
        there = _shuffled(images.domain(name))
        parts.append(Part(split="deployed", domain=name, examples=there.take(thinned(len(there), most))))
    return Task(source="digits", training=held["training"], validation=held["random"], parts=tuple(parts))


def _shuffled(examples: Examples) -> Examples:
    """In an order that has nothing to do with the classes, which the files may be sorted by."""
    return examples.take(np.random.default_rng(SEED).permutation(len(examples)))


def raw_rows(source: str, *, quick: bool) -> RawRows:
    """What the task of flights or rodents, `load(source, quick=quick)`, was encoded from, training rows apart."""
    divided = _divided(source, quick=quick, raw=False)
    table, places = divided.table, divided.places
    return RawRows(
        encoding=divided.encoding,
        held=table.take(np.sort(np.concatenate([places["random"], places["blocked"]]))),
        deployed=table.take(np.sort(np.concatenate(list(divided.deployed.values())))),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Divided:
    """A table with the positions of its rows by role, those of the deployment by domain."""

    table: Table
    domains: NDArray[np.str_]
    places: Mapping[str, NDArray[np.int64]]
    deployed: Mapping[str, NDArray[np.int64]]
    encoding: Encoding


def _divided(source: str, *, quick: bool, raw: bool) -> _Divided:
    table, domains, early = _tables(source)
    days = table.days.to_numpy(zero_copy_only=False).astype("datetime64[D]")
    most_training, most = QUICK_ROWS[source] if quick else (len(table), len(table))
    learnt = np.flatnonzero(early)
    learnt = learnt[thinned(len(learnt), most_training)]
    # The same rows are split twice: their numbers first, so that the encoding sees training rows alone.
    numbers = _numbered(table, learnt)
    held = benchmark(numbers, blocks=days[learnt], block_days=BLOCK_DAYS[source])
    places = {role: learnt[rows.inputs[:, 0].astype(np.int64)] for role, rows in held.items()}
    deployed = {}
    for name in np.unique(domains[~early]).tolist():
        there = np.flatnonzero(~early & (domains == name))
        deployed[name] = there[thinned(len(there), most)]
    encoding = _encoding(table.take(places["training"]), raw=raw)
    return _Divided(table=table, domains=domains, places=places, deployed=deployed, encoding=encoding)


def _table_task(source: str, *, quick: bool, raw: bool) -> Task:
    divided = _divided(source, quick=quick, raw=raw)

    def encoded(positions: NDArray[np.int64]) -> Examples:
        rows = Examples.from_table(divided.table.take(positions), divided.encoding)
        return replace(rows, domains=divided.domains[positions])

    places = divided.places
    parts = [
        Part(split="random", domain=WHOLE, examples=encoded(places["random"])),
        Part(split="blocked", domain=WHOLE, examples=encoded(places["blocked"])),
    ]
    parts += [Part(split="deployed", domain=name, examples=encoded(there)) for name, there in divided.deployed.items()]
    return Task(source=source, training=encoded(places["training"]), validation=parts[0].examples, parts=tuple(parts))


def _tables(source: str) -> tuple[Table, NDArray[np.str_], NDArray[np.bool_]]:
    """The labelled rows, the deployment domain of each, and whether it lies in the training period."""
    if source == "flights":
        from pitfalls_tf.sources import flights  # noqa: PLC0415 - reads tables

        table = flights.load().labelled()
        days = table.days.to_numpy(zero_copy_only=False).astype("datetime64[D]")
        return table, np.asarray(table.domains.to_pylist(), dtype=np.str_), days < np.datetime64("2013-04-01")
    from pitfalls_tf.sources import rodents  # noqa: PLC0415 - as above

    table = rodents.load().labelled()
    days = table.days.to_numpy(zero_copy_only=False).astype("datetime64[D]")
    return table, days.astype("datetime64[Y]").astype(np.str_), days < np.datetime64("1984-01-01")


def _numbered(table: Table, positions: NDArray[np.int64]) -> Examples:
    """Rows whose only input is their own place among `positions`; float32 holds it exactly up to 16 million."""
    count = len(positions)
    return Examples(
        inputs=np.arange(count, dtype=np.float32)[:, None],
        targets=np.zeros(count, dtype=np.int64),
        domains=np.full(count, WHOLE),
        times=np.full(count, "NaT", dtype="datetime64[us]"),
        classes=table.classes,
    )


def _encoding(training: Table, *, raw: bool) -> Encoding:
    """Of the training rows; raw leaves numbers in their own units, and a gap is 0 of them."""
    from pitfalls_tf.rows import feature_encoding  # noqa: PLC0415 - loads Keras

    fitted = feature_encoding.fit(training.rows, training.features)
    if not raw:
        return fitted
    return replace(fitted, numbers=tuple(replace(number, mean=0.0, deviation=1.0) for number in fitted.numbers))
