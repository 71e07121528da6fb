"""Vectors on the principal axes of their reference, and which lists are vectors."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from monitoring.traffic.descriptors.vector import FEWEST_NUMBERS, MOST_AXES, VectorDescriptors, is_vector

SIZE = 32


def vectors(rows: int, seed: int, *, shift: float = 0.0) -> pa.Array:
    """Vectors of three strong directions and some noise, as float32."""
    rng = np.random.default_rng(seed)
    directions = np.random.default_rng(0).normal(size=(3, SIZE))
    values = rng.normal(size=(rows, 3)) * [9.0, 6.0, 3.0] @ directions + 0.01 * rng.normal(size=(rows, SIZE)) + shift
    return pa.array(values.astype(np.float32).tolist(), pa.list_(pa.float32()))


def numbers(found: dict[str, pa.Array]) -> np.ndarray:
    return np.stack([column.to_numpy() for column in found.values()])


def test_the_axes_hold_what_varies() -> None:
    fitted = VectorDescriptors.fit("v", [vectors(200, 1), vectors(100, 2)])
    found = numbers(fitted.describe(vectors(500, 3), np.zeros(500, np.int64)))
    assert list(fitted.kinds)[:3] == ["v.norm", "v.residual", "v.axis_1"]
    assert len(fitted.axes) <= MOST_AXES
    assert np.allclose(fitted.axes @ fitted.axes.T, np.eye(len(fitted.axes)), atol=1e-6)
    spread = found[2:].std(axis=1)
    assert (np.diff(spread[:4]) < 0).all()
    assert spread[0] > 100 * spread[3]


def test_a_shift_moves_them() -> None:
    fitted = VectorDescriptors.fit("v", [vectors(300, 1)])
    when = np.zeros(300, np.int64)
    before, after = (numbers(fitted.describe(vectors(300, 4, shift=by), when)) for by in (0.0, 5.0))
    assert np.abs(after.mean(axis=1) - before.mean(axis=1)).max() > 2


def test_what_lies_off_the_axes_is_the_residual() -> None:
    fitted = VectorDescriptors.fit("v", [vectors(300, 1)])
    off = np.linalg.svd(fitted.axes)[2][-1]
    moved = pa.array((np.array(vectors(50, 2).to_pylist()) + 7.0 * off).tolist())
    found = fitted.describe(moved, np.zeros(50, np.int64))["v.residual"].to_numpy()
    assert found == pytest.approx(np.full(50, 7.0), abs=0.2)


def test_vectors_that_are_missing_or_of_another_size_are_missing() -> None:
    fitted = VectorDescriptors.fit("v", [vectors(50, 1)])
    whole = vectors(1, 2).to_pylist()[0]
    cells = pa.array([whole, None, [1.0], [*whole[:-1], None]], pa.list_(pa.float32()))
    found = numbers(fitted.describe(cells, np.zeros(4, np.int64)))
    assert np.isfinite(found[:, 0]).all()
    assert np.isnan(found[:, 1:]).all()


def test_it_is_read_as_it_was_written_and_lists_of_a_fixed_size_are_read() -> None:
    fitted = VectorDescriptors.fit("v", [vectors(50, 1)])
    read = VectorDescriptors.of(json.loads(json.dumps(fitted.document())))
    cells = vectors(20, 2)
    fixed = cells.cast(pa.list_(pa.float32(), SIZE))
    when = np.zeros(20, np.int64)
    assert np.array_equal(numbers(read.describe(fixed, when)), numbers(fitted.describe(cells, when)))
    assert read.reads(fixed.type)
    assert not read.reads(pa.float32())


def test_vectors_that_are_all_the_same_have_no_axes() -> None:
    fitted = VectorDescriptors.fit("v", [pa.array([[1.0] * 16] * 5)])
    assert list(fitted.kinds) == ["v.norm", "v.residual"]
    assert list(VectorDescriptors.of(fitted.document()).kinds) == ["v.norm", "v.residual"]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([[0.5] * FEWEST_NUMBERS, None], True),
        ([[0.5] * (FEWEST_NUMBERS - 1)], False),
        ([[0.5] * 20, [0.5] * 21], False),
        ([["a"] * 20], False),
        ([1.5], False),
        ([None], False),
    ],
)
def test_lists_of_one_size_are_vectors(cells: list[Any], expected: bool) -> None:
    assert is_vector([pa.array(cells)]) is expected
