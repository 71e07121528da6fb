"""Faults of answers: constant ones, scores that are miscalibrated, and those of a weaker version of the model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.baseline.spec import BaselineSpec
from monitoring.drills.faults.fault import Fault, FaultScope, Plant, Targets, with_column

Floats = NDArray[np.float64]

#: By how much scores are flattened and sharpened, and how far the log odds of one class are shifted.
FLATTENED, SHARPENED, SHIFTED = 0.5, 2.0, 0.5

#: The noise of a weaker version, in standard deviations of its log odds, or of its numbers.
WEAKER = 1.0

#: Probabilities are no nearer to 0 and 1 than this before their log odds are taken.
_LEAST = 1e-6


def answers_of(rows: pa.Table, spec: BaselineSpec) -> Floats:
    """The answers of rows, [n, width]."""
    column = rows["probabilities"].combine_chunks()
    values = column if pa.types.is_primitive(column.type) else column.flatten()
    width = len(values) // rows.num_rows if rows.num_rows else spec.task.width
    return np.asarray(values, dtype=np.float64).reshape(rows.num_rows, width)


def with_answers(rows: pa.Table, answers: Floats) -> pa.Table:
    """The rows with other answers, [n, width], in the form that they had."""
    if pa.types.is_primitive(rows["probabilities"].type):
        return with_column(rows, "probabilities", pa.array(answers[:, 0]))
    offsets = np.arange(0, answers.size + 1, answers.shape[1], dtype=np.int32)
    return with_column(rows, "probabilities", pa.ListArray.from_arrays(pa.array(offsets), pa.array(answers.ravel())))


def has_numbers(spec: BaselineSpec) -> bool:
    """Whether there are answers, and they are numbers."""
    return spec.has_probabilities and not spec.task.answers_are_hashes and bool(spec.task.output_watches)


def has_probabilities(spec: BaselineSpec) -> bool:
    """Whether the answers are probabilities of classes."""
    return spec.has_probabilities and bool(spec.task.classes)


def _where(holds: Callable[[BaselineSpec], bool]) -> Targets:
    """Targets of a fault of no column, where a deployment has what it needs."""
    return lambda scope: ("",) if scope.sample.num_rows and holds(scope.spec) else ()


def _has_classes(spec: BaselineSpec) -> bool:
    return spec.task.exclusive


def _even(rows: pa.Table, _target: str, scope: FaultScope, _rng: np.random.Generator) -> pa.Table:
    task = scope.spec.task
    return with_answers(rows, task.of_log_odds(np.zeros((rows.num_rows, task.width))))


def _base_rate(rows: pa.Table, _target: str, scope: FaultScope, _rng: np.random.Generator) -> pa.Table:
    clean = answers_of(scope.sample, scope.spec)
    mean = clean[np.isfinite(clean).all(axis=1)].mean(axis=0)
    return with_answers(rows, np.tile(mean, (rows.num_rows, 1)))


def _one_class(rows: pa.Table, _target: str, scope: FaultScope, _rng: np.random.Generator) -> pa.Table:
    clean = answers_of(scope.sample, scope.spec)
    answers = np.zeros((rows.num_rows, scope.spec.task.width))
    answers[:, int(np.argmax(np.nan_to_num(clean).sum(axis=0)))] = 1.0
    return with_answers(rows, answers)


@dataclass(frozen=True, slots=True)
class OnLogOdds:
    """Changes the log odds of probabilities: of each class, relative to the others where a row has one of them."""

    change: Callable[[Floats, np.random.Generator], Floats]

    def __call__(self, rows: pa.Table, _target: str, scope: FaultScope, rng: np.random.Generator) -> pa.Table:
        """Plant it; see `monitoring.drills.faults.fault.Plant`."""
        answers = np.clip(answers_of(rows, scope.spec), _LEAST, 1.0 - _LEAST)
        odds = self.change(scope.spec.task.log_odds(answers, _LEAST), rng)
        return with_answers(rows, scope.spec.task.of_log_odds(odds))


def _shifted(by: float) -> Callable[[Floats, np.random.Generator], Floats]:
    """The last class gains so much; where a row may have several, each does."""

    def change(odds: Floats, _rng: np.random.Generator) -> Floats:
        moved = odds.copy()
        moved[:, -1] += by
        return moved

    return change


def _weaker(rows: pa.Table, _target: str, scope: FaultScope, rng: np.random.Generator) -> pa.Table:
    if has_probabilities(scope.spec):
        return OnLogOdds(_with_noise)(rows, _target, scope, rng)
    return with_answers(rows, _with_noise(answers_of(rows, scope.spec), rng))


def _with_noise(values: Floats, rng: np.random.Generator) -> Floats:
    deviations = np.nan_to_num(np.nanstd(values, axis=0)) if len(values) else np.zeros(values.shape[1])
    return values + WEAKER * deviations * rng.standard_normal(values.shape)


def _fault(name: str, title: str, what: str, plant: Plant, holds: Callable[[BaselineSpec], bool]) -> Fault:
    needs: dict[Callable[[BaselineSpec], bool], str] = {
        has_numbers: "a model that answers numbers, not classes or ids alone",
        has_probabilities: "a model that answers probabilities of classes",
        _has_classes: "a model of which a row has one of several classes",
    }
    return Fault(
        name=name,
        title=title,
        what=what,
        touches="answers",
        level="page",
        needs=needs[holds],
        targets=_where(holds),
        plant=plant,
    )


ANSWER_FAULTS = (
    _fault(
        "answers-even",
        "answers constant, even",
        "answers every row that all classes are as likely",
        _even,
        has_probabilities,
    ),
    _fault(
        "answers-base-rate",
        "answers constant, the mean",
        "answers every row the mean of the clean answers",
        _base_rate,
        has_numbers,
    ),
    _fault(
        "answers-one-class",
        "answers constant, one class",
        "answers every row the commonest class, with certainty",
        _one_class,
        _has_classes,
    ),
    _fault(
        "scores-flattened",
        "scores flattened",
        "halves the log odds of the probabilities",
        OnLogOdds(lambda odds, _rng: FLATTENED * odds),
        has_probabilities,
    ),
    _fault(
        "scores-sharpened",
        "scores sharpened",
        "doubles the log odds of the probabilities",
        OnLogOdds(lambda odds, _rng: SHARPENED * odds),
        has_probabilities,
    ),
    _fault(
        "scores-raised",
        "scores raised",
        "adds .5 to the log odds of the last class",
        OnLogOdds(_shifted(SHIFTED)),
        has_probabilities,
    ),
    _fault(
        "scores-lowered",
        "scores lowered",
        "takes .5 from the log odds of the last class",
        OnLogOdds(_shifted(-SHIFTED)),
        has_probabilities,
    ),
    _fault(
        "wrong-version",
        "a weaker version served",
        "adds noise of one standard deviation to log odds, or to numbers: the answers of a model that knows less",
        _weaker,
        has_numbers,
    ),
)
