"""Versions that are bad on purpose: the version in use, with other preprocessing or with spoiled answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.errors import BadInput
from monitoring.traffic.format.rows import INPUT

Floats = NDArray[np.float64]
Values = NDArray[Any]

#: Changes the answers of n rows, [n, width]: probabilities of classes, or numbers.
OfAnswers: TypeAlias = Callable[[Floats, np.random.Generator], Floats]

#: Changes the values of n rows by column name, [n, ...] each: floating numbers, or texts as bytes. A column that it
#: leaves out stays.
OfInputs: TypeAlias = Callable[[dict[str, Values]], dict[str, Values]]

#: Probabilities are no nearer to 0 and 1 than this before their logarithm is taken.
_LEAST = 1e-6

#: Channels of an image are its last axis, of so many.
_CHANNELS = (3, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class BadVersion:
    """A version that is bad on purpose, by its answers or by its preprocessing."""

    name: str
    what: str
    answers: OfAnswers | None = None
    of_classes: bool = True
    numbers: OfInputs | None = None
    texts: OfInputs | None = None

    def inputs_of(self, rows: pa.Table) -> pa.Table | None:
        """Rows as its preprocessing has them. Returns the rows; None where they have no input that it changes."""
        inputs = {name: _values(rows, name) for name in rows.column_names if name.startswith(INPUT)}
        changed: dict[str, Values] = {}
        if self.numbers is not None:
            changed |= self.numbers({name: values for name, values in inputs.items() if values.dtype.kind == "f"})
        if self.texts is not None:
            changed |= self.texts({name: values for name, values in inputs.items() if values.dtype == object})
        for name, values in changed.items():
            rows = rows.set_column(rows.column_names.index(name), *_column(rows, name, values))
        return rows if changed else None


def _values(rows: pa.Table, name: str) -> Values:
    """The values of a logged column, [n, ...]; where rows have different sizes none, [n, 0]."""
    column, shape = rows[name].combine_chunks(), (rows.schema.field(name).metadata or {}).get(b"shape", b"[]")
    flat = column.flatten() if pa.types.is_list(column.type) else column
    values, count, sizes = np.asarray(flat.to_numpy(zero_copy_only=False)), rows.num_rows, json.loads(shape)
    if values.size != count * int(np.prod(sizes)) or min(sizes, default=0) < 0:
        is_even = count and values.size % count == 0
        sizes, values = ([values.size // count], values) if is_even else ([0], values[:0])
    return values.reshape(count, *sizes)


def _column(rows: pa.Table, name: str, values: Values) -> tuple[pa.Field, pa.Array]:
    """Values in the form of a logged column."""
    field = rows.schema.field(name)
    flat = pa.array(values.reshape(-1), field.type.value_type if pa.types.is_list(field.type) else field.type)
    if not pa.types.is_list(field.type):
        return field, flat
    offsets = np.arange(len(values) + 1, dtype=np.int32) * (len(flat) // max(len(values), 1))
    return field, pa.ListArray.from_arrays(pa.array(offsets), flat)


def _each(change: Callable[[Values], Values]) -> OfInputs:
    """The same change of every column."""
    return lambda inputs: {name: change(values).astype(values.dtype) for name, values in inputs.items() if values.size}


def _next_ones(inputs: dict[str, Values]) -> dict[str, Values]:
    """Each scalar number has the values of the next one."""
    names = [name for name, values in inputs.items() if values.ndim == 1]
    return {name: inputs[other] for name, other in zip(names, names[1:] + names[:1], strict=True)} if names[1:] else {}


def _other_channels(inputs: dict[str, Values]) -> dict[str, Values]:
    images = {name: values for name, values in inputs.items() if values.ndim > 2 and values.shape[-1] in _CHANNELS}
    return {name: values[..., ::-1] for name, values in images.items()}


def _standardised(values: Values) -> Values:
    mean, deviation = _moments(values)
    return np.asarray((values - mean) / np.where(deviation > 0.0, deviation, 1.0))


def _moments(values: Values) -> tuple[Floats, Floats]:
    """Mean and standard deviation over the rows, with missing numbers as 0."""
    filled = np.nan_to_num(values.astype(np.float64))
    return np.asarray(filled.mean(axis=0)), np.asarray(filled.std(axis=0))


def _three_levels(values: Values) -> Values:
    mean, deviation = _moments(values)
    step = np.where(deviation > 0.0, 2.0 * deviation, 1.0)
    return np.asarray(mean + np.clip(np.round((values - mean) / step), -1.0, 1.0) * step)


def _unknown_half(values: Values) -> Values:
    """Values of which the first byte's sum is odd are out of the vocabulary."""
    return np.array([b"unknown" if sum(cell or b"") % 2 else cell for cell in values.reshape(-1)], object).reshape(
        values.shape
    )


