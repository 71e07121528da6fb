"""Images of the traffic as small PNG files."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

#: The longest side of a thumbnail in pixels: the first with which all of them together are small enough.
SIDES = (128, 96, 64, 48, 32)

#: All thumbnails of a page together, in bytes.
MOST_BYTES = 150_000

#: Ranges of values that models take; others are stretched from the least to the largest value of all images.
_RANGES = ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0))


def thumbnails(images: Sequence[NDArray[Any]]) -> tuple[bytes, ...]:
    r"""Images as PNG files, all on one scale of brightness, so that they can be compared.

    Args:
        images: Of any range, each [height, width, channels] with 1, 3 or 4 channels; what is not finite is black.

    Returns:
        One file for each, with `SIDES[0]` pixels at most on a side, and together `MOST_BYTES` unless the smallest of
        `SIDES` is still too large.

    >>> thumbnails([np.zeros((8, 8, 1))])[0][:4]
    b'\x89PNG'
    """
    scale = _range(images)
    pixels = [_pixels(one, *scale) for one in images]
    found: tuple[bytes, ...] = ()
    for side in SIDES:
        found = tuple(_png(one, side) for one in pixels)
        if sum(map(len, found)) <= MOST_BYTES:
            break
    return found


def _range(images: Sequence[NDArray[Any]]) -> tuple[float, float]:
    known = [one[np.isfinite(one)] for one in images]
    ends = [(float(one.min()), float(one.max())) for one in known if one.size]
    if not ends:
        return 0.0, 1.0
    low, high = min(one for one, _ in ends), max(one for _, one in ends)
    fitting = ((first, last) for first, last in _RANGES if first <= low and high <= last)
    return next(fitting, (low, high))


def _pixels(image: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    values = (np.nan_to_num(image.astype(np.float64), nan=low, posinf=high, neginf=low) - low) / max(high - low, 1e-300)
    return np.asarray(np.rint(255.0 * np.clip(values, 0.0, 1.0)), dtype=np.uint8)


def _png(pixels: NDArray[np.uint8], side: int) -> bytes:
    """The pixels in a file; of large images only some."""
    step = max(1, math.ceil(max(pixels.shape[:2]) / side))
    some = np.ascontiguousarray(pixels[::step, ::step])
    file = io.BytesIO()
    Image.fromarray(some[:, :, 0] if some.shape[2] == 1 else some).save(file, format="PNG", optimize=True)
    return file.getvalue()
