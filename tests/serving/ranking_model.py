"""A small retrieval model: scores of a catalogue, the best of them, and their ids."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pyarrow as pa

TEXTS = [f"item/{place}" for place in range(8)]
NUMBERS = [2**53 + 1 + place for place in range(8)]
PLACES = 3


def ranking_model(ids: list[Any]) -> keras.Model:
    """Takes x [n, 1]; gives ids [n, 3], best first, and their scores, which rise or fall with x."""
    lookup = keras.layers.StringLookup if isinstance(ids[0], str) else keras.layers.IntegerLookup
    x = keras.Input((1,), name="x")
    dense = keras.layers.Dense(len(ids), use_bias=False)
    best = keras.ops.top_k(dense(x), PLACES)
    dense.set_weights([np.linspace(-1.0, 1.0, len(ids), dtype=np.float32)[None, :]])
    return keras.Model(x, {"ids": lookup(vocabulary=ids, invert=True)(best[1] + 1), "scores": best[0]})


def ranking_reference(ids: list[Any], rows: int = 60) -> pa.Table:
    """Rows of two kinds: x = 1, for which the last ids are answered, and x = -1, for which the first are."""
    kinds = [row % 2 for row in range(rows)]
    return pa.table(
        {
            "x": [1.0 if kind else -1.0 for kind in kinds],
            "clicked": [[ids[-2]] if kind else [ids[0], ids[5]] for kind in kinds],
        }
    )
