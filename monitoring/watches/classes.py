"""Rows by class: those of a true class, and those that were answered with one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.errors import BadInput
from monitoring.watches.scoring import row_choices

#: What rows may be divided by: their label, or the class that they were answered with.
BY_CLASS = ("label", "predicted")

#: Classes watched each on its own: the commonest of the baseline's labels.
MOST_CLASSES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassSlices:
    """The slices ``label=CLASS`` and ``predicted=CLASS`` that losses are watched on.

    An error on ``label=late`` is a late row that was missed, one on ``predicted=late`` a false call of it: so these
    are one less recall and one less precision. `columns` are of BY_CLASS, `places` class indices among `classes`.

    >>> slices = ClassSlices(columns=("label",), classes=("no", "yes"), places=(0, 1))
    >>> slices.names
    ('label=no', 'label=yes')
    """

    columns: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    places: tuple[int, ...] = ()

    @classmethod
    def fit(
        cls, columns: tuple[str, ...], classes: tuple[str, ...], labels: NDArray[np.int64], taken: tuple[str, ...]
    ) -> ClassSlices:
        """Slices for a baseline's `labels` (int64 [n], -1 for none). Raises BadInput for a name that is `taken`."""
        both = sorted(set(columns) & set(taken))
        if both:
            raise BadInput(
                "A slice by class has the name of an input that is sliced too.",
                got=f"class_slices {both[0]!r}, and an input of that name in slices",
                expected="one of them",
                fix="Take one out of --class-slices or --slices, or of the [traffic] section.",
            )
        counts = np.bincount(labels[labels >= 0], minlength=len(classes))
        places = np.sort(np.argsort(-counts, kind="stable")[:MOST_CLASSES])
        return cls(columns=columns, classes=classes, places=tuple(int(place) for place in places))

    @property
    def names(self) -> tuple[str, ...]:
        """Each slice's name, by column."""
        return tuple(f"{column}={self.classes[place]}" for column in self.columns for place in self.places)

    def codes(self, probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
        """For each column, the class index of each labelled row, [n]; `probabilities` [n, classes] are numbers."""
        return tuple(labels if column == "label" else row_choices(probabilities) for column in self.columns)

    def masks(self, probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> dict[str, NDArray[np.bool_]]:
        """Which labelled rows belong to each slice, by its name."""
        codes = self.codes(probabilities, labels)
        parts = [code == place for code in codes for place in self.places]
        return dict(zip(self.names, parts, strict=True))

    def sums(self, codes: tuple[NDArray[np.int64], ...], units: NDArray[np.float64] | None = None) -> NDArray[np.int64]:
        """Rows of each slice, int64 [slices], or sums of whole numbers below 2^32: exact up to 2^20 rows."""
        found = [np.bincount(code, weights=units, minlength=len(self.classes))[list(self.places)] for code in codes]
        return np.concatenate(found).astype(np.int64) if found else np.zeros(0, dtype=np.int64)
