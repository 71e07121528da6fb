"""The failure cell: every run's predictions on the same deployed rows, from which failure cases are selected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from pitfalls_tf.experiments.cells.training_cell import CODE
from pitfalls_tf.experiments.tasks.task import Task, task_digest
from pitfalls_tf.fitting.recipe import Recipe

SCHEMA: Final = pa.schema(
    {
        "source": pa.string(),
        "setup": pa.string(),
        "domain": pa.string(),
        "seed": pa.int64(),
        "row": pa.int32(),  # index within the domain
        "truth": pa.string(),
        "predicted": pa.string(),
        "confidence": pa.float32(),  # probability of the predicted class
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureCell:
    """A recipe on a task. Its rows are predictions, not scores; a diverged seed has none."""

    setup: str
    task: Task
    recipe: Recipe

    @property
    def code(self) -> tuple[str, ...]:
        """This module and the parts of recipes."""
        return (__name__, *CODE)

    def identity(self) -> Mapping[str, Any]:
        """As a training cell, with a kind of its own."""
        return {"recipe": repr(self.recipe), "data": task_digest(self.task), "kind": "failures"}

    def run(self, seeds: Sequence[int]) -> Mapping[int, pa.Table]:
        """Fit the seeds together, and predict every deployed row with each."""
        from pitfalls_tf.fitting import ensemble  # noqa: PLC0415 - loads TensorFlow

        fits = ensemble.fit(
            self.recipe, self.task.training, seeds=seeds, options=ensemble.FitOptions(threads=len(seeds))
        )
        tables = {}
        for seed in seeds:
            fit, parts = fits.of_seed(seed), [SCHEMA.empty_table()]
            for part in self.task.parts:
                if part.split != "deployed" or fit.diverged:
                    continue
                probabilities = fit.predict(part.examples.inputs)[0]
                count, names = len(part.examples), np.array(part.examples.classes, dtype=object)
                columns = {
                    "source": [self.task.source] * count,
                    "setup": [""] * count,
                    "domain": [part.domain] * count,
                    "seed": [seed] * count,
                    "row": np.arange(count, dtype=np.int32),
                    "truth": names[part.examples.targets],
                    "predicted": names[probabilities.argmax(axis=1)],
                    "confidence": probabilities.max(axis=1).astype(np.float32),
                }
                parts.append(pa.table(columns, schema=SCHEMA))
            tables[seed] = pa.concat_tables(parts)
        return tables
