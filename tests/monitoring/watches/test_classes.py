"""Slices by class: a true class's rows, and the rows predicted as one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import BadInput
from monitoring.tasks.classification import MAX_CLASSES, Classification
from monitoring.watches.classes import CLASS_COLUMNS, ClassSlices
from tests.monitoring.watches.labelled_rows import Sample, samples

CLASSES = ("a", "b", "c")
BOTH = ClassSlices(columns=CLASS_COLUMNS, classes=CLASSES, indices=(0, 1, 2))


@given(samples(classes=3))
def test_masks_are_the_rows_of_each_class_by_label_and_by_prediction(sample: Sample) -> None:
    probabilities, labels = sample
    masks = BOTH.masks(probabilities, labels)
    assert tuple(masks) == BOTH.names
    for index, name in enumerate(CLASSES):
        np.testing.assert_array_equal(masks[f"label={name}"], labels == index)
        np.testing.assert_array_equal(masks[f"predicted={name}"], probabilities.argmax(axis=1) == index)


@given(samples(classes=3))
def test_sums_by_code_are_those_by_mask(sample: Sample) -> None:
    probabilities, labels = sample
    codes, masks = BOTH.codes(probabilities, labels), BOTH.masks(probabilities, labels)
    units = np.arange(len(labels), dtype=np.float64)
    assert BOTH.sums(codes).tolist() == [int(mask.sum()) for mask in masks.values()]
    assert BOTH.sums(codes, units).tolist() == [int(units[mask].sum()) for mask in masks.values()]


@given(samples(classes=3))
def test_the_error_by_class_is_one_minus_recall_and_one_minus_precision(sample: Sample) -> None:
    probabilities, labels = sample
    errors = Classification(classes=CLASSES).losses(probabilities, labels)["error"]
    masks = BOTH.masks(probabilities, labels)
    predicted = probabilities.argmax(axis=1)
    for index, name in enumerate(CLASSES):
        hits = float(((labels == index) & (predicted == index)).sum())
        for column, total in (("label", labels == index), ("predicted", predicted == index)):
            if total.any():
                rate = errors[masks[f"{column}={name}"]].mean()
                assert rate == pytest.approx(1.0 - hits / total.sum())


@given(st.lists(st.integers(-1, 30), max_size=200))
def test_the_commonest_classes_have_slices_in_the_classes_order(labels: list[int]) -> None:
    classes = tuple(f"c{place}" for place in range(31))
    found = ClassSlices.fit(("label",), classes, np.array(labels, dtype=np.int64), ())
    assert len(found.indices) == MAX_CLASSES
    assert list(found.indices) == sorted(found.indices)
    counts = np.bincount([label for label in labels if label >= 0], minlength=31)
    left_out = [count for place, count in enumerate(counts) if place not in found.indices]
    assert min(counts[list(found.indices)]) >= max(left_out)


def test_without_columns_there_are_no_slices() -> None:
    none = ClassSlices()
    assert none.names == ()
    assert none.masks(np.full((2, 3), 1 / 3), np.array([0, 1])) == {}
    assert none.sums(none.codes(np.full((2, 3), 1 / 3), np.array([0, 1]))).tolist() == []


@pytest.mark.parametrize("column", CLASS_COLUMNS)
def test_an_input_to_slice_by_of_the_same_name_is_refused(column: str) -> None:
    with pytest.raises(BadInput, match="have the same name"):
        ClassSlices.fit((column,), CLASSES, np.zeros(3, np.int64), ("origin", column))
