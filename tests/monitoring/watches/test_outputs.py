"""Watches on what the model predicts: each class's probability, and the largest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from monitoring.watches import outputs
from tests.monitoring.watches.labelled_rows import Sample, samples


@given(samples(classes=3))
def test_scores_are_the_probabilities_and_the_largest_of_them(sample: Sample) -> None:
    probabilities, _ = sample
    found = outputs.scores(probabilities, ("a", "b", "c"))
    for place, name in enumerate(("a", "b", "c")):
        np.testing.assert_array_equal(found[f"output:{name}"], probabilities[:, place])
    np.testing.assert_array_equal(found["output:confidence"], probabilities.max(axis=1))


@pytest.mark.parametrize("classes", [("no", "yes"), ("a", "b", "c"), ("a", "b", "c", "d")])
def test_every_watch_has_its_scores_and_no_score_is_without_a_watch(classes: tuple[str, ...]) -> None:
    probabilities = np.full((4, len(classes)), 1.0 / len(classes))
    watched = outputs.watches(classes)
    assert {watch.name for watch in watched} == set(outputs.scores(probabilities, classes))
    assert {(watch.level, watch.direction, watch.needs_label) for watch in watched} == {("notice", "both", False)}


def test_of_two_classes_the_second_says_it_all() -> None:
    assert set(outputs.scores(np.array([[0.25, 0.75]]), ("no", "yes"))) == {"output:yes", "output:confidence"}


@given(samples())
def test_a_confidence_known_already_gives_the_same(sample: Sample) -> None:
    probabilities, _ = sample
    classes = tuple(str(place) for place in range(probabilities.shape[1]))
    known = outputs.scores(probabilities, classes, probabilities.max(axis=1))
    for name, scores in outputs.scores(probabilities, classes).items():
        np.testing.assert_array_equal(known[name], scores)
