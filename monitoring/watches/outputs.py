"""What the model answers: how often each class, how sure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from monitoring.records import Watch
from monitoring.watches.scoring import row_maxima


def watches(classes: tuple[str, ...]) -> tuple[Watch, ...]:
    """The probability given to each class (to the second alone where there are two), and the largest probability."""
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
    """Each class's probability and the largest probability (`confidence`, where known already), each [n] in [0, 1]."""
    result = {f"output:{name}": probabilities[:, place] for place, name in enumerate(classes)}
    if len(classes) == 2:
        del result[f"output:{classes[0]}"]
    return result | {"output:confidence": row_maxima(probabilities) if confidence is None else confidence}
