"""Windows of rows with a model's answers and labels: quiet, restless, or harmed, for monitors that work on rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

#: Share of rows on which the made-up model is wrong while nothing is harmed.
ERROR = 0.2

#: Share of rows in the slice that may be harmed alone.
SLICE = 0.25

#: What a shift of one deviation does to the mean rank of a normal input, near none.
RANK_OF_SHIFT = 1.0 / (2.0 * np.sqrt(np.pi))


@dataclass(frozen=True, slots=True, kw_only=True)
class Summaries:
    """What a monitor of window means sees of many streams: shares of errors, and each input's mean rank.

    `errors`, and `slice_errors` of the slice's rows alone, have the shape [streams, windows], `ranks` [streams,
    windows, inputs].
    """

    errors: NDArray[np.float64]
    slice_errors: NDArray[np.float64]
    ranks: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowStream:
    """A law of windows: rows in each, numeric inputs, and what changes from the first live window on.

    `worse` is what is added to the error rate, at once or in equal steps over `over` windows, and `worse_slice` to that
    of a quarter of the rows alone. `moved` shifts the first input, and so the share of positive answers and labels.
    `restless` is the deviation of a shift common to a window's inputs, and `memory` what the next window keeps of it.
    `heavy` inputs have Student's t with two degrees of freedom.
    """

    name: str
    rows: int
    inputs: int
    worse: float = 0.0
    worse_slice: float = 0.0
    moved: float = 0.0
    over: int = 1
    restless: float = 0.0
    memory: float = 0.0
    heavy: bool = False

    @property
    def harmed(self) -> bool:
        """Whether anything changes."""
        return max(self.worse, self.worse_slice, self.moved) > 0.0

    def grown(self, number: int) -> float:
        """The part of its harm that a live window has, counted from 0."""
        return min(1.0, (number + 1) / self.over)

    def windows(self, count: int, rng: np.random.Generator, *, live: bool) -> list[pd.DataFrame]:
        """So many consecutive windows: inputs x0, x1, …, `score` of the positive class, `prediction` and `label`."""
        shifts = self._shifts(1, count, rng)[0]
        found = []
        for number in range(count):
            part = self.grown(number) if live else 0.0
            shape = (self.rows, self.inputs)
            values = rng.standard_t(2.0, shape) if self.heavy else rng.normal(size=shape)
            values += shifts[number]
            values[:, 0] += self.moved * part
            frame = pd.DataFrame(values, columns=[f"x{place}" for place in range(self.inputs)])
            prediction = (values[:, 0] > 0.0).astype(np.int64)
            rate = np.full(self.rows, ERROR + self.worse * part)
            rate[: round(SLICE * self.rows)] += self.worse_slice * part
            wrong = rng.random(self.rows) < rate
            frame["score"] = np.where(prediction == 1, 1.0 - ERROR, ERROR)
            frame["prediction"] = prediction
            frame["label"] = np.where(wrong, 1 - prediction, prediction)
            found.append(frame)
        return found

    def summaries(self, streams: int, count: int, rng: np.random.Generator, *, live: bool) -> Summaries:
        """The means of so many windows of so many streams, drawn from their law without the rows.

        Errors are binomial; mean ranks normal about what the shift makes of them, as sums of fifty rows or more are.
        """
        part = np.array([self.grown(number) if live else 0.0 for number in range(count)])
        inside = round(SLICE * self.rows)
        rate = ERROR + self.worse * part
        sliced = rng.binomial(inside, np.broadcast_to(rate + self.worse_slice * part, (streams, count)))
        others = rng.binomial(self.rows - inside, np.broadcast_to(rate, (streams, count)))
        shifts = self._shifts(streams, count, rng)
        centre = 0.5 + RANK_OF_SHIFT * shifts[:, :, None]
        ranks = centre + rng.normal(0.0, 1.0 / np.sqrt(12.0 * self.rows), (streams, count, self.inputs))
        ranks[:, :, 0] += RANK_OF_SHIFT * self.moved * part
        return Summaries(
            errors=(sliced + others) / self.rows, slice_errors=sliced / inside, ranks=ranks.astype(np.float64)
        )

    def _shifts(self, streams: int, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
        shifts = rng.normal(size=(streams, count))
        for number in range(1, count):
            shifts[:, number] = self.memory * shifts[:, number - 1] + np.sqrt(1.0 - self.memory**2) * shifts[:, number]
        return shifts * self.restless


CLEAN = (
    RowStream(name="clean, 50 rows, 5 inputs", rows=50, inputs=5),
    RowStream(name="clean, 2,000 rows, 5 inputs", rows=2000, inputs=5),
    RowStream(name="clean, heavy-tailed inputs", rows=2000, inputs=5, heavy=True),
    RowStream(name="clean, 500 rows, 100 inputs", rows=500, inputs=100),
    RowStream(name="clean, 500 rows, 300 inputs", rows=500, inputs=300),
    RowStream(name="clean, restless inputs, AR(1) .5", rows=2000, inputs=5, restless=0.1, memory=0.5),
    RowStream(name="clean, 1,000,000 rows, 5 inputs", rows=1_000_000, inputs=5),
)
HARMED = (
    RowStream(name="error + 1 point", rows=2000, inputs=5, worse=0.01),
    RowStream(name="error + 2 points", rows=2000, inputs=5, worse=0.02),
    RowStream(name="error + 5 points", rows=2000, inputs=5, worse=0.05),
    RowStream(name="error + 10 points", rows=2000, inputs=5, worse=0.10),
    RowStream(name="error + 10 points over 30 windows", rows=2000, inputs=5, worse=0.10, over=30),
    RowStream(name="error + 10 points in a quarter of rows", rows=2000, inputs=5, worse_slice=0.10),
    RowStream(name="label shift, positives .50 to .55", rows=2000, inputs=5, moved=0.2),
)
