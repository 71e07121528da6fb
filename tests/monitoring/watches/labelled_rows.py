"""Strategies and builders of labelled predictions."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

#: Probabilities [n, classes], and labels [n] as class indices.
Sample: TypeAlias = tuple[NDArray[np.float64], NDArray[np.int64]]


@st.composite
def samples(draw: st.DrawFn, classes: int | None = None, most: int = 30) -> Sample:
    """Up to `most` rows, at least one, of two to four classes unless stated otherwise."""
    count, width = draw(st.integers(1, most)), classes or draw(st.integers(2, 4))
    weights = draw(hnp.arrays(np.float64, (count, width), elements=st.floats(0.001, 1.0)))
    labels = draw(hnp.arrays(np.int64, count, elements=st.integers(0, width - 1)))
    return weights / weights.sum(axis=1, keepdims=True), labels


def drawn(count: int, seed: int, *, classes: int = 3, power: float = 1.0) -> Sample:
    """A model that predicts p while labels follow p to that power, divided by its sum."""
    rng = np.random.default_rng(seed)
    answers = rng.dirichlet(np.full(classes, 0.8), count)
    truth = answers**power / (answers**power).sum(axis=1, keepdims=True)
    labels = (truth.cumsum(axis=1) < rng.random(count)[:, None]).sum(axis=1)
    return answers, np.minimum(labels, classes - 1)
