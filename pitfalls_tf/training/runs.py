"""A run, one seed of a setup, and the ensemble of a setup's runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from monitoring.baseline.metrics import ConfidenceInterval, Metrics
from monitoring.errors import CannotRun

MODEL = "model.keras"
REFERENCE = "reference.parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One seed of a setup. A diverged run, whose loss became NaN or infinite, has no metrics and stays on record."""

    seed: int
    folder: Path
    metrics: Metrics | None
    intervals: Mapping[str, ConfidenceInterval]

    @property
    def diverged(self) -> bool:
        """Whether any of its fits diverged."""
        return self.metrics is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """One metric over the seeds that did not diverge; `deviation` is the sample standard deviation, None for one seed.

    `worst_minus_median` is how much worse than the median a single run may be, 0 or more for every metric.
    """

    median: float
    deviation: float | None
    best: float
    worst: float
    worst_minus_median: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ensemble:
    """The runs of a setup in order of seed, and the deployed one, whose Brier score is the median."""

    setup: str
    folder: Path
    runs: tuple[Run, ...]
    deployed: Run

    @property
    def diverged(self) -> tuple[int, ...]:
        """Seeds of the runs that diverged."""
        return tuple(run.seed for run in self.runs if run.diverged)

    @property
    def spread(self) -> dict[str, Spread]:
        """Each metric over the seeds."""
        run_metrics = [asdict(run.metrics) for run in self.runs if run.metrics is not None]
        return {
            name: _spread([float(metrics[name]) for metrics in run_metrics], larger_is_better=name == "auc")
            for name in ("brier", "log_loss", "error", "calibration_error", "auc")
            if all(metrics[name] is not None for metrics in run_metrics)
        }

    @property
    def model(self) -> Path:
        """The deployed run's Keras file."""
        return self.folder / MODEL

    @property
    def reference(self) -> Path:
        """The deployed run's reference table."""
        return self.folder / REFERENCE


def median(runs: Sequence[Run]) -> Run:
    """The run with the median Brier score.

    Returns:
        The median one; of an even number, the better of the two in the middle.
    """
    ranked = sorted((run.metrics.brier, run.seed, run) for run in runs if run.metrics is not None)
    if not ranked:
        raise CannotRun(
            "Every run diverged, so there is nothing to deploy.",
            got=f"{len(runs)} of {len(runs)} runs diverged",
            expected="at least one that did not",
            fix="Lower the setup's learning rate.",
        )
    return ranked[(len(ranked) - 1) // 2][2]


def _spread(values: Sequence[float], *, larger_is_better: bool) -> Spread:
    low, high = min(values), max(values)
    middle, worst = float(np.median(values)), low if larger_is_better else high
    return Spread(
        median=middle,
        deviation=float(np.std(values, ddof=1)) if len(values) > 1 else None,
        best=high if larger_is_better else low,
        worst=worst,
        worst_minus_median=abs(worst - middle),
    )
