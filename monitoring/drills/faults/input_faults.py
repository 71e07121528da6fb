"""Faults of inputs: unit and type of a number, missing and stuck values, renamed and new categories, a shift, noise.

The answers stay those that the model gave to the rows as they were.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.predictions import codes_as_text
from monitoring.baseline.spec import BaselineSpec, FeatureKind
from monitoring.drills.faults.fault import Fault, FaultScope, Plant, Targets, with_column

#: The share of rows with new values, and how many of these there are.
NEW_SHARE = 0.3
NEW_VALUES = 200

#: A wrong unit multiplies by this.
UNIT = 100.0

#: A number is worth a fault if at least this share of its values is there, and not 0.
MOST_VALUES = 0.5

#: The most frequent value of a category is worth a fault from this share of the rows on.
FREQUENT = 0.05


def numbers(scope: FaultScope) -> tuple[str, ...]:
    """The number inputs that vary, of which most values are there and are not 0."""
    names = []
    for name in _inputs(scope.spec, "number", scope.sample):
        values = as_numbers(scope.sample[name])
        there = values[np.isfinite(values)]
        if there.size and np.count_nonzero(there) >= MOST_VALUES * values.size and there.std() > 0.0:
            names.append(name)
    return tuple(names)


def categories(scope: FaultScope) -> tuple[str, ...]:
    """The category inputs with several values, one of them frequent."""
    names = _inputs(scope.spec, "category", scope.sample)
    return tuple(name for name in names if FREQUENT <= _largest_share(scope.sample[name]) < 1.0)


def words(scope: FaultScope) -> tuple[str, ...]:
    """The category inputs, with however many values."""
    return _inputs(scope.spec, "category", scope.sample)


def either(scope: FaultScope) -> tuple[str, ...]:
    """The inputs of both kinds."""
    return (*numbers(scope), *categories(scope))


def as_numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """A number column, [n], as floats with NaN for missing."""
    values = column.combine_chunks()
    return np.asarray(pc.fill_null(values.cast(pa.float64(), safe=False), float("nan")), dtype=np.float64)


def most_frequent(column: pa.ChunkedArray) -> str:
    """The most frequent value of a category, of several the first by name."""
    return min(_counts(column).items(), key=lambda item: (-item[1], item[0]))[0]


def _counts(column: pa.ChunkedArray) -> dict[str, int]:
    counts = pc.value_counts(codes_as_text(column).combine_chunks().cast(pa.string()).drop_null())
    return dict(zip(counts.field("values").to_pylist(), counts.field("counts").to_pylist(), strict=True))


def _largest_share(column: pa.ChunkedArray) -> float:
    counts = _counts(column)
    return max(counts.values()) / max(len(column), 1) if counts else 1.0


def _inputs(spec: BaselineSpec, kind: FeatureKind, sample: pa.Table) -> tuple[str, ...]:
    """The inputs of a kind; what describes a column only if there is no other."""
    columns = set(sample.column_names) - spec.of_outputs
    there = [feature for feature in spec.features if feature.kind == kind and feature.name in columns]
    direct = [feature.name for feature in there if not feature.source]
    return tuple(direct or [feature.name for feature in there])


def _of_numbers(change: Callable[[NDArray[np.float64], float, np.random.Generator], NDArray[np.float64]]) -> Plant:
    """A fault that changes the values, [n], of a number, given the standard deviation of its clean values."""

    def plant(rows: pa.Table, target: str, scope: FaultScope, rng: np.random.Generator) -> pa.Table:
        clean = as_numbers(scope.sample[target])
        deviation = float(clean[np.isfinite(clean)].std())
        return with_column(rows, target, pa.array(change(as_numbers(rows[target]), deviation, rng)))

    return plant


@dataclass(frozen=True, slots=True)
class _Missing:
    """A share of an input's values is missing, drawn by chance."""

    share: float

    def __call__(self, rows: pa.Table, target: str, scope: FaultScope, rng: np.random.Generator) -> pa.Table:
        column = rows[target].combine_chunks()
        gone = pa.array(rng.random(rows.num_rows) < self.share)
        return with_column(rows, target, pc.if_else(gone, pa.scalar(None, column.type), column))


