"""Features by name make up the tensors of a model."""

from __future__ import annotations

import numpy as np
import pytest

from monitoring.errors import BadInput
from serving.export.inputs.model_inputs import FeedPlan, ModelInput
from serving.export.keras_model import KerasModel
from tests.serving.export_model import of_three


def test_features_that_do_not_fit_the_model() -> None:
    with pytest.raises(BadInput, match=r"2 features; expected x \[3\]"):
        KerasModel(of_three(), ("a", "b"))
    tensors = [ModelInput(name="x", dtype="float32", shape=(2,)), ModelInput(name="a", dtype="string", shape=())]
    with pytest.raises(BadInput, match="one name"):
        FeedPlan([tensors[0], ModelInput(name="y", dtype="float32", shape=(2,))], ("a", "b", "a", "c"))
    plan = FeedPlan(tensors, ("p", "q", "city"))
    assert plan.columns == {"p": "p", "q": "q", "a": "city"}
    assert FeedPlan(tensors, ("lists", "city")).columns == {"x": "lists", "a": "city"}
    assert FeedPlan(tensors, ("a", "x")).columns == {"x": "x", "a": "a"}


def test_inputs_by_their_own_names_need_no_order_and_no_features_none() -> None:
    tensors = [ModelInput(name="x", dtype="float32", shape=(2,)), ModelInput(name="word", dtype="string", shape=())]
    for features in ((), ("word", "x")):
        plan = FeedPlan(tensors, features)
        assert plan.inputs == tuple(tensors)
        assert plan.columns == {"x": "x", "word": "word"}


def test_the_numbers_of_a_tensor_are_stacked_in_the_order_of_its_features() -> None:
    plan = FeedPlan([ModelInput(name="x", dtype="float32", shape=(3,))], ("c", "a", "b"))
    assert [(one.name, one.shape, one.dtype) for one in plan.inputs] == [
        ("c", (), "float32"),
        ("a", (), "float32"),
        ("b", (), "float32"),
    ]
    rows = {"a": np.array([1.0, 2.0]), "b": np.array([3.0, 4.0]), "c": np.array([5.0, 6.0])}
    assert plan.tensors(rows)["x"].numpy().tolist() == [[5.0, 1.0, 3.0], [6.0, 2.0, 4.0]]


@pytest.mark.parametrize(
    ("dtype", "kind", "is_float"),
    [
        ("string", "category", False),
        ("float16", "number", True),
        ("bfloat16", "number", True),
        ("int64", "number", False),
    ],
)
def test_an_input_knows_its_kind(dtype: str, kind: str, is_float: bool) -> None:
    one = ModelInput(name="x", dtype=dtype, shape=())
    assert (one.kind, one.is_float) == (kind, is_float)
