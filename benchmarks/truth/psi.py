"""How often the population stability index passes .2 on the flights' own clean days and weeks.

Each window of January to March is compared with all other windows of the same quarter, input by input. Nothing but
ordinary weather and the timetable differs between them.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.results import Cell, Result, Settings, Table
from pitfalls_tf.rows.table import Feature
from pitfalls_tf.sources import flights

Counts: TypeAlias = npt.NDArray[np.float64]

#: The usual rule of thumb: above it a population has "shifted significantly".
LIMIT = 0.2
DAYS = 90
BINS = 10
#: A share of no rows counts as this one, because the index has a logarithm of it.
LEAST = 1e-4


def psi(reference: Counts, window: Counts) -> float:
    """The index of two histograms over the same bins, by their counts.

    A window without a value has none (nan).

    >>> round(psi(np.array([50.0, 50.0]), np.array([70.0, 30.0])), 3)
    0.169
    """
    if not window.sum():
        return float("nan")
    expected = np.clip(reference / reference.sum(), LEAST, None)
    actual = np.clip(window / window.sum(), LEAST, None)
    return float(np.sum((actual - expected) * np.log(actual / expected)))


def measure(settings: Settings) -> Result:
    """Compare each day and each week of the quarter; about ten seconds."""
    table = flights.load()
    day = (table.days.to_numpy(zero_copy_only=False) - np.datetime64("2013-01-01")).astype(np.int64)
    rows = table.rows.filter(pa.array(day < DAYS))
    day = day[day < DAYS]
    lengths = (("days", 1),) if settings.quick else (("days", 1), ("weeks", 7))
    return Result(tables=tuple(_table(rows, flights.FEATURES, day // length, name) for name, length in lengths))


def _table(rows: pa.Table, features: tuple[Feature, ...], place: npt.NDArray[np.int64], name: str) -> Table:
    sizes = np.bincount(place)
    windows = [number for number, size in enumerate(sizes) if size >= np.median(sizes) / 2]
    indices = {
        feature.name: np.array([psi(*_counts(rows[feature.name], place == window)) for window in windows])
        for feature in features
    }
    cells: list[tuple[Cell, ...]] = [
        (feature, int(np.sum(values > LIMIT)), len(windows), float(np.nanmedian(values)))
        for feature, values in indices.items()
    ]
    anything = np.any([values > LIMIT for values in indices.values()], axis=0)
    return Table(
        title=f"PSI above {LIMIT:g} on clean {name}",
        columns=("input", f"{name} above {LIMIT:g}", f"{name}", "median PSI"),
        rows=(*cells, ("any input", int(np.sum(anything)), len(windows), None)),
        note=f"Ten bins of equal counts in the other {name} of the quarter; a category has a bin for each value. "
        f"Median rows in a window: {int(np.median(sizes))}.",
    )


def _counts(column: pa.ChunkedArray, inside: npt.NDArray[np.bool_]) -> tuple[Counts, Counts]:
    """The histogram of the rows outside of a window, and of those inside."""
    if pa.types.is_string(column.type):
        codes = column.combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False)
        size = int(codes.max()) + 1
        outside, window = (np.bincount(codes[part], minlength=size) for part in (~inside, inside))
        return outside.astype(np.float64), window.astype(np.float64)
    values = column.to_numpy().astype(np.float64)
    reference, live = (values[part & np.isfinite(values)] for part in (~inside, inside))
    edges = np.unique(np.quantile(reference, np.linspace(0, 1, BINS + 1)))
    edges[0], edges[-1] = -np.inf, np.inf
    return np.histogram(reference, edges)[0].astype(np.float64), np.histogram(live, edges)[0].astype(np.float64)
