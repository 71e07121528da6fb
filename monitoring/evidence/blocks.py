"""Blocks of consecutive windows: weather and weekends come together, so streams are redrawn in blocks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def block_length(windows: int) -> int:
    """Length of a bootstrap block for so many windows: 1.75 · R^(1/3), the usual rate for a mean.

    >>> [block_length(r) for r in (20, 90, 365)]
    [5, 8, 13]
    """
    return max(1, min(windows, round(1.75 * float(np.cbrt(windows)))))


def block_starts(windows: int, draws: int, rng: np.random.Generator, *, length: int | None = None) -> NDArray[np.int64]:
    """Indices of resampled windows, shape [draws, windows], made of circular blocks of consecutive windows.

    Source: Politis & Romano, *A circular block-resampling procedure for stationary data* (1992).
    """
    size = length or block_length(windows)
    blocks = -(-windows // size)
    starts = rng.integers(0, windows, size=(draws, blocks))
    indices = (starts[:, :, None] + np.arange(size)[None, None, :]) % windows
    return indices.reshape(draws, blocks * size)[:, :windows].astype(np.int64)
