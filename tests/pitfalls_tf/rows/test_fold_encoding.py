"""Rows of a fold: as an encoding of its training rows alone would have them, in the columns of all rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pitfalls_tf.rows import feature_encoding, fold_encoding
from pitfalls_tf.rows.table import Feature

FEATURES = (
    Feature(name="temp", kind="number", meaning="°F"),
    Feature(name="gust", kind="number", meaning="mph, often missing"),
    Feature(name="dest", kind="category", meaning="airport"),
)
NAN = float("nan")
ROWS = pa.table(
    {
        "temp": pa.array([10.0, 20.0, 30.0, 40.0, 90.0], pa.float32()),
        "gust": pa.array([1.0, 2.0, 3.0, NAN, 5.0], pa.float32()),
        "dest": pa.array(["ORD", "ATL", "ORD", "ATL", "LAX"]),
    }
)
LAYOUT = feature_encoding.fit(ROWS, FEATURES)


def encoded(rows: pa.Table, encoding: feature_encoding.Encoding) -> np.ndarray:
    return feature_encoding.encode(feature_encoding.preprocessing_model(encoding), encoding, rows)


WHOLE = encoded(ROWS, LAYOUT)


def test_numbers_are_standardised_by_the_training_rows_and_what_they_lack_is_zeroed() -> None:
    found = fold_encoding.refit(WHOLE, LAYOUT, ROWS, np.array([0, 1, 2]))
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
    fold_encoding.refit(WHOLE, LAYOUT, ROWS, np.array([0, 4]))
    assert (before == WHOLE).all()


@given(training=st.sets(st.integers(0, 4), min_size=1).map(sorted))
def test_known_values_are_encoded_as_by_the_training_rows_alone(training: list[int]) -> None:
    taken = np.array(training)
    found = fold_encoding.refit(WHOLE, LAYOUT, ROWS, taken)
    own = feature_encoding.fit(ROWS.take(pa.array(taken)), FEATURES)
    alone = encoded(ROWS, own)
    assert found[:, found.any(axis=0)].shape == found[:, found[taken].any(axis=0)].shape
    kept = alone[:, alone[taken].any(axis=0)]
    assert found[:, found[taken].any(axis=0)] == pytest.approx(kept, abs=1e-5)


def test_a_table_of_categories_alone_needs_no_constants() -> None:
    words = ROWS.select(["dest"])
    layout = feature_encoding.fit(words, FEATURES[2:])
    found = fold_encoding.refit(encoded(words, layout), layout, words, np.array([0, 1]))
    assert found.tolist() == [[0, 0, 1], [1, 0, 0], [0, 0, 1], [1, 0, 0], [0, 0, 0]]
