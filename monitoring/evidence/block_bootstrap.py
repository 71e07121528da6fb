"""Circular block bootstrap: windows are resampled in blocks, since consecutive windows are correlated."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def block_length(windows: int) -> int:
    """Length of a bootstrap block, ``1.75 · R^(1/3)``, the usual rate for a mean.

    >>> [block_length(r) for r in (20, 90, 365)]
    [5, 8, 13]
    """
    return max(1, min(windows, round(1.75 * float(np.cbrt(windows)))))


def block_indices(
    windows: int, draws: int, rng: np.random.Generator, *, length: int | None = None
) -> NDArray[np.int64]:
    """Indices of resampled windows, made of circular blocks of consecutive windows.

    Source: Politis & Romano, *A circular block-resampling procedure for stationary data* (1992).

    Args:
        length: Windows per block; None for `block_length`.

    Returns:
        Indices in [0, windows), int64 [draws, windows].

    >>> block_indices(4, 1, np.random.default_rng(0), length=2).tolist()
    [[3, 0, 2, 3]]
    """
    size = length or block_length(windows)
    blocks = -(-windows // size)
    starts = rng.integers(0, windows, size=(draws, blocks))
    indices = (starts[:, :, None] + np.arange(size)[None, None, :]) % windows
    return indices.reshape(draws, blocks * size)[:, :windows].astype(np.int64)
