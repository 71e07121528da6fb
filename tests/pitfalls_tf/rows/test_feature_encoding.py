"""Preprocessing: the same inside the exported model as outside the loop, and honest about what it never saw."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pitfalls_tf.rows import feature_encoding
from pitfalls_tf.rows.table import Feature

FEATURES = (
    Feature(name="temp", kind="number", meaning="°F"),
    Feature(name="gust", kind="number", meaning="mph, often missing"),
    Feature(name="dest", kind="category", meaning="airport"),
)
NAN = float("nan")
ROWS = pa.table(
    {
        "temp": pa.array([10.0, 20.0, 30.0, 40.0], pa.float32()),
        "gust": pa.array([1.0, NAN, 3.0, None], pa.float32()),
        "dest": pa.array(["ORD", "ATL", "ORD", None]),
    }
)


def encoded(fitted_on: pa.Table, rows: pa.Table) -> np.ndarray:
    encoding = feature_encoding.fit(fitted_on, FEATURES)
    return feature_encoding.encode(feature_encoding.preprocessing_model(encoding), encoding, rows)


def test_numbers_are_standardised_gaps_are_marked_and_categories_have_a_place() -> None:
    step = 1 / np.sqrt(1.25)
    expected = [
        # temp, gust, gust is missing, ATL, ORD
        [-1.5 * step, -1, 0, 0, 1],
        [-0.5 * step, 0, 1, 1, 0],
        [0.5 * step, 1, 0, 0, 1],
        [1.5 * step, 0, 1, 0, 0],
    ]
    assert encoded(ROWS, ROWS) == pytest.approx(np.array(expected), abs=1e-6)


def test_what_was_not_there_at_fitting_is_no_signal() -> None:
    new = pa.table({"temp": [NAN], "gust": [2.0], "dest": ["LAX"]})
    assert encoded(ROWS, new).tolist() == [[0, 0, 0, 0, 0]]


def test_a_column_without_spread_or_without_values_stays_finite() -> None:
    flat = pa.table({"temp": [5.0, 5.0], "gust": [NAN, NAN], "dest": ["ORD", "ORD"]})
    assert encoded(flat, flat).tolist() == [[0, 0, 1, 1], [0, 0, 1, 1]]


def test_refitting_changes_the_constants_and_not_the_layout() -> None:
    encoding = feature_encoding.fit(ROWS, FEATURES)
    refitted = encoding.refitted(ROWS.slice(0, 1))
    assert refitted.width == encoding.width
    assert refitted.numbers[0].mean == 10.0
    assert refitted.categories == encoding.categories


FOLD_ROWS = pa.table(
    {
        "temp": pa.array([10.0, 20.0, 30.0, 40.0, 90.0], pa.float32()),
        "gust": pa.array([1.0, 2.0, 3.0, NAN, 5.0], pa.float32()),
        "dest": pa.array(["ORD", "ATL", "ORD", "ATL", "LAX"]),
    }
)
LAYOUT = feature_encoding.fit(FOLD_ROWS, FEATURES)


def encoded_by(rows: pa.Table, encoding: feature_encoding.Encoding) -> np.ndarray:
    return feature_encoding.encode(feature_encoding.preprocessing_model(encoding), encoding, rows)


WHOLE = encoded_by(FOLD_ROWS, LAYOUT)


def test_numbers_are_standardised_by_the_training_rows_and_what_they_lack_is_zeroed() -> None:
    found = feature_encoding.refit(WHOLE, LAYOUT, FOLD_ROWS, np.array([0, 1, 2]))
    step = np.sqrt(1.5)
    expected = [
        # temp, gust, gust is missing, ATL, LAX, ORD
        [-step, -step, 0, 0, 0, 1],
        [0, 0, 0, 1, 0, 0],
        [step, step, 0, 0, 0, 1],
        [2 * step, 0, 0, 1, 0, 0],
        [7 * step, 3 * step, 0, 0, 0, 0],
    ]
    assert found == pytest.approx(np.array(expected), abs=1e-5)


def test_the_rows_that_were_encoded_before_stay_as_they_are() -> None:
    before = WHOLE.copy()
    feature_encoding.refit(WHOLE, LAYOUT, FOLD_ROWS, np.array([0, 4]))
    assert (before == WHOLE).all()


@given(training=st.sets(st.integers(0, 4), min_size=1).map(sorted))
def test_known_values_are_encoded_as_by_the_training_rows_alone(training: list[int]) -> None:
    taken = np.array(training)
    found = feature_encoding.refit(WHOLE, LAYOUT, FOLD_ROWS, taken)
    own = feature_encoding.fit(FOLD_ROWS.take(pa.array(taken)), FEATURES)
    alone = encoded_by(FOLD_ROWS, own)
    assert found[:, found.any(axis=0)].shape == found[:, found[taken].any(axis=0)].shape
    kept = alone[:, alone[taken].any(axis=0)]
    assert found[:, found[taken].any(axis=0)] == pytest.approx(kept, abs=1e-5)


def test_a_table_of_categories_alone_needs_no_constants() -> None:
    words = FOLD_ROWS.select(["dest"])
    layout = feature_encoding.fit(words, FEATURES[2:])
    found = feature_encoding.refit(encoded_by(words, layout), layout, words, np.array([0, 1]))
    assert found.tolist() == [[0, 0, 1], [1, 0, 0], [0, 0, 1], [1, 0, 0], [0, 0, 0]]
