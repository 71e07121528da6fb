"""Preprocessing: the same inside the exported model as outside the loop, and honest about what it never saw."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

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
    from pitfalls_tf.rows import feature_encoding

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
    from pitfalls_tf.rows import feature_encoding

    encoding = feature_encoding.fit(ROWS, FEATURES)
    refitted = encoding.refitted(ROWS.slice(0, 1))
    assert refitted.width == encoding.width
    assert refitted.numbers[0].mean == 10.0
    assert refitted.categories == encoding.categories
