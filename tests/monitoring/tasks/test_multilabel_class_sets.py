"""Sets of classes as codes: however a set is written, its code is the same, and an unknown name is not lost."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.tasks.multilabel import respelled_sets, set_codes
from monitoring.tasks.task import CLASS_SEPARATOR, MAX_CLASSES_OF_SET, NO_LABEL, UNKNOWN_CLASS

CLASSES = tuple(f"class {place}" for place in range(MAX_CLASSES_OF_SET))


def code(text: str | None, classes: tuple[str, ...] = ("dog", "cat", "Bird")) -> int:
    return int(set_codes(pa.chunked_array([pa.array([text], pa.string())]), classes)[0])


@given(st.sets(st.integers(0, MAX_CLASSES_OF_SET - 1)))
def test_names_a_list_and_a_vector_are_the_same_set_of_up_to_sixty_classes(places: set[int]) -> None:
    names = [CLASSES[place] for place in places]
    wanted = sum(1 << place for place in places)
    assert code(json.dumps(names), CLASSES) == wanted
    assert code(json.dumps([int(place in places) for place in range(len(CLASSES))]), CLASSES) == wanted
    if names:
        assert code(CLASS_SEPARATOR.join(names), CLASSES) == wanted
    assert code(json.dumps([*names, "other"]), CLASSES) == UNKNOWN_CLASS - wanted


@pytest.mark.parametrize("text", [None, "", "  "])
def test_blank_is_no_label_and_the_empty_list_is_the_empty_set(text: str | None) -> None:
    assert (code(text), code("[]")) == (NO_LABEL, 0)


@pytest.mark.parametrize(
    "text", ["[0, 1]", "[0, 1, 2]", "[0.5, 0, 0]", "[[0], 0, 0]", "[" * 1000, '["dog"', "dog|", "dog,cat", "1"]
)
def test_what_is_no_set_of_the_classes_names_an_unknown_class(text: str) -> None:
    assert code(text) <= UNKNOWN_CLASS


def test_case_and_spaces_do_not_matter_unless_classes_differ_by_them_alone() -> None:
    assert code(" DOG |bird") == 0b101
    assert code("Dog", ("dog", "DOG")) == UNKNOWN_CLASS
    words = pa.chunked_array([pa.array(["dog|bird", "dog|Bird", None, "cow"])])
    assert respelled_sets(words, ("dog", "cat", "Bird")).tolist() == [True, False, False, False]


def test_booleans_are_a_vector_too() -> None:
    assert code("[true,false,true]") == 0b101
