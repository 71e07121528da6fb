"""What scores logged rows anew: the seam between a rollout, which knows no framework, and the candidate's model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CandidateAnswers:
    """The candidate's answers to n rows.

    Attributes:
        outputs: A tensor with n rows for each output. Of a row without an answer numbers are NaN, or 0 where the output
            holds whole numbers, and texts are empty.
        answered: Which rows have an answer, [n].
        run_us: How long the row's own run took, [n], in microseconds, of rows that were run one at a time; else None.
    """

    outputs: Mapping[str, Array]
    answered: NDArray[np.bool_]
    run_us: NDArray[np.int64] | None = None
    reasons: tuple[str, ...] = ()


class Scorer(Protocol):
    """Answers logged rows with one version of a model."""

    def check(self, rows: pa.Table) -> None:
        """Compare the version with logged rows.

        Raises:
            BadInput: it has no such signature, or needs an input that was not logged, or one of another type.
        """

    def score(self, rows: pa.Table, *, alone: bool = False) -> CandidateAnswers:
        """Answer rows. Returns the answers. Rows that the version refuses, or on which it dies or hangs, have none.

        Args:
            alone: Whether each row is run by itself, as a request of one row, and its time is taken.

        Raises:
            CannotRun: the version cannot be loaded, or dies again and again.
        """

    @property
    def memory_bytes(self) -> int:
        """The memory that the version takes; 0 if that is not known."""

    def close(self) -> None:
        """Let go of the version."""