def _stuck(rows: pa.Table, target: str, scope: FaultScope, _: np.random.Generator) -> pa.Table:
    """Every value is the clean values' median, or the most frequent one of a category."""
    column = scope.sample[target]
    if scope.spec.feature(target).kind == "category":
        return with_column(rows, target, pa.array([most_frequent(column)] * rows.num_rows, pa.string()))
    return with_column(rows, target, pa.array(np.full(rows.num_rows, np.nanmedian(as_numbers(column)))))


def _renamed(rows: pa.Table, target: str, scope: FaultScope, _: np.random.Generator) -> pa.Table:
    """The most frequent category has another name."""
    old = most_frequent(scope.sample[target])
    column = codes_as_text(rows[target]).combine_chunks().cast(pa.string())
    return with_column(rows, target, pc.if_else(pc.equal(column, old), f"{old}_2", column))


def _with_new_values(rows: pa.Table, target: str, _scope: FaultScope, rng: np.random.Generator) -> pa.Table:
    """A share of the rows has values that there never were."""
    column = codes_as_text(rows[target]).combine_chunks().cast(pa.string())
    new = pa.array([f"new value {number}" for number in rng.integers(0, NEW_VALUES, rows.num_rows).tolist()])
    chosen = pa.array(rng.random(rows.num_rows) < NEW_SHARE)
    return with_column(rows, target, pc.if_else(chosen, new, column))


def _as_text(rows: pa.Table, target: str, _scope: FaultScope, _rng: np.random.Generator) -> pa.Table:
    """Numbers with a comma for the decimal point, as text."""
    values = as_numbers(rows[target])
    is_finite = np.isfinite(values)
    texts = [
        f"{value:.3f}".replace(".", ",") if there else None for value, there in zip(values, is_finite, strict=True)
    ]
    return with_column(rows, target, pa.array(texts, pa.string()))


def _fault(name: str, title: str, what: str, plant: Plant, *, targets: Targets = numbers, page: bool = True) -> Fault:
    needs: dict[Targets, str] = {
        numbers: "a number input that varies",
        categories: "a category with a frequent value",
        words: "a category",
    }
    return Fault(
        name=name,
        title=title,
        what=what,
        touches="inputs",
        level="page" if page else "notice",
        needs=needs.get(targets, "an input that varies"),
        targets=targets,
        plant=plant,
    )


INPUT_FAULTS = (
    _fault(
        "unit",
        "number times 100",
        "multiplies one number input by 100",
        _of_numbers(lambda values, _deviation, _rng: UNIT * values),
    ),
    _fault("missing", "99 % missing", "takes away 99 % of the values of one input", _Missing(0.99), targets=either),
    _fault(
        "missing-some",
        "20 % missing",
        "takes away 20 % of the values of one input",
        _Missing(0.2),
        targets=either,
        page=False,
    ),
    _fault(
        "stuck",
        "stuck value",
        "gives one input the same value in every row: its median, or its most frequent category",
        _stuck,
        targets=either,
        page=False,
    ),
    _fault(
        "renamed",
        "renamed category",
        "gives the most frequent category of one input another name",
        _renamed,
        targets=categories,
    ),
    _fault(
        "new-values",
        "30 % new values",
        "gives 30 % of the rows values of one category that there never were",
        _with_new_values,
        targets=words,
        page=False,
    ),
    _fault("type", "number as text", "writes one number input as text with a decimal comma", _as_text),
    _fault(
        "shift",
        "shift by 1 SD",
        "adds one standard deviation to one number input",
        _of_numbers(lambda values, deviation, _rng: values + deviation),
        page=False,
    ),
    _fault(
        "noise",
        "noise of 1 SD",
        "adds noise of one standard deviation to one number input",
        _of_numbers(lambda values, deviation, rng: values + rng.normal(0.0, deviation, values.size)),
        page=False,
    ),
)
