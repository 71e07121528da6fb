"""The training cell: a recipe fitted to a task once per seed. Most grids consist of these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.baseline.metrics import measure
from pitfalls_tf.experiments.tasks.task import ALL_ROWS, Task, task_digest
from pitfalls_tf.fitting.fits import Epoch, Fits
from pitfalls_tf.fitting.recipe import Recipe

METRICS: Final = ("brier", "log_loss", "error", "calibration_error", "auc")
EPOCH_METRICS: Final = ("loss", "gradient_norm", "validation_log_loss", "validation_brier", "validation_error")
DIVERGED: Final = "diverged"  # 1 or 0, in split "training"; the other values of a diverged run are null
# Parts of recipes, in addition to the training loop that this module imports.
CODE: Final = ("pitfalls_tf.architectures.catalogue", "pitfalls_tf.remedies.catalogue")
MEMBER_SEEDS: Final = 100_000  # seeds of ensemble members, distinct from those of single runs

SCHEMA: Final = pa.schema(
    {
        "source": pa.string(),
        "setup": pa.string(),
        "split": pa.string(),
        "domain": pa.string(),
        "seed": pa.int64(),
        "epoch": pa.int64(),  # null for what is measured after the last epoch
        "metric": pa.string(),
        "value": pa.float64(),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingCell:
    """A recipe on a task."""

    setup: str
    task: Task
    recipe: Recipe
    members: int = 1

    @property
    def code(self) -> tuple[str, ...]:
        """This module and the parts of recipes."""
        return (__name__, *CODE)

    def identity(self) -> Mapping[str, Any]:
        """Recipe, data and members; the recipe's dataclasses print all their settings."""
        return {"recipe": repr(self.recipe), "data": task_digest(self.task), "members": self.members}

    def run(self, seeds: Sequence[int]) -> Mapping[int, pa.Table]:
        """Fit the seeds together, and score each on every part of the task."""
        from pitfalls_tf.fitting import ensemble  # noqa: PLC0415 - loads TensorFlow

        task, count = self.task, self.members
        member_seeds = {
            seed: [seed] if count == 1 else [MEMBER_SEEDS + count * seed + member for member in range(count)]
            for seed in seeds
        }
        fits = ensemble.fit(
            self.recipe,
            task.training,
            task.validation,
            seeds=[seed for numbers in member_seeds.values() for seed in numbers],
            target=task.target,
            options=ensemble.FitOptions(threads=len(seeds)),
        )
        return {seed: self._rows(seed, fits, numbers) for seed, numbers in member_seeds.items()}

    def _rows(self, seed: int, fits: Fits, numbers: Sequence[int]) -> pa.Table:
        members = [fits.of_seed(number) for number in numbers]
        diverged = any(fit.members[0].diverged for fit in members)
        rows = [self._row(seed, "training", ALL_ROWS, DIVERGED, float(diverged))]
        if self.members == 1:
            rows += self._history(seed, members[0].members[0].epochs)
        for part in self.task.parts:
            probabilities = (
                None if diverged else np.mean([fit.predict(part.examples.inputs)[0] for fit in members], axis=0)
            )
            rows += [
                self._row(seed, part.split, part.domain, name, value)
                for name, value in _scores(probabilities, part.examples.targets).items()
                if self.task.metrics is None or name in self.task.metrics
            ]
        return pa.Table.from_pylist(rows, schema=SCHEMA)

    def _history(self, seed: int, epochs: Sequence[Epoch]) -> list[dict[str, Any]]:
        return [
            {**self._row(seed, "random", ALL_ROWS, name, getattr(epoch, name)), "epoch": epoch.number}
            for epoch in epochs
            for name in EPOCH_METRICS
        ]

    def _row(self, seed: int, split: str, domain: str, metric: str, value: float | None) -> dict[str, Any]:
        return {
            "source": self.task.source,
            "setup": "",
            "split": split,
            "domain": domain,
            "seed": seed,
            "epoch": None,
            "metric": metric,
            "value": value if value is not None and np.isfinite(value) else None,
        }


def _scores(probabilities: NDArray[np.float64] | None, targets: NDArray[np.int64]) -> dict[str, float | None]:
    if probabilities is None:
        return dict.fromkeys(METRICS)
    metrics = asdict(measure(probabilities, targets))
    return {name: metrics[name] for name in METRICS}
