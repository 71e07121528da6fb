"""Signatures as a SavedModel has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from tensorflow.core.framework import types_pb2

from serving.models.runner import Runner
from serving.models.signatures import (
    ELEMENT_TYPES,
    ELEMENT_TYPES_BY_NAME,
    Signature,
    TensorSpec,
    element_type_of,
    numpy_type,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_signatures_of_a_saved_model_are_read(models_folder: Path) -> None:
    runner = Runner(models_folder / "named" / "1")
    signature = runner.signatures["serving_default"]
    assert list(signature.inputs) == ["feat", "ints", "name"]
    assert signature.inputs["feat"].shape == (-1, 2)
    assert signature.inputs["name"].element.name == "string"
    assert signature.is_batchable
    assert not runner.signatures["scalar_out"].is_batchable, "a sum over the batch mixes rows"
    assert "__saved_model_init_op" not in runner.signatures
    assert "__saved_model_init_op" in runner.signature_definitions
    runner.close()


def spec(shape: tuple[int, ...] | None, element: str = "float") -> TensorSpec:
    return TensorSpec(name="x", graph_name="x:0", element=ELEMENT_TYPES_BY_NAME[element], shape=shape)


def made(*inputs: TensorSpec, outputs: tuple[TensorSpec, ...] = ()) -> Signature:
    given = {f"i{number}": one for number, one in enumerate(inputs)}
    return Signature(name="s", method="", inputs=given, outputs={f"o{n}": one for n, one in enumerate(outputs)})


@pytest.mark.parametrize(
    ("inputs", "outputs", "is_batchable"),
    [
        ([(-1,)], [(-1, 3)], True),
        ([(-1, -1), (-1,)], [(-1,)], True),
        ([(5,)], [(-1,)], False),
        ([(-1,)], [()], False),
        ([None], [(-1,)], False),
        ([(-1,)], [None], False),
        ([], [(-1,)], False),
    ],
)
def test_requests_are_joined_where_the_first_dimension_of_every_tensor_is_open(
    inputs: list[tuple[int, ...] | None], outputs: list[tuple[int, ...] | None], *, is_batchable: bool
) -> None:
    signature = made(*map(spec, inputs), outputs=tuple(map(spec, outputs)))
    assert signature.is_batchable == is_batchable


def test_the_types_of_inputs_are_known_where_no_inner_dimension_is_open() -> None:
    assert made(spec((-1, 2)), spec((-1,), "string")).input_types == (
        ("i0", np.dtype("float32"), (2,)),
        ("i1", np.dtype(object), ()),
    )
    for open_input in (spec((-1, -1)), spec((-1,), "bfloat16"), spec(None)):
        assert made(open_input).input_types is None


@pytest.mark.parametrize("element", list(ELEMENT_TYPES_BY_NAME))
def test_every_element_type_has_an_array_that_leads_back_to_it(element: str) -> None:
    dtype = numpy_type(element)
    found = element_type_of(np.zeros(1, dtype))
    assert found.name == element
    assert (found.number == 0) == (element == "bfloat16")


def test_numbers_and_names_are_those_of_tensorflow() -> None:
    assert {types_pb2.DataType.Name(number) for number in ELEMENT_TYPES} == {
        element.proto for element in ELEMENT_TYPES.values()
    }
    for number, element in ELEMENT_TYPES.items():
        assert (element.number, types_pb2.DataType.Name(number)) == (number, element.proto)
