"""Lists of numbers by their length, their last number and what is missing in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from typing_extensions import override

from monitoring.traffic.cells import as_doubles, is_list, is_number
from monitoring.traffic.descriptors.descriptors import Descriptors


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceDescriptors(Descriptors):
    """The descriptors of a column of lists of numbers, such as the last days of a series. A `Descriptors`.

    >>> lists = pa.array([[1.0, None, 4.0], [], None])
    >>> found = SequenceDescriptors(source="sales").describe(lists, np.zeros(3, np.int64))
    >>> {name: column.to_pylist() for name, column in found.items()}["sales.last"]
    [4.0, nan, nan]
    """

    source: str
    numbers: bool = True

    kind = "sequence"

    @property
    @override
    def kinds(self) -> Mapping[str, Literal["number", "category"]]:
        names = ("length", "last", "mean", "missing_steps") if self.numbers else ("length",)
        return {f"{self.source}.{name}": "number" for name in names}

    @override
    def reads(self, kind: pa.DataType) -> bool:
        if not is_list(kind):
            return bool(pa.types.is_null(kind))
        return not self.numbers or is_number(kind.value_type) or bool(pa.types.is_null(kind.value_type))

    def describe(self, cells: pa.Array, event_us: NDArray[np.int64]) -> dict[str, pa.Array]:
        """See `Descriptors`. Of a list without a number, only the length and the missing steps are known."""
        numbers = np.full((len(self.kinds), len(cells)), np.nan)
        there = np.flatnonzero(np.asarray(cells.is_valid(), dtype=np.bool_))
        lists = cells.take(pa.array(there))
        if there.size and not self.numbers:
            numbers[0, there] = np.asarray(pc.list_value_length(lists), dtype=np.float64)
        elif there.size:
            values = np.asarray(pc.fill_null(as_doubles(lists.flatten()), np.nan), dtype=np.float64)
            rows = np.asarray(pc.list_parent_indices(lists), dtype=np.int64)
            lengths = np.asarray(pc.list_value_length(lists), dtype=np.float64)
            is_finite = np.isfinite(values)
            counts = np.bincount(rows[is_finite], minlength=there.size)
            sums = np.bincount(rows[is_finite], weights=values[is_finite], minlength=there.size)
            last = np.full(there.size, np.nan)
            last[rows[is_finite]] = values[is_finite]  # of several numbers of a row the last one stays
            means = np.divide(sums, counts, out=np.full(there.size, np.nan), where=counts > 0)
            missing = np.divide(lengths - counts, lengths, out=np.zeros(there.size), where=lengths > 0)
            numbers[:, there] = np.stack([lengths, last, means, missing])
        return dict(zip(self.kinds, map(pa.array, numbers), strict=True))

    @override
    def document(self) -> dict[str, Any]:
        return {"kind": self.kind, "source": self.source, "numbers": self.numbers}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> SequenceDescriptors:
        """The descriptors of a document that `document` gave."""
        return cls(source=document["source"], numbers=document["numbers"])
