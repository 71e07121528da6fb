"""The rows and columns that a drift report compares: bounded, cleaned, and with unique names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.predictions import Predictions, predictions_from
from monitoring.baseline.spec import BaselineSpec
from monitoring.tasks.number_codes import numbers
from monitoring.tasks.registry import numbers_of
from monitoring.tasks.task import Task
from monitoring.watches.descriptions import printable, watch_title

if TYPE_CHECKING:
    import pandas as pd

#: Categories of a column that are kept, the commonest of both sides together; rarer ones become "other".
MOST_CATEGORIES = 50
OTHER = "(other)"

#: True classes, None where there is no label; or true numbers, NaN where there is none.
Labels: TypeAlias = list[str | None] | NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side of the comparison: named columns of n rows, numbers as float64 or categories as text."""

    numbers: Mapping[str, NDArray[np.float64]]
    categories: Mapping[str, pa.Array]
    problems: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftSample:
    """Both sides of a comparison with the same columns.

    Attributes:
        probability: Name of the column of the second class's probability; empty unless there are two classes.
        positive: Name of the second class; empty unless there are two.
    """

    current: pd.DataFrame
    reference: pd.DataFrame
    numbers: tuple[str, ...]
    categories: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]
    label: str
    answer: str
    probability: str
    positive: str
    quality: bool


def drift_sample(
    current: pa.Table, reference: pa.Table, *, spec: BaselineSpec, rows: int, rng: np.random.Generator
) -> DriftSample:
    """Draw rows of each side and keep the columns that can be compared.

    Left out are inputs that are absent, retyped or without a value on one side, and constants. Infinite numbers count
    as missing. Text is bounded, and loses the characters that HTML is made of.
    """
    names = _own_names(spec)
    sides = []
    for table in (current, reference):
        predictions = predictions_from(_whole(_drawn(table, rows, rng)), spec)
        sides.append((_side(predictions, spec, names), _labels(predictions, spec)))
    (now, now_labels), (then, then_labels) = sides
    left_out = []
    features: dict[str, list[str]] = {"number": [], "category": []}
    kinds = dict.fromkeys(now.numbers, "number") | dict.fromkeys(now.categories, "category")
    for name, kind in kinds.items():
        problem = _problem(name, now, then)
        if problem:
            left_out.append((name, problem))
        else:
            features[kind].append(name)
    named, categories = tuple(features["number"]), tuple(features["category"])
    tops = {name: _top(now.categories[name], then.categories[name]) for name in categories}
    return DriftSample(
        current=_frame(now, named, tops, names["label"], now_labels),
        reference=_frame(then, named, tops, names["label"], then_labels),
        numbers=named,
        categories=categories,
        left_out=tuple(left_out),
        label=names["label"],
        answer=names["answer"],
        probability=names["probability"] if len(spec.classes) == 2 else "",
        positive=plain(spec.classes[1]) if len(spec.classes) == 2 else "",
        quality=all(_suffice(labels, spec) for labels in (now_labels, then_labels))
        and names["answer"] in (*named, *categories),
    )


def plain(text: str) -> str:
    """Replace the characters of HTML in text: Evidently writes its data into a script element unescaped.

    >>> "<" in plain("</script>"), len(plain("</script>"))
    (False, 9)
    """
    return (
        printable(text)
        .replace("<", "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}")
        .replace(">", "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}")
    )


def _own_names(spec: BaselineSpec) -> dict[str, str]:
    """Names for the model's columns that no input has."""
    used_names = {plain(feature.name) for feature in spec.features}
    names = {}
    for key, wish in (
        ("label", "label"),
        ("answer", "predicted class" if spec.classes else "predicted number"),
        ("probability", f"probability of {plain(''.join(spec.classes[-1:]))}"),
    ):
        name = wish
        while name in used_names:
            name += "*"
        names[key] = name
        used_names.add(name)
    return names


def _drawn(table: pa.Table, rows: int, rng: np.random.Generator) -> pa.Table:
    if table.num_rows <= rows:
        return table
    return table.take(pa.array(np.sort(rng.choice(table.num_rows, size=rows, replace=False))))


def _whole(table: pa.Table) -> pa.Table:
    """The table with the columns that only `predictions_from` needs."""
    if "prediction_id" not in table.column_names:
        table = table.append_column("prediction_id", pa.array([str(row) for row in range(table.num_rows)], pa.string()))
    if "label" in table.column_names and "label_time" not in table.column_names:
        table = table.append_column("label_time", table["event_time"])
    return table


