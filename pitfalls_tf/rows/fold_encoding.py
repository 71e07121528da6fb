"""The rows of a fold, encoded by its training rows alone, in the layout that all folds share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from pitfalls_tf.rows import feature_encoding

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pitfalls_tf.rows.feature_encoding import Encoding


def refit(
    encoded: NDArray[np.float32], encoding: Encoding, rows: pa.Table, training: NDArray[np.int64]
) -> NDArray[np.float32]:
    """All rows as the training rows alone would have them encoded.

    Numbers are standardised by the training rows. A category or gap that no training row has is zeroed everywhere, as
    if it had no column: the weights of that column would stay untrained.

    Args:
        encoded: the rows in `encoding`, float32 [n, width]; stays as it is.
        encoding: fitted on all rows, so that every fold has the same columns.

    Returns:
        float32 [n, width].
    """
    inputs = encoded.copy()
    refitted = encoding.refitted(rows.take(pa.array(training)))
    if refitted.numbers:
        numbers = feature_encoding.Encoding(numbers=refitted.numbers, categories=())
        inputs[:, : numbers.width] = feature_encoding.encode(
            feature_encoding.preprocessing_model(numbers), numbers, rows
        )
    inputs *= inputs[training].any(axis=0)
    return inputs
