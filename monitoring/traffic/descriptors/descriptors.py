"""What describes the cells of a column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


class Descriptors(Protocol):
    """Describes the cells of one column by a few inputs. Each is missing where the cell is."""

    @property
    def source(self) -> str:
        """The column."""

    @property
    def kind(self) -> str:
        """What its cells are."""

    @property
    def kinds(self) -> Mapping[str, Literal["number", "category"]]:
        """The inputs, by name: the column's, a point, and what is counted."""

    def reads(self, kind: pa.DataType) -> bool:
        """Whether it describes cells of this type."""

    def describe(self, cells: pa.Array, event_us: NDArray[np.int64]) -> dict[str, pa.Array]:
        """The inputs of n rows.

        Args:
            cells: The column, [n].

        Returns:
            Columns [n] in the order of `kinds`: float64 with NaN for missing, or string with null.
        """

    def document(self) -> dict[str, Any]:
        """What `read_descriptors` reads."""
