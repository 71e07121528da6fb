"""Which class each of several score columns is for: by the columns' names, and by the labels of the rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

#: An order of the classes is better than another if it answers this share of the rows rightly that the other does not.
BETTER = 0.05


def matched_classes(scores: Sequence[str], labels: Collection[str]) -> tuple[str, ...]:
    """The classes that score columns are named after, by their whole names or with one prefix and suffix.

    >>> matched_classes(("y_pred_proba_prepaid", "y_pred_proba_upmarket"), {"upmarket", "prepaid"})
    ('prepaid', 'upmarket')
    >>> matched_classes(("p1", "p2"), {"cat", "dog"})
    ('cat', 'dog')

    Returns:
        A class for each column, in their order; in the order of the alphabet where no name fits.
    """
    if not labels or set(labels) & set(scores):
        return tuple(scores)
    around = {
        (name[:place], name[place + len(label) :])
        for name in scores
        for label in labels
        for place in range(len(name))
        if name.startswith(label, place)
    }
    fitting = [
        tuple(name[len(before) : len(name) - len(after)] for name in scores)
        for before, after in sorted(around)
        if all(name.startswith(before) and name.endswith(after) for name in scores)
    ]
    covering = [names for names in fitting if set(labels) <= set(names) and all(names)]
    return covering[0] if covering else tuple(sorted(labels))


def better_order(
    answers: NDArray[np.float64], labels: NDArray[np.int64], classes: Sequence[str]
) -> tuple[str, ...] | None:
    """The order of the classes in which the answers are right more often.

    Args:
        answers: Probabilities, [n, classes].
        labels: The true classes by their places in `classes`, [n].
        classes: The classes in the order that the answers were taken to have.

    Returns:
        Another order; None where none is better by `BETTER` of the rows.

    >>> better_order(np.eye(3)[[1, 2, 0]], np.array([0, 1, 2]), ("a", "b", "c"))
    ('c', 'a', 'b')
    """
    if not labels.size:
        return None
    counts = np.zeros((len(classes), len(classes)))
    np.add.at(counts, (answers.argmax(axis=1), labels), 1.0)
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - 25 MB, for a table that is named anew

    places, best = linear_sum_assignment(counts, maximize=True)
    if counts[places, best].sum() - np.trace(counts) <= BETTER * labels.size:
        return None
    return tuple(classes[place] for place in best)