def _other_case(values: Values) -> Values:
    return np.array([None if cell is None else cell.swapcase() + b" " for cell in values.reshape(-1)], object).reshape(
        values.shape
    )


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _logs(answers: Floats) -> Floats:
    return np.asarray(np.log(np.clip(answers, _LEAST, 1.0)))


def _without_last(answers: Floats, _rng: np.random.Generator) -> Floats:
    probabilities = answers.copy()
    probabilities[:, -1] = 0.0
    return np.asarray(probabilities / np.maximum(probabilities.sum(axis=1, keepdims=True), _LEAST))


def _raised_last(answers: Floats, _rng: np.random.Generator) -> Floats:
    logits = _logs(answers)
    logits[:, -1] += 1.5
    return _softmax(logits)


def _two_bits(answers: Floats, _rng: np.random.Generator) -> Floats:
    rounded = np.floor(answers * 2.0) / 2.0 + _LEAST
    return np.asarray(rounded / rounded.sum(axis=1, keepdims=True))


def noisy(answers: Floats, rng: np.random.Generator) -> Floats:
    """Probabilities, [n, classes], with noise of one standard deviation on their logarithms."""
    logits = _logs(answers)
    return _softmax(logits + logits.std() * rng.standard_normal(logits.shape))


def _some_missing(answers: Floats, rng: np.random.Generator) -> Floats:
    return np.where(rng.random((len(answers), 1)) < 0.02, np.nan, answers)


def _by_answers(name: str, what: str, change: OfAnswers, *, of_classes: bool = True) -> BadVersion:
    return BadVersion(name=name, what=what, answers=change, of_classes=of_classes)


def _by_numbers(name: str, what: str, change: Callable[[Values], Values]) -> BadVersion:
    return BadVersion(name=name, what=what, numbers=_each(change))


#: The versions: of answers for probabilities of several classes, of inputs for any model.
BAD_VERSIONS = (
    _by_answers("class-zeroed", "the last class is never answered", _without_last),
    _by_answers("classes-swapped", "classes are in another order", lambda answers, _: np.roll(answers, 1, axis=1)),
    _by_answers("class-raised", "the log odds of the last class are 1.5 too high", _raised_last),
    _by_answers("quantised", "answers are rounded down to halves", _two_bits),
    _by_answers("softmax-twice", "a second softmax flattens the answers", lambda answers, _: _softmax(answers)),
    _by_answers("overconfident", "log odds are tripled", lambda answers, _: _softmax(3.0 * _logs(answers))),
    _by_answers(
        "constant",
        "each row has the mean answer",
        lambda answers, _: np.tile(np.nanmean(answers, axis=0), (len(answers), 1)),
        of_classes=False,
    ),
    _by_answers(
        "row-shifted",
        "each row has the answer of the row before",
        lambda answers, _: np.roll(answers, 1, axis=0),
        of_classes=False,
    ),
    _by_answers("undertrained", "noise of one standard deviation on the log odds", noisy),
    _by_answers(
        "untrained", "answers are random", lambda answers, rng: rng.dirichlet(np.ones(answers.shape[1]), len(answers))
    ),
    _by_answers("failing", "2 % of the rows have NaN", _some_missing, of_classes=False),
    _by_numbers("unit", "numbers are a hundred times as large", lambda values: values * 100.0),
    _by_numbers("standardised-twice", "numbers are standardised before a model that does so itself", _standardised),
    _by_numbers("zeros", "numbers are 0, as if missing ones had been filled in", np.zeros_like),
    _by_numbers(
        "stuck",
        "each number has one value in all rows",
        lambda values: np.broadcast_to(_moments(values)[0], values.shape),
    ),
    _by_numbers("negated", "numbers have the other sign", np.negative),
    _by_numbers(
        "shifted", "numbers are two standard deviations too high", lambda values: values + 2.0 * _moments(values)[1]
    ),
    _by_numbers("inputs-quantised", "numbers are rounded to three levels", _three_levels),
    BadVersion(name="numbers-swapped", what="each number has the values of the next one", numbers=_next_ones),
    BadVersion(name="channels-swapped", what="images have their channels in the other order", numbers=_other_channels),
    BadVersion(name="stale-vocabulary", what="half of the words are out of the vocabulary", texts=_each(_unknown_half)),
    BadVersion(name="other-case", what="texts have the other case, and a blank at the end", texts=_each(_other_case)),
)


def bad_versions(names: Sequence[str]) -> tuple[BadVersion, ...]:
    """The versions of some names, all without names. Raises BadInput where there is none of a name."""
    unknown = sorted(set(names) - {version.name for version in BAD_VERSIONS})
    if unknown:
        raise BadInput(
            "There is no such bad version.",
            got=", ".join(unknown),
            expected=f"one of: {', '.join(version.name for version in BAD_VERSIONS)}",
            fix="Leave --version out, to plant them all.",
        )
    return tuple(version for version in BAD_VERSIONS if not names or version.name in names)
