"""The specification of a baseline: its inputs by name."""

from __future__ import annotations

import pytest

from monitoring.baseline.spec import BaselineSpec, Embedding, FeatureSpec
from tests.monitoring.baseline.reference_tables import SPEC


def test_an_input_is_found_by_its_name() -> None:
    assert SPEC.feature("c") == FeatureSpec(name="c", kind="category")
    with pytest.raises(KeyError, match="other"):
        SPEC.feature("other")


def test_a_specification_is_a_value() -> None:
    again = BaselineSpec(classes=("a", "b"), features=SPEC.features)
    assert again == SPEC
    assert hash(again) == hash(SPEC)
    embedding = Embedding(tensors=("image",), columns=("embedding:1",))
    assert BaselineSpec(classes=("a", "b"), features=SPEC.features, embedding=embedding) != SPEC


def test_probabilities_are_known_unless_stated_otherwise() -> None:
    assert SPEC.has_probabilities
    assert (SPEC.columns, SPEC.embedding) == ((), None)
