"""Performance: losses of predictions whose label is known, 0/1 error and Brier score."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from monitoring.records import Watch
from monitoring.watches.scoring import row_choices, row_sums

WATCHES = (
    Watch(name="error", family="performance", level="page", needs_label=True),
    Watch(name="brier", family="performance", level="page", needs_label=True),
)


def scores(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """Losses of labelled predictions.

    The Brier score is half the squared distance to the one-hot label, which for two classes is (p - y)². Source: Brier,
    *Verification of forecasts expressed in terms of probability* (1950).

    Args:
        probabilities: [n, classes].
        labels: Class indices, [n].

    Returns:
        Each loss in [0, 1], [n], by the name of its watch.

    >>> {k: v.tolist() for k, v in scores(np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([1, 1])).items()}
    {'error': [1.0, 1.0], 'brier': [0.25, 1.0]}
    """
    squares = np.empty_like(probabilities)
    for place in range(probabilities.shape[1]):
        np.square(probabilities[:, place] - (labels == place), out=squares[:, place])
    return {
        "error": (row_choices(probabilities) != labels).astype(np.float64),
        "brier": row_sums(squares) / 2.0,
    }
