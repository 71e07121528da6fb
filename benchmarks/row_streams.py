"""Windows of rows with a model's answers and labels: quiet, restless, or harmed, for monitors that work on rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

#: Share of rows on which the made-up model is wrong while nothing is harmed.
ERROR = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class RowStream:
    """A law of windows: rows in each, numeric inputs, and what changes from the first live window on.

    `worse` is what is added to the error rate, at once or in equal steps over `over` windows. `restless` is the
    deviation of a shift common to a window's inputs, and `memory` what the next window keeps of it.
    """

    name: str
    rows: int
    inputs: int
    worse: float = 0.0
    over: int = 1
    restless: float = 0.0
    memory: float = 0.0

    def windows(self, count: int, rng: np.random.Generator, *, live: bool) -> list[pd.DataFrame]:
        """So many consecutive windows: inputs x0, x1, …, `score` of the positive class, `prediction` and `label`."""
        shift = rng.normal() * self.restless
        found = []
        for number in range(count):
            if number:
                shift = self.memory * shift + rng.normal() * self.restless * np.sqrt(1.0 - self.memory**2)
            values = rng.normal(shift, 1.0, (self.rows, self.inputs))
            frame = pd.DataFrame(values, columns=[f"x{place}" for place in range(self.inputs)])
            prediction = (values[:, 0] > 0.0).astype(np.int64)
            worse = self.worse * min(1.0, (number + 1) / self.over) if live else 0.0
            wrong = rng.random(self.rows) < ERROR + worse
            frame["score"] = np.where(prediction == 1, 1.0 - ERROR, ERROR)
            frame["prediction"] = prediction
            frame["label"] = np.where(wrong, 1 - prediction, prediction)
            found.append(frame)
        return found


CLEAN = (
    RowStream(name="quiet, 50 rows, 5 inputs", rows=50, inputs=5),
    RowStream(name="quiet, 2,000 rows, 5 inputs", rows=2000, inputs=5),
    RowStream(name="quiet, 500 rows, 100 inputs", rows=500, inputs=100),
    RowStream(name="restless inputs, AR(1) .5", rows=2000, inputs=5, restless=0.1, memory=0.5),
)
HARMED = (
    RowStream(name="error + 2 points", rows=2000, inputs=5, worse=0.02),
    RowStream(name="error + 5 points", rows=2000, inputs=5, worse=0.05),
    RowStream(name="error + 10 points over 30 windows", rows=2000, inputs=5, worse=0.10, over=30),
)
