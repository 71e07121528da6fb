"""Classify and Regress use the tensors that TensorFlow Serving uses, and refuse other signatures in its words."""

from __future__ import annotations

import pytest

from serving.models.heads import Head, read_head
from serving.models.signatures import ELEMENT_TYPES_BY_NAME, Signature, TensorSpec
from serving.status import Code, Failure


def signature(inputs: str, outputs: str) -> Signature:
    def specs(names: str) -> dict[str, TensorSpec]:
        element = ELEMENT_TYPES_BY_NAME["float"]
        return {name: TensorSpec(name=name, graph_name="", element=element, shape=(-1,)) for name in names.split()}

    return Signature(name="s", method="", inputs=specs(inputs), outputs=specs(outputs))


@pytest.mark.parametrize(
    ("verb", "outputs", "used"),
    [
        ("classify", "classes scores", ("classes", "scores")),
        ("classify", "scores other", ("scores",)),
        ("classify", "classes", ("classes",)),
        ("regress", "outputs other", ("outputs",)),
    ],
)
def test_the_outputs_of_a_verb_are_those_it_knows(verb: str, outputs: str, used: tuple[str, ...]) -> None:
    assert read_head(signature("inputs", outputs), verb) == Head(input="inputs", outputs=used)


@pytest.mark.parametrize(
    ("inputs", "outputs", "verb", "code", "message"),
    [
        ("", "scores", "classify", Code.INVALID_ARGUMENT, "Expected one input Tensor."),
        ("inputs more", "scores", "classify", Code.INVALID_ARGUMENT, "Expected one input Tensor."),
        ("x", "scores", "classify", Code.INVALID_ARGUMENT, "No classification inputs found in SignatureDef: s"),
        ("x", "outputs", "regress", Code.INVALID_ARGUMENT, "No regression inputs found in SignatureDef: s"),
        (
            "inputs",
            "outputs",
            "classify",
            Code.INVALID_ARGUMENT,
            (
                'Expected classification signature outputs to contain at least one of "classes" or "scores". '
                "Signature was: s"
            ),
        ),
        ("inputs", "scores", "regress", Code.INVALID_ARGUMENT, "No regression outputs found in SignatureDef: s"),
    ],
)
def test_a_signature_that_does_not_fit_is_refused(
    inputs: str, outputs: str, verb: str, code: Code, message: str
) -> None:
    with pytest.raises(Failure) as caught:
        read_head(signature(inputs, outputs), verb)
    assert (caught.value.code, caught.value.message) == (code, message)
