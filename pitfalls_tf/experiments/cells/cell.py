"""A cell of an experiment's grid: one setup on one task, run once per seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa


class Cell(Protocol):
    """A setup on a task. A run of it is stored under the digest of its identity, code, seed and environment."""

    @property
    def setup(self) -> str:
        """Name in the table. Not part of the identity, so that experiments share runs."""

    @property
    def code(self) -> tuple[str, ...]:
        """Full names of the modules that run the cell; their imports are found by reading them."""

    def identity(self) -> Mapping[str, Any]:
        """Everything that decides the rows, except seed, code and environment, as JSON values."""

    def run(self, seeds: Sequence[int]) -> Mapping[int, pa.Table]:
        """The rows of each seed, with a column `setup` of any value."""
