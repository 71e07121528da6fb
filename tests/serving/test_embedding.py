"""The axes of an embedding: kept to the last bit, and the same whatever the order of rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from monitoring.errors import CannotRun
from serving.export.embedding import AXES, Projection


def rows(seed: int, size: int, width: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.random.default_rng(seed).normal(size=(size, width)) * np.geomspace(1.0, 0.2, width)


@pytest.mark.parametrize("width", [1, 3, 40])
def test_axes_are_orthonormal_longest_first_and_few(width: int) -> None:
    values = rows(0, 500, width)
    projection = Projection.fit(values)
    kept = min(width, AXES)
    assert projection.columns == tuple(f"embedding:{place + 1}" for place in range(kept))
    np.testing.assert_allclose(projection.axes.T @ projection.axes, np.eye(kept), atol=1e-12)
    deviations = projection.of(values).std(axis=0)
    assert (np.diff(deviations) <= 1e-12).all()
    np.testing.assert_allclose(projection.of(values).mean(axis=0), 0.0, atol=1e-12)


def test_the_order_of_rows_turns_no_axis() -> None:
    values = rows(1, 300, 8)
    np.testing.assert_allclose(Projection.fit(values[::-1]).axes, Projection.fit(values).axes, atol=1e-9)


def test_what_does_not_vary_is_no_axis() -> None:
    values = np.concatenate([rows(2, 50, 2), np.ones((50, 3))], axis=1)
    assert len(Projection.fit(values).columns) == 2
    assert Projection.fit(np.ones((5, 3))).columns == ()
    assert Projection.fit(np.full((5, 3), np.nan)).columns == ()


def test_axes_come_back_to_the_bit(tmp_path: Path) -> None:
    projection = Projection.fit(rows(3, 100, 5))
    projection.write(tmp_path / "projection.npy")
    found = Projection.read(tmp_path / "projection.npy")
    np.testing.assert_array_equal(found.centre, projection.centre)
    np.testing.assert_array_equal(found.axes, projection.axes)
    with pytest.raises(CannotRun, match="no axes"):
        Projection.read(tmp_path / "gone.npy")
