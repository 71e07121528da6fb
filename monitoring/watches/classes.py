"""Slices by class: rows of one true class, and rows predicted as one class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.errors import BadInput
from monitoring.tasks.classification import MAX_CLASSES
from monitoring.tasks.row_operations import row_choices

#: What rows can be sliced by: their label, or the class they were predicted as.
CLASS_COLUMNS = ("label", "predicted")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassSlices:
    """The slices ``label=CLASS`` and ``predicted=CLASS`` on which losses are watched.

    The error on ``label=late`` is 1 - recall of late, that on ``predicted=late`` 1 - precision. `columns` are of
    CLASS_COLUMNS, `indices` are class indices.

    >>> slices = ClassSlices(columns=("label",), classes=("no", "yes"), indices=(0, 1))
    >>> slices.names
    ('label=no', 'label=yes')
    """

    columns: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    indices: tuple[int, ...] = ()

    @classmethod
    def fit(
        cls,
        columns: tuple[str, ...],
        classes: tuple[str, ...],
        labels: NDArray[np.int64],
        slice_columns: tuple[str, ...],
    ) -> ClassSlices:
        """The slices for a baseline. Returns slices of the commonest classes, in the classes' order.

        Args:
            labels: The baseline's labels as class indices, -1 for none, [n].
        """
        both = sorted(set(columns) & set(slice_columns))
        if both:
            raise BadInput(
                "A slice by class and an input to slice by have the same name.",
                got=f"class_slices {both[0]!r}, and an input of that name in slices",
                expected="one of them",
                fix="Remove one from --class-slices or --slices, or from the [traffic] section.",
            )
        if columns and not classes:
            raise BadInput(
                "A model without classes cannot be sliced by class.",
                got=f"class_slices {', '.join(columns)}",
                expected="none",
                fix="Remove --class-slices, or `class_slices` from the [traffic] section.",
            )
        if not classes:
            return cls()
        counts = np.bincount(labels[labels >= 0], minlength=len(classes))
        indices = np.sort(np.argsort(-counts, kind="stable")[:MAX_CLASSES])
        return cls(columns=columns, classes=classes, indices=tuple(int(index) for index in indices))

    @property
    def names(self) -> tuple[str, ...]:
        """Each slice's name, by column."""
        return tuple(f"{column}={self.classes[index]}" for column in self.columns for index in self.indices)

    def codes(self, probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
        """The class index of each labelled row, for each column.

        Args:
            probabilities: Finite probabilities, [n, classes].
            labels: Class indices, [n].

        Returns:
            One array [n] per column; the number of classes for a label that is none of them.
        """
        true = np.where(labels < 0, len(self.classes), labels)
        return tuple(true if column == "label" else row_choices(probabilities) for column in self.columns)

    def masks(self, probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> dict[str, NDArray[np.bool_]]:
        """Which labelled rows belong to each slice, [n], by its name; arguments as of `codes`."""
        codes = self.codes(probabilities, labels)
        parts = [code == index for code in codes for index in self.indices]
        return dict(zip(self.names, parts, strict=True))

    def sums(self, codes: tuple[NDArray[np.int64], ...], units: NDArray[np.float64] | None = None) -> NDArray[np.int64]:
        """Counts or sums of each slice. Returns one number per slice, int64 [slices].

        Args:
            units: Integers below 2^32 to sum, [n], exact up to 2^20 rows; None to count rows.
        """
        counts = [
            np.bincount(code, weights=units, minlength=len(self.classes) + 1)[list(self.indices)] for code in codes
        ]
        return np.concatenate(counts).astype(np.int64) if counts else np.zeros(0, dtype=np.int64)
