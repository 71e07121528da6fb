"""Class probabilities are computed from the one output that fits the classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from monitoring.errors import BadInput
from serving.export.outputs.probabilities import find_class_output, find_set_output, gives_sets, infer_classes


def test_classes_that_fit_no_output_or_two() -> None:
    three, two, one = np.zeros((4, 3)), np.ones((4, 2)), np.ones((4, 1))
    for answers in ({"a": three, "b": three}, {"a": two}, {"probabilities": two}, {"a": np.array([b"x"])}):
        with pytest.raises(BadInput, match="do not fit the model's outputs"):
            find_class_output(answers, 3)
    found = find_class_output({"logits": three, "embedding": three, "price": one}, 3)
    assert found is not None
    assert (found.source, found.form) == ("logits", "logits")


def test_sigmoids_of_several_labels_are_no_logits_and_no_softmax_is_taken() -> None:
    sigmoids = np.array([[0.653, 0.197, 0.616, 0.869], [0.1, 0.2, 0.9, 0.4]])
    with pytest.raises(BadInput, match="a probability to each of several labels"):
        find_class_output({"outputs": sigmoids}, 4)
    named = find_class_output({"logits": sigmoids, "price": np.ones((2, 1))}, 4)
    assert named is not None
    assert named.form == "logits"


@pytest.mark.parametrize(
    ("labels", "sums", "sets"),
    [
        (None, [1.2, 0.4], True),
        (["dog|cat", "[]", None], [1.2, 0.4], True),
        (["dog", "[0, 1]"], [1.2, 0.4], True),
        (["dog", "cow"], [1.2, 0.4], False),
        (["dog", "cat"], [1.0, 1.0], False),
        (["dog", "cat"], [1.2, -0.4], False),
    ],
)
def test_sigmoids_whose_labels_name_classes_are_those_of_several(
    labels: list[str | None] | None, sums: list[float], sets: bool
) -> None:
    answers = {"outputs": np.array([[0.5, 0.5], [0.25, 0.75]]) * np.array(sums)[:, None], "other": np.ones((2, 3))}
    column = None if labels is None else pa.chunked_array([pa.array(labels, pa.string())])
    assert gives_sets(answers, column, ("dog", "cat")) == sets
    assert not gives_sets({**answers, "logits": answers["outputs"]}, column, ("dog", "cat"))


def test_an_output_of_probabilities_of_several_is_found_or_refused() -> None:
    sigmoids = np.array([[0.9, 0.8], [0.1, 0.9]])
    assert find_set_output({"tags": sigmoids, "price": np.ones((2, 1))}, 2) == "tags"
    assert find_set_output({"a": sigmoids, "b": sigmoids}, 2, "b") == "b"
    for answers in ({"a": sigmoids, "b": sigmoids}, {"a": sigmoids * 3.0}, {"a": np.ones((2, 3))}):
        with pytest.raises(BadInput, match="do not fit the model's outputs"):
            find_set_output(answers, 2)


def test_labels_that_are_words_need_their_order() -> None:
    with pytest.raises(BadInput, match="--classes late,on_time"):
        infer_classes(["on_time", "late"], {"outputs": np.zeros((3, 2))}, text=True)
    assert infer_classes(["3.5"], {"outputs": np.zeros((3, 1))}, text=False) == ()
    assert infer_classes(["0", "7"], {"outputs": np.zeros((3, 1))}, text=False) == ()
    assert infer_classes(["a", "b", "c"], {"outputs": np.zeros((3, 1))}, text=True) == ()


def test_all_labels_are_listed_with_the_flag_that_takes_them() -> None:
    labels = ["Food & Drink", *(f"class{place}" for place in range(8))]
    with pytest.raises(BadInput) as caught:
        infer_classes(labels, {"outputs": np.zeros((3, 9))}, text=True)
    assert caught.value.got == f"9 labels: {', '.join(sorted(labels))}"
    assert caught.value.fix.endswith(f"--classes '{','.join(sorted(labels))}'")


@pytest.mark.parametrize(
    ("values", "classes", "form", "kept"),
    [
        ([[0.25, 0.75], [0.5, 0.5]], 2, "distribution", "probabilities"),
        ([[2.0, -1.0, 0.5]], 3, "logits", "logits"),
        ([[0.25, 0.5, 1.5]], 3, "logits", "logits"),
        ([[0.25], [np.nan]], 2, "probability", "outputs"),
        ([0.25, 1.5], 2, "logit", "logits"),
    ],
)
def test_an_only_output_is_read_by_its_values_and_named_after_what_it_is(
    values: list[Any], classes: int, form: str, kept: str
) -> None:
    found = find_class_output({"outputs": np.array(values)}, classes)
    assert found is not None
    assert (found.form, found.bundle_name, found.classes) == (form, kept, classes)
    assert set(found.outputs(("outputs",))) == {kept, "probabilities"}
    answers = {name: np.asarray(value) for name, value in found.add({"outputs": np.array(values)}).items()}
    assert set(answers) == set(found.outputs(("outputs",)))
    np.testing.assert_allclose(np.nansum(answers["probabilities"], axis=1)[:1], 1.0)


def test_one_of_several_outputs_keeps_its_name() -> None:
    found = find_class_output({"kind": np.array([[2.0, -1.0]]), "price": np.array([[7.0]])}, 2)
    assert found is not None
    assert found.outputs(("kind", "price")) == ("kind", "price", "probabilities")


def test_of_two_outputs_that_fit_the_owner_names_one() -> None:
    answers = {"kind": np.array([[2.0, -1.0]]), "mood": np.array([[0.5, 0.5]])}
    with pytest.raises(BadInput, match="--output"):
        find_class_output(answers, 2)
    found = find_class_output(answers, 2, "mood")
    assert found is not None
    assert (found.source, found.form, found.bundle_name) == ("mood", "distribution", "mood")


def test_an_output_called_probabilities_is_taken_as_it_is() -> None:
    assert find_class_output({"probabilities": np.ones((1, 2)), "logits": np.ones((1, 2))}, 2) is None


@pytest.mark.parametrize(("width", "expected"), [(1, ("0", "1")), (2, ("0", "1")), (3, ("0", "1", "2"))])
def test_labels_that_are_indices_name_every_index_of_the_output(width: int, expected: tuple[str, ...]) -> None:
    assert infer_classes(["1", "0"], {"outputs": np.zeros((3, width))}, text=False) == expected
