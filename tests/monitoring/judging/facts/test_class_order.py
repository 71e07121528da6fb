"""Answers that fit their labels if classes are read in another order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.baseline.predictions import Predictions
from monitoring.judging.facts.class_order import REORDERED, ClassOrder
from monitoring.records.finding_parts import ReorderedClasses
from monitoring.sentences.finding_text import finding_text
from monitoring.tasks.classification import Classification

TASK = Classification(classes=("fine", "late", "lost", "sent back"))
SHARES, ALPHA = (0.55, 0.25, 0.15, 0.05), 1e-6


def rows(seed: int, count: int, order: tuple[int, ...] = (0, 1, 2, 3)) -> Predictions:
    """Answers that are right in four of five rows, whose classes are then written in another order."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(4, count, p=SHARES)
    answered = np.where(rng.random(count) < 0.8, labels, rng.choice(4, count, p=SHARES))
    probabilities = np.full((count, 4), 0.1)
    probabilities[np.arange(count), np.array(order)[answered]] = 0.7
    return Predictions(
        ids=pa.array([str(number) for number in range(count)], pa.string()),
        event_times=np.arange(count),
        features=pa.table({}),
        probabilities=probabilities,
        labels=labels,
        label_times=np.arange(count),
    )


def limit() -> ClassOrder:
    fitted = ClassOrder.fit(rows(0, 5_000), TASK)
    assert fitted is not None
    return fitted


@given(seed=st.integers(1, 10_000), count=st.integers(1, 400))
@settings(max_examples=40, deadline=None)
def test_a_sound_window_has_none(seed: int, count: int) -> None:
    assert limit().findings(rows(seed, count), ALPHA) == ()


@pytest.mark.parametrize("order", [(0, 2, 1, 3), (1, 2, 0, 3), (1, 0, 3, 2)])
def test_the_order_is_named(order: tuple[int, ...]) -> None:
    (fact,) = limit().findings(rows(1, 400, order), ALPHA)
    assert (fact.kind, fact.feature) == (REORDERED, "model answers")
    assert isinstance(fact.parts, ReorderedClasses)
    back = {TASK.classes[other]: TASK.classes[one] for one, other in enumerate(order) if one != other}
    assert dict(fact.parts.classes) == back
    assert fact.parts.fitting > 4 * fact.parts.answered
    assert "check the order of the model's classes" in finding_text(fact)


def test_two_classes_in_words() -> None:
    (fact,) = limit().findings(rows(1, 400, (0, 2, 1, 3)), ALPHA)
    assert finding_text(fact).startswith("Answers fit their labels if late and lost are exchanged: ")


def test_labels_that_are_all_one_class_are_no_order() -> None:
    window = rows(2, 400)
    window.labels[:] = 1
    assert limit().findings(window, ALPHA) == ()


def test_a_model_of_two_classes_and_one_whose_baseline_is_as_bad_have_none() -> None:
    both = rows(0, 50)
    two = replace(both, probabilities=both.probabilities[:, :2], labels=both.labels % 2)
    assert ClassOrder.fit(two, Classification(classes=("no", "yes"))) is None
    bad = ClassOrder.fit(rows(0, 5_000, (0, 2, 1, 3)), TASK)
    assert bad is not None
    assert bad.findings(rows(1, 400, (0, 2, 1, 3)), ALPHA) == ()