def _side(predictions: Predictions, spec: BaselineSpec, names: Mapping[str, str]) -> Side:
    floats: dict[str, NDArray[np.float64]] = {}
    categories: dict[str, pa.Array] = {}
    for feature in spec.features:
        column = predictions.features[feature.name]
        if feature.kind == "number":
            floats[plain(feature.name)] = _finite(np.asarray(column, dtype=np.float64))
        else:
            categories[plain(feature.name)] = _plain_column(column)
    if len(spec.classes) == 2:
        floats[names["probability"]] = predictions.probabilities[:, 1]
    if spec.classes:
        classes = [plain(name) for name in spec.classes]
        answers = predictions.probabilities.argmax(axis=1) if len(predictions) else np.zeros(0, np.int64)
        categories[names["answer"]] = pa.array([classes[place] for place in answers], pa.string())
    elif spec.task.answers_are_hashes or spec.task.labels_in_parts:
        floats |= _as_watched(predictions, spec.task)
    else:
        answered = _answer_names(spec, names["answer"])
        numbers = predictions.probabilities.T[: len(answered)]  # an answer of no output is a 0
        floats |= {name: _finite(values) for name, values in zip(answered, numbers, strict=True)}
    return Side(
        numbers=floats,
        categories=categories,
        problems={plain(name): plain(problem) for name, problem in predictions.problems},
    )


def _as_watched(predictions: Predictions, task: Task) -> dict[str, NDArray[np.float64]]:
    """What is watched of answers, by its title: ids themselves have no order, and several outputs are no one answer."""
    answered = np.asarray(np.isfinite(predictions.probabilities).all(axis=1), dtype=np.bool_)
    columns = {}
    for name, scores in task.outputs(np.where(answered[:, None], predictions.probabilities, 0.0)).items():
        columns[plain(watch_title(name))] = np.where(answered, scores, np.nan)
    return columns


def _answer_names(spec: BaselineSpec, alone: str) -> list[str]:
    """The names of the numbers of an answer; `alone` is that of the only one."""
    task = spec.task
    if task.outputs_watched is not None:
        return [plain(f"output {number}") for number in task.number_names]
    return [plain(f"predicted {name}") if name else alone for name in task.number_names]


def _plain_column(column: pa.ChunkedArray) -> pa.Array:
    coded = column.combine_chunks().dictionary_encode()
    words = pa.array([None if word is None else plain(word) for word in coded.dictionary.to_pylist()], pa.string())
    return words.take(coded.indices)


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isfinite(values), values, np.nan)


def _labels(predictions: Predictions, spec: BaselineSpec) -> Labels:
    task = spec.task
    if len(numbers_of(task)) > 1 or task.answers_are_hashes or task.labels_in_parts:
        # Evidently measures one number: several numbers and ids are compared, not judged
        return np.full(len(predictions), np.nan)
    if not spec.classes:
        return numbers(predictions.labels)
    classes = [plain(name) for name in spec.classes]
    return [classes[place] if 0 <= place < len(classes) else None for place in predictions.labels]


def _suffice(labels: Labels, spec: BaselineSpec) -> bool:
    """Whether the model's quality can be measured: by labels of every class, or by one number."""
    if isinstance(labels, list):
        return set(labels) >= {plain(name) for name in spec.classes}
    return bool(np.isfinite(labels).any())


def _problem(name: str, now: Side, then: Side) -> str:
    """Why a column cannot be compared; empty if it can."""
    for side, words in ((now, "current"), (then, "reference")):
        if name in side.problems:
            return f"{side.problems[name]} in the {words} rows"
        if not _values(side, name):
            return f"no value in the {words} rows"
    if len(_values(now, name) | _values(then, name)) == 1:
        return "the same value everywhere"
    return ""


def _values(side: Side, name: str) -> set[float] | set[str]:
    if name in side.numbers:
        column = side.numbers[name]
        return set(np.unique(column[~np.isnan(column)]).tolist())
    return set(side.categories[name].drop_null().unique().to_pylist())


def _top(now: pa.Array, then: pa.Array) -> pa.Array:
    counts = pc.value_counts(pa.concat_arrays([now, then]).drop_null()).to_pylist()
    ordered = sorted(counts, key=lambda entry: (-entry["counts"], entry["values"]))
    return pa.array([entry["values"] for entry in ordered[:MOST_CATEGORIES]], pa.string())


def _frame(
    side: Side, names: tuple[str, ...], tops: Mapping[str, pa.Array], label: str, labels: Labels
) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415  # only Evidently needs a data frame

    columns: dict[str, object] = {name: side.numbers[name] for name in names}
    for name, top in tops.items():
        words = side.categories[name]
        in_top = pc.or_(pc.is_in(words, top), pc.is_null(words))
        columns[name] = pc.if_else(in_top, words, pa.scalar(OTHER)).to_pylist()
    return pd.DataFrame({**columns, label: pd.Series(labels, dtype=object if isinstance(labels, list) else np.float64)})
