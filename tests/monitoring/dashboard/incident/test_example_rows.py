from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from monitoring.dashboard.incident.example_rows import MOST_BYTES, SIDES, thumbnails


def pixels(file: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(file)))


@pytest.mark.parametrize(
    ("low", "high", "middle", "shown"),
    [(0.0, 1.0, 0.2, 51), (-1.0, 1.0, 0.0, 128), (0, 255, 7, 7), (-4.0, 6.0, 1.0, 128)],
)
def test_values_of_any_range_become_brightness(low: float, high: float, middle: float, shown: int) -> None:
    image = np.array([low, high, middle, middle]).reshape(2, 2, 1)
    assert pixels(thumbnails([image])[0]).tolist() == [[0, 255], [shown, shown]]


def test_all_images_are_on_one_scale() -> None:
    dark, bright = thumbnails([np.full((8, 8, 3), 10.0), np.full((8, 8, 3), 200.0)])
    assert (pixels(dark).max(), pixels(bright).max()) == (10, 200)


def test_large_images_are_made_small_and_many_smaller_still(rng: np.random.Generator) -> None:
    noise = rng.uniform(0, 255, (300, 200, 3))
    (alone,) = thumbnails([noise])
    assert max(pixels(alone).shape) <= SIDES[0]
    many = thumbnails([noise] * 18)
    assert sum(map(len, many)) <= MOST_BYTES
    assert max(pixels(many[0]).shape) >= SIDES[-1] // 2


def test_what_is_not_finite_is_black_or_white() -> None:
    image = np.array([np.nan, -np.inf, np.inf, 0.5]).reshape(2, 2, 1)
    assert pixels(thumbnails([image])[0]).tolist() == [[0, 0], [255, 128]]
    assert thumbnails([]) == ()
