"""An experiment that ends in seconds: a tiny perceptron on made-up rows, its two setups told apart by dropout."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pitfalls_tf.experiments import drawing, spread
from pitfalls_tf.experiments.experiment import Claim, Experiment, Finding
from pitfalls_tf.experiments.scores_table import block
from pitfalls_tf.experiments.tasks import Part, Task
from pitfalls_tf.experiments.training_cell import TrainingCell
from tests.pitfalls_tf.small_examples import RECIPE, rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

    from pitfalls_tf.experiments.run_store import Lab

KNOWN = rows(60, seed=2)
TASK = Task(
    source="made up",
    training=rows(200, seed=1),
    validation=KNOWN.where(KNOWN.labelled),
    parts=(
        Part(split="random", domain="all", examples=KNOWN.where(KNOWN.labelled)),
        Part(split="deployed", domain="north", examples=(north := rows(80, seed=3, shift=0.5)).where(north.labelled)),
        Part(split="deployed", domain="south", examples=(south := rows(80, seed=4, shift=1.0)).where(south.labelled)),
    ),
)
DRY = replace(RECIPE, epochs=2, architecture=replace(RECIPE.architecture, dropout=0.0))  # type: ignore[type-var]
CELLS = (
    TrainingCell(setup="plain", task=TASK, recipe=DRY),
    TrainingCell(setup="two together", task=TASK, recipe=DRY, members=2),
)
CLAIM = Claim(
    name="spread",
    section="3",
    says="runs differ",
    quantity="standard deviation of the deployed Brier score",
    above=0.01,
)


class Interrupted(Exception):
    """What a test raises in the place of a killed process."""


class Counting:
    """A cell that counts its runs, and breaks off when so many were made."""

    def __init__(self, cell: TrainingCell, most: int = 1_000) -> None:
        self.cell, self.setup = cell, cell.setup
        self.made: list[int] = []
        self._most = most

    @property
    def code(self) -> tuple[str, ...]:
        return self.cell.code

    def identity(self) -> Mapping[str, Any]:
        return self.cell.identity()

    def run(self, seeds: Sequence[int]) -> Mapping[int, pa.Table]:
        if len(self.made) >= self._most:
            raise Interrupted
        self.made += seeds
        return self.cell.run(seeds)


def measure(lab: Lab) -> pa.Table:
    """Both setups."""
    return lab.run(CELLS, lab.scale.numbers(full=5, quick=3))


def findings(table: pa.Table) -> tuple[Finding, ...]:
    """One for each setup."""
    found = []
    for cell in CELLS:
        values = block(table, source="made up", setup=cell.setup, split="deployed", metric="brier").by_seed
        estimate, interval = spread.jackknife(spread.deviation, values)
        found.append(Finding(claim=CLAIM, where=cell.setup, estimate=estimate, interval=interval))
    return tuple(found)


def draw(_: pa.Table, found: Sequence[Finding]) -> Figure:
    """The intervals."""
    figure, axes = drawing.sheet(1, 1, height=1.5)
    drawing.ladder(axes[0, 0], [(one.where, one.estimate, one.interval) for one in found], zero=0.01)
    return figure


def summary(table: pa.Table) -> pa.Table:
    """Nothing but how many rows there are."""
    return pa.table({"rows": [len(table)]})


SMALL = Experiment(
    name="small",
    title="A small experiment",
    caption="Nothing to see.",
    claims=(CLAIM,),
    measure=measure,
    findings=findings,
    draw=draw,
    summary=summary,
)
