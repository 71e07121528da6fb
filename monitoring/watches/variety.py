"""Variety: whether answers and labelled numbers take many values, or one, from sums that add up in any order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.records import SCORE_ONE
from monitoring.tasks.output_names import named
from monitoring.tasks.registry import ranking_of
from monitoring.tasks.task import Floats, Task, Whole
from monitoring.watches.scoring import fixed_point_sum

#: Rows are counted by a hash of their values, of so many.
BUCKETS = 64

#: Columns of one answer that are hashed, and scores of it whose variance is known: those that vary most.
MAX_COLUMNS = 3

#: Parts of an answer, such as classes of which a row may have several.
MAX_PARTS = 12

#: Bits of a 32-bit float that are left out: values that differ by less than one part in 2^15 count as one.
_ROUNDED_BITS = 8
_FACTORS = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D)


@dataclass(frozen=True, slots=True, kw_only=True)
class VarietyPart:
    """A part of each row: a whole answer, one class or number of it, one output, or a labelled number.

    Attributes:
        name: What it is, in words; empty for the whole.
        columns: The columns whose values are hashed, at most `MAX_COLUMNS`.
        scores: The scores whose variance is known, at most as many.
    """

    name: str
    columns: tuple[int, ...]
    scores: tuple[str, ...]

    def tally(self, values: Floats, scores: Mapping[str, Floats]) -> Whole:
        """Sums over rows.

        Args:
            values: The rows' values, finite, [n, width].
            scores: Scores in [0, 1], [n], by name.

        Returns:
            Rows by hash, and for each of `MAX_COLUMNS` scores its sum and that of its squares, in fixed point, int64
            [BUCKETS + 2 · MAX_COLUMNS].
        """
        sums = np.zeros(BUCKETS + 2 * MAX_COLUMNS, dtype=np.int64)
        sums[:BUCKETS] = np.bincount(self._hashes(values), minlength=BUCKETS)
        for place, name in enumerate(self.scores):
            sums[BUCKETS + 2 * place] = fixed_point_sum(scores[name])
            sums[BUCKETS + 2 * place + 1] = fixed_point_sum(scores[name] ** 2)
        return sums

    def _hashes(self, values: Floats) -> NDArray[np.uint32]:
        hashes = np.zeros(len(values), dtype=np.uint32)
        for column, factor in zip(self.columns, _FACTORS, strict=False):
            with np.errstate(over="ignore"):
                bits = values[:, column].astype(np.float32).view(np.uint32)
            bits += np.uint32(1 << (_ROUNDED_BITS - 1))
            bits >>= np.uint32(_ROUNDED_BITS)
            bits *= np.uint32(factor)
            hashes ^= bits
        hashes *= np.uint32(_FACTORS[0])
        hashes >>= np.uint32(32 - (BUCKETS - 1).bit_length())
        return hashes


@dataclass(frozen=True, slots=True, kw_only=True)
class Variety:
    """What a tally of one part says. `commonest`: the rows of the commonest hash."""

    rows: int
    commonest: int
    means: tuple[float, ...]
    deviations: tuple[float, ...]

    @classmethod
    def of(cls, part: VarietyPart, tally: Whole) -> Variety:
        """From a tally.

        >>> part = VarietyPart(name="", columns=(0,), scores=("p",))
        >>> values = np.array([[0.25], [0.25], [0.75], [0.25]])
        >>> Variety.of(part, part.tally(values, {"p": values[:, 0]}))
        Variety(rows=4, commonest=3, means=(0.375,), deviations=(0.21650635094610965,))
        """
        rows = int(tally[:BUCKETS].sum())
        sums = tally[BUCKETS:].tolist()
        means, deviations = [], []
        for place in range(len(part.scores)):
            total, squares = sums[2 * place], sums[2 * place + 1]
            variance = (squares * SCORE_ONE * rows - total * total) / max(rows * SCORE_ONE, 1) ** 2
            means.append(total / max(rows * SCORE_ONE, 1))
            deviations.append(max(variance, 0.0) ** 0.5)
        return cls(rows=rows, commonest=int(tally[:BUCKETS].max()), means=tuple(means), deviations=tuple(deviations))


def answer_parts(task: Task, answers: Floats) -> tuple[VarietyPart, ...]:
    """The parts of a task's answers.

    Args:
        answers: The baseline's, finite, [n, width].

    Returns:
        One for the whole answer where a row has one of several classes, a number or a list of ids; one for each class
        or number otherwise, at most `MAX_PARTS`.
    """
    if task.outputs_judged:
        parts: list[VarietyPart] = []
        first = 0
        for output, output_answers in task.parts(answers):
            columns = range(first, first + output.task.width)
            for part in answer_parts(output.task, output_answers):
                name = f"{output.output} {part.name}".strip()
                scores = tuple(named(output.output, score) for score in part.scores)
                parts.append(VarietyPart(name=name, columns=tuple(columns[at] for at in part.columns), scores=scores))
            first += output.task.width
        return tuple(parts[:MAX_PARTS])
    ranking = ranking_of(task)
    if ranking is not None:
        return (VarietyPart(name="", columns=tuple(range(min(ranking.places, MAX_COLUMNS))), scores=()),)
    if task.exclusive:
        chosen = (1,) if len(task.classes) == 2 else _most_varied(answers)
        scores = tuple(f"output:{task.classes[column]}" for column in chosen)
        return (VarietyPart(name="", columns=chosen, scores=scores),)
    return tuple(
        VarietyPart(name=name, columns=(column,), scores=(score,))
        for column, (name, score) in enumerate(_numbers(task)[:MAX_PARTS])
    )


def _numbers(task: Task) -> tuple[tuple[str, str], ...]:
    """The name of each number of an answer, and of its score."""
    numbers = ((name, f"prediction:{name}:location" if name else "prediction:location") for name in task.number_names)
    return (*((name, f"output:{name}") for name in task.classes), *numbers)


def _most_varied(answers: Floats) -> tuple[int, ...]:
    """The columns with the largest variance."""
    order = np.argsort(-answers.var(axis=0), kind="stable") if len(answers) else np.arange(answers.shape[1])
    return tuple(sorted(order[:MAX_COLUMNS].tolist()))
