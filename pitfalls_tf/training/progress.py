"""How far a training has come, in epochs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pitfalls_tf.fitting.fits import Epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingProgress:
    """Epochs done of all that there may be, kept runs included, and what the last step was.

    `milestone` says that a run has just ended or was kept, or that a model was deployed; in between, every epoch is a
    step.
    """

    done: int
    total: int
    stage: str
    milestone: bool


class EpochCounter:
    """Counts the epochs of runs; a run that ends early counts with all of its own. Called from several threads.

    Args:
        deployed_epochs: of the deployed model's own fit; 0 where a scored fit is deployed.
    """

    def __init__(
        self, runs: int, *, run_epochs: int, deployed_epochs: int, report: Callable[[TrainingProgress], None]
    ) -> None:
        self._run_epochs, self._report = run_epochs, report
        self._total = runs * run_epochs + deployed_epochs
        self._finished = 0
        self._reached: dict[int, int] = {}

    def epoch(self, seed: int, epoch: Epoch) -> None:
        """A member of a run has finished an epoch."""
        self._reached[seed] = min(self._reached.get(seed, 0) + 1, self._run_epochs)
        self._step(f"seed {seed}, loss {epoch.loss:.3g}", milestone=False)

    def run_ended(self, seed: int, outcome: str) -> None:
        """A run is written, or was found written."""
        self._reached.pop(seed, None)
        self._finished += self._run_epochs
        self._step(f"seed {seed} {outcome}", milestone=True)

    def deployment_epoch(self, epoch: Epoch) -> None:
        """The fit of the deployed model has finished an epoch."""
        self._finished += 1
        self._step(f"model to deploy, loss {epoch.loss:.3g}", milestone=False)

    def deployed(self, seed: int) -> None:
        """The model of a seed is deployed, or was before."""
        self._finished = self._total
        self._step(f"seed {seed} deployed", milestone=True)

    def _step(self, stage: str, *, milestone: bool) -> None:
        done = self._finished + sum(self._reached.copy().values())
        self._report(TrainingProgress(done=done, total=self._total, stage=stage, milestone=milestone))
