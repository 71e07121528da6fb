"""Windows of rows with predictions and labels, with and without harm, for monitors that work on rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

#: Error rate of the simulated model without harm.
ERROR = 0.2

#: Share of rows in the slice that can be harmed alone.
SLICE = 0.25

#: Derivative of the mean rank of a normal input by its shift, at 0.
RANK_OF_SHIFT = 1.0 / (2.0 * np.sqrt(np.pi))


@dataclass(frozen=True, slots=True, kw_only=True)
class Summaries:
    """Window means of many streams.

    Attributes:
        errors: error rates, shape [streams, windows].
        slice_errors: error rates of the slice, shape [streams, windows].
        ranks: mean ranks of the inputs, shape [streams, windows, inputs].
    """

    errors: NDArray[np.float64]
    slice_errors: NDArray[np.float64]
    ranks: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowStream:
    """A distribution of windows of rows, and what changes from the first live window on.

    Attributes:
        name: name in the table.
        rows: rows per window.
        inputs: number of numeric inputs.
        worse: rise of the error rate.
        over: windows over which it rises in equal steps.
        worse_slice: rise of the error rate in a quarter of the rows.
        shift: shift of the first input, and so of the share of positive predictions and labels.
        common_std: standard deviation of a common shift of a window's inputs.
        coefficient: AR(1) coefficient of that shift.
        heavy: whether inputs have Student's t distribution with two degrees of freedom.
    """

    name: str
    rows: int
    inputs: int
    worse: float = 0.0
    worse_slice: float = 0.0
    shift: float = 0.0
    over: int = 1
    common_std: float = 0.0
    coefficient: float = 0.0
    heavy: bool = False

    @property
    def harmed(self) -> bool:
        """Whether anything changes."""
        return max(self.worse, self.worse_slice, self.shift) > 0.0

    def harm_share(self, number: int) -> float:
        """Share of the harm in a live window, counted from 0."""
        return min(1.0, (number + 1) / self.over)

    def windows(self, count: int, rng: np.random.Generator, *, live: bool) -> list[pd.DataFrame]:
        """Draw consecutive windows: inputs x0, x1, …, `score` of the positive class, `prediction` and `label`."""
        shifts = self._shifts(1, count, rng)[0]
        frames = []
        for number in range(count):
            part = self.harm_share(number) if live else 0.0
            shape = (self.rows, self.inputs)
            values = rng.standard_t(2.0, shape) if self.heavy else rng.normal(size=shape)
            values += shifts[number]
            values[:, 0] += self.shift * part
            frame = pd.DataFrame(values, columns=[f"x{index}" for index in range(self.inputs)])
            prediction = (values[:, 0] > 0.0).astype(np.int64)
            rate = np.full(self.rows, ERROR + self.worse * part)
            rate[: round(SLICE * self.rows)] += self.worse_slice * part
            wrong = rng.random(self.rows) < rate
            frame["score"] = np.where(prediction == 1, 1.0 - ERROR, ERROR)
            frame["prediction"] = prediction
            frame["label"] = np.where(wrong, 1 - prediction, prediction)
            frames.append(frame)
        return frames

    def summaries(self, streams: int, count: int, rng: np.random.Generator, *, live: bool) -> Summaries:
        """Draw window means directly: binomial errors, and normal mean ranks, as of fifty rows or more."""
        part = np.array([self.harm_share(number) if live else 0.0 for number in range(count)])
        inside = round(SLICE * self.rows)
        rate = ERROR + self.worse * part
        sliced = rng.binomial(inside, np.broadcast_to(rate + self.worse_slice * part, (streams, count)))
        others = rng.binomial(self.rows - inside, np.broadcast_to(rate, (streams, count)))
        shifts = self._shifts(streams, count, rng)
        centre = 0.5 + RANK_OF_SHIFT * shifts[:, :, None]
        ranks = centre + rng.normal(0.0, 1.0 / np.sqrt(12.0 * self.rows), (streams, count, self.inputs))
        ranks[:, :, 0] += RANK_OF_SHIFT * self.shift * part
        return Summaries(
            errors=(sliced + others) / self.rows, slice_errors=sliced / inside, ranks=ranks.astype(np.float64)
        )

    def _shifts(self, streams: int, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
        shifts = rng.normal(size=(streams, count))
        for number in range(1, count):
            shifts[:, number] = (
                self.coefficient * shifts[:, number - 1] + np.sqrt(1.0 - self.coefficient**2) * shifts[:, number]
            )
        return shifts * self.common_std


CLEAN = (
    RowStream(name="clean, 50 rows, 5 inputs", rows=50, inputs=5),
    RowStream(name="clean, 2,000 rows, 5 inputs", rows=2000, inputs=5),
    RowStream(name="clean, heavy-tailed inputs", rows=2000, inputs=5, heavy=True),
    RowStream(name="clean, 500 rows, 100 inputs", rows=500, inputs=100),
    RowStream(name="clean, 500 rows, 300 inputs", rows=500, inputs=300),
    RowStream(name="clean, inputs with a common AR(1) .5", rows=2000, inputs=5, common_std=0.1, coefficient=0.5),
    RowStream(name="clean, 1,000,000 rows, 5 inputs", rows=1_000_000, inputs=5),
)
HARMED = (
    RowStream(name="error + 1 point", rows=2000, inputs=5, worse=0.01),
    RowStream(name="error + 2 points", rows=2000, inputs=5, worse=0.02),
    RowStream(name="error + 5 points", rows=2000, inputs=5, worse=0.05),
    RowStream(name="error + 10 points", rows=2000, inputs=5, worse=0.10),
    RowStream(name="error + 10 points over 30 windows", rows=2000, inputs=5, worse=0.10, over=30),
    RowStream(name="error + 10 points in a quarter of rows", rows=2000, inputs=5, worse_slice=0.10),
    RowStream(name="label shift, positives .50 to .55", rows=2000, inputs=5, shift=0.2),
)
