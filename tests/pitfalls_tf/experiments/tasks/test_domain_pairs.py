"""Tasks from one domain to another."""

from __future__ import annotations

import numpy as np
import pytest

from pitfalls_tf.experiments.tasks import domain_pairs


def test_digits_share_no_image_between_training_and_scoring() -> None:
    for task in domain_pairs.digits(quick=True):
        assert task.target is not None
        seen = {image.tobytes() for image in task.target.inputs}
        plain = task.parts[0].examples
        # Some scans and fonts occur twice in their source; a split by rows cannot separate those.
        assert np.mean([image.tobytes() in seen for image in plain.inputs]) < 0.05
        assert [part.domain.split(", ")[1] for part in task.parts] == ["plain", "noise", "blur", "rotation"]


def test_columns_that_are_constant_in_the_training_airport_are_zero_everywhere() -> None:
    for task in domain_pairs.flights(quick=True):
        constant = task.training.inputs.std(axis=0) == 0
        assert constant.any()
        assert task.target is not None
        for rows in (task.target, task.validation, *(part.examples for part in task.parts)):
            assert not rows.inputs[:, constant].any()


@pytest.mark.parametrize("quick", [True, False])
def test_pairs_never_join_a_name_with_itself(*, quick: bool) -> None:
    found = domain_pairs.pairs(("a", "b", "c"), quick=quick)
    assert len(set(found)) == len(found) == (3 if quick else 6)
    assert not [pair for pair in found if pair[0] == pair[1]]
