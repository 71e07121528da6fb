"""Progress: epochs are counted once, and a run that ends early counts with all of its own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pitfalls_tf.fitting.fits import Epoch
from pitfalls_tf.training.progress import EpochCounter, TrainingProgress

EPOCH = Epoch(number=1, loss=0.5, gradient_norm=1.0)


@given(
    reached=st.lists(st.integers(0, 12), min_size=1, max_size=5),
    run_epochs=st.integers(1, 8),
    deployed_epochs=st.integers(0, 3),
)
def test_steps_never_go_back_and_end_at_the_total(reached: list[int], run_epochs: int, deployed_epochs: int) -> None:
    steps: list[TrainingProgress] = []
    counter = EpochCounter(len(reached), run_epochs=run_epochs, deployed_epochs=deployed_epochs, report=steps.append)
    for seed, epochs in enumerate(reached):
        for _ in range(epochs):
            counter.epoch(seed, EPOCH)
        counter.run_ended(seed, "fitted")
    assert steps[-1].done == len(reached) * run_epochs
    for _ in range(deployed_epochs):
        counter.deployment_epoch(EPOCH)
    counter.deployed(0)
    done = [step.done for step in steps]
    assert done == sorted(done)
    assert {step.total for step in steps} == {len(reached) * run_epochs + deployed_epochs}
    assert done[-1] == steps[-1].total


def test_milestones_are_runs_and_the_deployment() -> None:
    steps: list[TrainingProgress] = []
    counter = EpochCounter(2, run_epochs=2, deployed_epochs=1, report=steps.append)
    counter.run_ended(0, "kept")
    counter.epoch(1, EPOCH)
    counter.run_ended(1, "diverged")
    counter.deployment_epoch(EPOCH)
    counter.deployed(0)
    assert [step.stage for step in steps if step.milestone] == ["seed 0 kept", "seed 1 diverged", "seed 0 deployed"]
    assert [step.stage for step in steps if not step.milestone] == ["seed 1, loss 0.5", "model to deploy, loss 0.5"]
