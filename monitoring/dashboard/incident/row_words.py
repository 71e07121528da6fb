"""Answers, labels and inputs of single rows in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitoring.tasks.label_codes import has_label
from monitoring.tasks.ranking import Ranking
from monitoring.tasks.registry import ranking_of
from monitoring.tasks.task import Floats, Task, Whole
from monitoring.watches.descriptions import NOTHING, printable

#: Numbers of an answer that are shown.
_NUMBERS = 4

NO_IDS: Mapping[int, str] = MappingProxyType({})

#: Characters of the hash by which an id is shown.
_HASH = 6


def answer_words(task: Task, answers: Floats, ids: Mapping[int, str] = NO_IDS) -> tuple[str, ...]:
    """What each row was answered; of one class a row with its probability.

    Args:
        ids: The ids of a ranking by their codes, as far as they are known.

    Returns:
        [n].

    >>> from monitoring.tasks.classification import Classification
    >>> answer_words(Classification(classes=("on_time", "late")), np.array([[0.25, 0.75]]))
    ('late, 0.75',)
    """
    usable = np.asarray(np.isfinite(answers).all(axis=1), dtype=np.bool_)
    words = iter(_words(task.read_answers(answers[usable]), task, ids))
    texts = [next(words) if is_usable else "invalid" for is_usable in usable.tolist()]
    if task.classes and task.exclusive:
        texts = [
            f"{text}, {probability:.2g}" if fine else text
            for text, probability, fine in zip(texts, answers.max(axis=1).tolist(), usable.tolist(), strict=True)
        ]
    return tuple(texts)


def label_words(task: Task, labels: Whole, ids: Mapping[int, str] = NO_IDS) -> tuple[str, ...]:
    """The label of each row.

    Args:
        ids: The ids of a ranking by their codes, as far as they are known.

    Returns:
        [n]; a dash where there is none.
    """
    is_labelled = has_label(labels) if task.metrics else np.zeros(len(labels), dtype=np.bool_)
    unknown = is_labelled & task.unknown(labels) if task.metrics else is_labelled
    words = iter(_words(task.read_labels(labels[is_labelled & ~unknown]), task, ids))
    return tuple(
        (("unknown class" if odd else next(words)) if has else NOTHING)
        for has, odd in zip(is_labelled.tolist(), unknown.tolist(), strict=True)
    )


def value_words(value: float | str | None) -> str:
    """A value of an input.

    Returns:
        Six digits of a number; a dash for what is missing.

    >>> value_words(1234.5678), value_words("EWR")
    ('1,234.57', 'EWR')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return NOTHING
    return printable(value) if isinstance(value, str) else f"{value:,.6g}"


def _id_words(codes: Sequence[int], task: Ranking, ids: Mapping[int, str]) -> list[str]:
    """The ids of an answer or a label, by name as far as it is known, the others by a part of their hash."""
    names = {**dict(task.first), **ids}
    return [names.get(code, f"#{code % 16**_HASH:0{_HASH}x}") for code in codes if code > 0]


def _words(values: NDArray[Any], task: Task, ids: Mapping[int, str]) -> list[str]:
    """Answers or labels as `Task.read_answers` gives them."""
    ranking = ranking_of(task)
    if ranking is not None:
        return [printable(", ".join(_id_words(row, ranking, ids))) for row in values.tolist()]
    if values.dtype.kind == "b":
        named = [[name for name, has in zip(task.classes, row, strict=True) if has] for row in values.tolist()]
        return [printable(", ".join(names)) or "none" for names in named]
    if values.dtype.kind == "f":
        rows = values.reshape(len(values), -1)
        more = f" and {rows.shape[1] - _NUMBERS} more" if rows.shape[1] > _NUMBERS else ""
        return [", ".join(f"{number:,.4g}" for number in row[:_NUMBERS]) + more for row in rows.tolist()]
    return [printable(str(value)) for value in values.tolist()]
