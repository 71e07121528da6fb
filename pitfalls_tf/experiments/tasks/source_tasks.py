"""The tasks of the built-in sources: each has a training period, two benchmark hold-outs and a deployment.

Two parts of the training period are held out: rows at random, as in public benchmarks, and whole blocks of days. The
deployment is later data, or images from another source.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from pitfalls_tf.experiments.tasks import letter_tasks
from pitfalls_tf.experiments.tasks.task import ALL_ROWS, Part, RawRows, Task
from pitfalls_tf.rows.examples import Examples
from pitfalls_tf.rows.splits import blocked_split, random_split
from pitfalls_tf.sources import digits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pitfalls_tf.rows.feature_encoding import Encoding
    from pitfalls_tf.rows.table import Table

Preprocessing = Literal["standardised", "raw"]

SOURCES: Final = ("flights", "rodents", "digits", "letters")
SHARE: Final = 0.15  # held out: of the blocks, and of the remaining rows
SEED: Final = 1977  # of the splits: every run has the same rows
BLOCK_DAYS: Final = {"flights": 3, "rodents": 90}
QUICK_ROWS: Final = {"flights": (12_000, 400), "rodents": (4_000, 400), "digits": (1_500, 800)}


@lru_cache(maxsize=8)
def load(
    source: str, *, quick: bool = False, preprocessing: Preprocessing = "standardised", fresh: int | None = None
) -> Task:
    """Load the task of a built-in source. Cost: 2 to 6 s and, for flights, 250 MB.

    - flights: trained on January to March; deployed domains are the airports by later month.
    - rodents: trained on 1977 to 1983; deployed domains are the later years.
    - digits: trained on handwritten MNIST; deployed domains are UCI's scans and printed fonts. Images have no dates, so
      there is no blocked hold-out.
    - letters: trained on monospaced typeface families; deployed domains are families of other kinds. The blocked
      hold-out is monospaced families that were left out.

    Args:
        preprocessing: standardised numbers, or numbers in their own units.
    """
    if source == "letters":
        return letter_tasks.load(quick=quick, raw=preprocessing == "raw", fresh=fresh)
    if source == "digits":
        return _digits(quick=quick, raw=preprocessing == "raw")
    return _table_task(source, quick=quick, raw=preprocessing == "raw")


def benchmark_splits(
    examples: Examples, *, blocks: NDArray[np.datetime64] | None, block_days: int
) -> dict[str, Examples]:
    """Split the rows of the training period. `blocks`: the day of each row, shape [n]; None where there are no days."""
    rest = np.arange(len(examples))
    splits = {}
    if blocks is not None:
        by_days = blocked_split(blocks, block_days=block_days, share=SHARE, seed=SEED)
        splits["blocked"] = examples.take(by_days.held_out)
        rest = by_days.training
    at_random = random_split(len(rest), share=SHARE, seed=SEED)
    return splits | {
        "training": examples.take(rest[at_random.training]),
        "random": examples.take(rest[at_random.held_out]),
    }


def evenly_spaced(count: int, most: int) -> NDArray[np.int64]:
    """Positions of at most `most` out of `count` rows, evenly spaced.

    Returns:
        Positions in ascending order, shape [min(count, most)].

    >>> evenly_spaced(10, 4).tolist()
    [0, 2, 5, 7]
    """
    return np.arange(count) if count <= most else np.arange(most) * count // most


def _digits(*, quick: bool, raw: bool) -> Task:
    images = digits.load()
    if raw:
        images = replace(images, inputs=images.inputs * np.float32(255))
    most_training, most = QUICK_ROWS["digits"] if quick else (len(images), len(images))
    early = _shuffled(images.domain("mnist"))
    held = benchmark_splits(early.take(evenly_spaced(len(early), most_training)), blocks=None, block_days=1)
    parts = [Part(split="random", domain="mnist", examples=held["random"])]
    for name in ("uci", "font"):
        later = _shuffled(images.domain(name))
        parts.append(Part(split="deployed", domain=name, examples=later.take(evenly_spaced(len(later), most))))
    return Task(source="digits", training=held["training"], validation=held["random"], parts=tuple(parts))


def _shuffled(examples: Examples) -> Examples:
    """In random order; the files may be sorted by class."""
    return examples.take(np.random.default_rng(SEED).permutation(len(examples)))


def raw_rows(source: str, *, quick: bool) -> RawRows:
    """The rows that the task of flights or rodents was encoded from, without the training rows.

    Returns:
        Rows of `load(source, quick=quick)` before encoding.
    """
    split = _split_table(source, quick=quick, raw=False)
    table, positions = split.table, split.positions
    return RawRows(
        encoding=split.encoding,
        held=table.take(np.sort(np.concatenate([positions["random"], positions["blocked"]]))),
        deployed=table.take(np.sort(np.concatenate(list(split.deployed.values())))),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _SplitTable:
    """A table with the positions of its rows by role, and those of the deployment by domain."""

    table: Table
    domains: NDArray[np.str_]
    positions: Mapping[str, NDArray[np.int64]]
    deployed: Mapping[str, NDArray[np.int64]]
    encoding: Encoding


def _split_table(source: str, *, quick: bool, raw: bool) -> _SplitTable:
    table, domains, early = _tables(source)
    days = table.days.to_numpy(zero_copy_only=False).astype("datetime64[D]")
    most_training, most = QUICK_ROWS[source] if quick else (len(table), len(table))
    training_period = np.flatnonzero(early)
    training_period = training_period[evenly_spaced(len(training_period), most_training)]
    # Split the row numbers first, so that the encoding is fitted on training rows only.
    numbers = _row_numbers(table, training_period)
    held = benchmark_splits(numbers, blocks=days[training_period], block_days=BLOCK_DAYS[source])
    positions = {role: training_period[rows.inputs[:, 0].astype(np.int64)] for role, rows in held.items()}
    deployed = {}
    for name in np.unique(domains[~early]).tolist():
        later = np.flatnonzero(~early & (domains == name))
        deployed[name] = later[evenly_spaced(len(later), most)]
    encoding = _fit_encoding(table.take(positions["training"]), raw=raw)
    return _SplitTable(table=table, domains=domains, positions=positions, deployed=deployed, encoding=encoding)


def _table_task(source: str, *, quick: bool, raw: bool) -> Task:
    split = _split_table(source, quick=quick, raw=raw)

    def encoded(positions: NDArray[np.int64]) -> Examples:
        rows = Examples.from_table(split.table.take(positions), split.encoding)
        return replace(rows, domains=split.domains[positions])

    parts = [
        Part(split="random", domain=ALL_ROWS, examples=encoded(split.positions["random"])),
        Part(split="blocked", domain=ALL_ROWS, examples=encoded(split.positions["blocked"])),
    ]
    parts += [Part(split="deployed", domain=name, examples=encoded(later)) for name, later in split.deployed.items()]
    training = encoded(split.positions["training"])
    return Task(source=source, training=training, validation=parts[0].examples, parts=tuple(parts))


def _tables(source: str) -> tuple[Table, NDArray[np.str_], NDArray[np.bool_]]:
    """The labelled rows, the deployment domain of each, and whether each is in the training period."""
    if source == "flights":
        from pitfalls_tf.sources import flights  # noqa: PLC0415 - reads tables

        table = flights.load().labelled()
        days = table.days.to_numpy(zero_copy_only=False).astype("datetime64[D]")
        return table, np.asarray(table.domains.to_pylist(), dtype=np.str_), days < np.datetime64("2013-04-01")
    from pitfalls_tf.sources import rodents  # noqa: PLC0415 - as above

    table = rodents.load().labelled()
    days = table.days.to_numpy(zero_copy_only=False).astype("datetime64[D]")
    return table, days.astype("datetime64[Y]").astype(np.str_), days < np.datetime64("1984-01-01")


def _row_numbers(table: Table, positions: NDArray[np.int64]) -> Examples:
    """Rows whose only input is their index in `positions`; float32 is exact up to 16 million."""
    count = len(positions)
    return Examples(
        inputs=np.arange(count, dtype=np.float32)[:, None],
        targets=np.zeros(count, dtype=np.int64),
        domains=np.full(count, ALL_ROWS),
        times=np.full(count, "NaT", dtype="datetime64[us]"),
        classes=table.classes,
    )


def _fit_encoding(training: Table, *, raw: bool) -> Encoding:
    """Fit the encoding of the training rows; a raw one keeps numbers in their own units, and a gap is 0."""
    from pitfalls_tf.rows import feature_encoding  # noqa: PLC0415 - loads Keras

    fitted = feature_encoding.fit(training.rows, training.features)
    if not raw:
        return fitted
    return replace(fitted, numbers=tuple(replace(number, mean=0.0, deviation=1.0) for number in fitted.numbers))
