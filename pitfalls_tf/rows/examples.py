"""Encoded rows: the inputs of a network as arrays, with the label, domain and time of each row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from monitoring.errors import BadInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pitfalls_tf.rows.feature_encoding import Encoding
    from pitfalls_tf.rows.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What an architecture is built for.

    inputs   shape of one example, without the batch: (width,) or (height, width, channels)
    tokens   of encoded tables, the widths of consecutive groups of columns, one group per feature: 1 for a number or a
             gap indicator, the size of the vocabulary for a category; they add up to the width. () for images
    classes  number of classes
    domains  number of domains
    """

    inputs: tuple[int, ...]
    tokens: tuple[int, ...]
    classes: int
    domains: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """Rows as a network sees them, in the order of their source.

    inputs   float32 [n, *shape], no NaN: gaps are encoded, see `rows.feature_encoding`
    targets  int64 [n], position in `classes`, -1 where there is no label
    domains  str [n]: the site, scanner or period the row comes from
    times    datetime64[us] [n], UTC; NaT where the source has none
    tokens   see `Shape`
    """

    inputs: NDArray[np.float32]
    targets: NDArray[np.int64]
    domains: NDArray[np.str_]
    times: NDArray[np.datetime64]
    classes: tuple[str, ...]
    tokens: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        lengths = {name: len(getattr(self, name)) for name in ("inputs", "targets", "domains", "times")}
        if len(set(lengths.values())) > 1:
            raise BadInput(
                "The columns of the examples have different lengths.",
                got=", ".join(f"{length} {name}" for name, length in lengths.items()),
                expected="one of each per row",
                fix="Take them all from the same rows, in the same order.",
            )
        # The sum of finite numbers may overflow and the check then looks closer; summing alone costs no second array.
        if not np.isfinite(self.inputs.sum(dtype=np.float64)) and not np.isfinite(self.inputs).all():
            wrong = int((~np.isfinite(self.inputs.reshape(len(self), -1)).all(axis=1)).sum())
            raise BadInput(
                "An input of a network must be a finite number.",
                got=f"NaN or infinity in {wrong} of {len(self)} rows",
                expected="encoded rows, whose gaps are filled and marked",
                fix="Encode the table: Examples.from_table(table).",
            )

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Shape [n]: whether the label is known."""
        return self.targets >= 0

    @property
    def names(self) -> tuple[str, ...]:
        """The domains that occur, sorted; a domain's number is its position here."""
        return tuple(np.unique(self.domains).tolist())

    @property
    def shape(self) -> Shape:
        """The shape of these rows, for an architecture."""
        return Shape(
            inputs=tuple(self.inputs.shape[1:]), tokens=self.tokens, classes=len(self.classes), domains=len(self.names)
        )

    def take(self, positions: NDArray[np.int64]) -> Examples:
        """The rows at these positions, in the order given."""
        return Examples(
            inputs=self.inputs[positions],
            targets=self.targets[positions],
            domains=self.domains[positions],
            times=self.times[positions],
            classes=self.classes,
            tokens=self.tokens,
        )

    def where(self, mask: NDArray[np.bool_]) -> Examples:
        """The rows where the mask, shape [n], is true."""
        return self.take(np.flatnonzero(mask))

    def domain(self, *names: str) -> Examples:
        """The rows of some domains. Returns the rows whose domain is among them, in the same order."""
        absent = sorted(set(names) - set(self.names))
        if absent:
            raise BadInput(
                "No row is of that domain.",
                got=", ".join(absent),
                expected=f"of: {', '.join(self.names)}",
                fix="Choose among those.",
            )
        return self.where(np.isin(self.domains, names))

    @classmethod
    def from_table(cls, table: Table, encoding: Encoding | None = None) -> Examples:
        """Encode the rows of a table.

        Args:
            encoding: how; None for an encoding fitted on these rows. For rows that a network was not trained on, pass
                that of its training rows: ``feature_encoding.fit(training.rows, training.features)``.

        Cost: about half a second for 100,000 rows of 16 columns.
        """
        from pitfalls_tf.rows import feature_encoding  # noqa: PLC0415 - loads Keras

        fitted = encoding or feature_encoding.fit(table.rows, table.features)
        times = table.rows["event_time"].combine_chunks().to_numpy(zero_copy_only=False)
        return cls(
            inputs=feature_encoding.encode(feature_encoding.preprocessing_model(fitted), fitted, table.rows),
            targets=table.targets(),
            domains=np.asarray(table.domains.to_pylist(), dtype=np.str_),
            times=times.astype("datetime64[us]"),
            classes=table.classes,
            tokens=fitted.tokens,
        )
