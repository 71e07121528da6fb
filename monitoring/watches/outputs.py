"""Outputs: the probabilities that the model predicts for each class, and its confidence."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from monitoring.records import Watch
from monitoring.watches.scoring import row_maxima


def watches(classes: tuple[str, ...]) -> tuple[Watch, ...]:
    """The watches on outputs.

    Args:
        classes: Class names.

    Returns:
        One on the probability of each class (of the second alone for two), and one on the largest probability.

    >>> [watch.name for watch in watches(("no", "yes"))]
    ['output:yes', 'output:confidence']
    """
    named = classes[1:] if len(classes) == 2 else classes
    return (
        *(
            Watch(name=f"output:{name}", family="outputs", level="notice", needs_label=False, direction="both")
            for name in named
        ),
        Watch(name="output:confidence", family="outputs", level="notice", needs_label=False, direction="both"),
    )


def scores(
    probabilities: NDArray[np.float64], classes: tuple[str, ...], confidence: NDArray[np.float64] | None = None
) -> dict[str, NDArray[np.float64]]:
    """The scores of the watches on outputs.

    Args:
        probabilities: [n, classes].
        classes: Class names.
        confidence: Each row's largest probability, if known already.

    Returns:
        Scores in [0, 1], [n], by the name of their watch.
    """
    result = {f"output:{name}": probabilities[:, place] for place, name in enumerate(classes)}
    if len(classes) == 2:
        del result[f"output:{classes[0]}"]
    return result | {"output:confidence": row_maxima(probabilities) if confidence is None else confidence}
