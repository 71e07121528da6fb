"""Labels of any type are names of classes, or unknown."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import BadInput
from serving.export.keras_model import KerasModel
from serving.export.reference_labels import LISTED, class_names, labels_as_text, labels_of_sets, listed, without_empty
from serving.export.reference_table import check_reference, match_columns
from tests.serving.export_model import of_three


@pytest.mark.parametrize(
    ("labels", "texts"),
    [
        (pa.array([["a", "b"], [], None]), ["a|b", "[]", None]),
        (pa.array([[1.0, 0.0], [0.0, 0.0]], pa.list_(pa.float32(), 2)), ["[1,0]", "[0,0]"]),
        (pa.array([[True, False]]), ["[true,false]"]),
        (pa.array([[0.5, 1.0]]), None),
        (pa.array([[[1]]]), None),
        (pa.array(["a|b"]), None),
    ],
)
def test_lists_of_names_and_of_zeros_and_ones_are_sets_and_forecasts_are_not(
    labels: pa.Array, texts: list[str | None] | None
) -> None:
    found = labels_of_sets(pa.table({"y": labels}), "y", ())
    assert (None if found is None else found.to_pylist()) == texts


def test_an_empty_label_is_not_known_and_no_class() -> None:
    model = KerasModel(of_three())
    lists = pa.array([[1.0, 2.0, 3.0]] * 3)
    for labels in (pa.array(["", "late", None]), pa.array(["", "late", None]).dictionary_encode()):
        table = match_columns(pa.table({"x": lists, "late": labels}), model, "late")
        assert table["label"].to_pylist() == [None, "late", None]
        check_reference(table, model, ("on_time", "late"))
        with pytest.raises(BadInput, match="labels late are not among the classes a, b"):
            check_reference(table, model, ("a", "b"))


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ([True, False, None], ["1", "0", None]),
        ([1.0, 0.0, None], ["1", "0", None]),
        ([1.5, float("nan")], ["1.5", None]),
        ([7, -1], ["7", "-1"]),
        ([1e300, 2.0], ["1e+300", "2"]),
        ([Decimal("1.00"), None], ["1", None]),
        (["late", None], ["late", None]),
        (pa.array(["a", None]).dictionary_encode(), ["a", None]),
        (pa.array([], pa.float64()), []),
    ],
    ids=str,
)
def test_labels_of_any_type_are_text(column: Any, expected: list[str | None]) -> None:
    assert labels_as_text(pa.chunked_array([column])).to_pylist() == expected


@given(st.lists(st.sampled_from(["a", "b", "0", "1", "2", "x", None])))
def test_a_label_is_a_class_by_name_or_by_index_or_unknown(labels: list[str | None]) -> None:
    by_text = {"a": "a", "b": "b", "0": "a", "1": "b"}
    found = class_names(pa.chunked_array([pa.array(labels, pa.string())]), ("a", "b")).to_pylist()
    assert found == [by_text.get(label or "") for label in labels]


def test_a_class_whose_name_is_a_number_goes_by_its_name() -> None:
    assert class_names(pa.chunked_array([["1", "0", "2"]]), ("1", "0")).to_pylist() == ["1", "0", None]


def test_empty_text_is_unknown_and_numbers_stay() -> None:
    assert without_empty(pa.chunked_array([["", "a", None]])).to_pylist() == [None, "a", None]
    assert without_empty(pa.chunked_array([[0, None]])).to_pylist() == [0, None]


def test_many_classes_are_listed_in_part_with_their_number() -> None:
    names = [f"c{place}" for place in range(LISTED + 1)]
    assert listed(names[:-1]) == ", ".join(names[:-1])
    assert listed(names) == f"{', '.join(names[:-1])}, … (51 in all)"
