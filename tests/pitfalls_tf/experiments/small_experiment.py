"""A small experiment that runs in seconds: a tiny perceptron on synthetic rows, alone and as an ensemble of two."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pitfalls_tf.experiments import spread
from pitfalls_tf.experiments.cells.training_cell import TrainingCell
from pitfalls_tf.experiments.claim import Claim, ClaimFinding
from pitfalls_tf.experiments.experiment import Experiment, FreshRuns
from pitfalls_tf.experiments.grid_size import GridSize
from pitfalls_tf.experiments.pages import drawing
from pitfalls_tf.experiments.run_store import RunStore
from pitfalls_tf.experiments.scores_table import deciding_rows, score_matrix
from pitfalls_tf.experiments.tasks.task import Part, Task
from tests.pitfalls_tf.small_examples import RECIPE, rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from matplotlib.figure import Figure

    from pitfalls_tf.experiments.run_store import GridProgress

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
    scale="log",
    matters=1.5,
)


SIZE = GridSize(quick=True)


class Interrupted(Exception):
    """Raised in a test instead of killing the process."""


class Counting:
    """A cell that records its runs, and raises `Interrupted` after `most` of them."""

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


def clock() -> Callable[[], float]:
    """A clock that advances one second per reading."""
    ticks = count()
    return lambda: float(next(ticks))


def run_store(folder: Path, reported: list[GridProgress] | None = None) -> RunStore:
    """A run store in a folder; progress is appended to `reported`."""
    return RunStore(folder, SIZE, clock=clock(), progress=(reported if reported is not None else []).append)


def measure(store: RunStore, source: str) -> pa.Table:
    """Run both setups."""
    assert source == TASK.source
    return store.run(CELLS, store.size.seed_numbers(full=5, quick=3))


def measure_fresh(store: RunStore, source: str, first: pa.Table) -> pa.Table:
    """Run both setups with fresh seeds; the first rows are there."""
    assert source in first["source"].to_pylist()
    return store.run(CELLS, store.size.fresh_seeds)


def findings(table: pa.Table) -> tuple[ClaimFinding, ...]:
    """One finding per setup."""
    found = []
    table = deciding_rows(table)
    for cell in CELLS:
        values = score_matrix(table, source="made up", setup=cell.setup, split="deployed", metric="brier").by_seed
        estimate, interval = spread.jackknife(spread.standard_deviation, values)
        where = f"made up, {cell.setup}"
        found.append(ClaimFinding(claim=CLAIM, where=where, estimate=estimate, interval=interval, seeds=len(values)))
    return tuple(found)


def draw(_: pa.Table, found: Sequence[ClaimFinding]) -> Figure:
    """Draw the intervals."""
    figure, axes = drawing.subplots(1, 1, height=1.5)
    drawing.forest_plot(axes[0, 0], [(one.where, one.estimate, one.interval) for one in found], zero=0.01)
    return figure


def summary(table: pa.Table) -> pa.Table:
    """The number of rows."""
    return pa.table({"rows": [len(table)]})


SMALL = Experiment(
    name="small",
    title="A small experiment",
    caption="Intervals of both setups.",
    claims=(CLAIM,),
    sources=(TASK.source,),
    quick_sources=(TASK.source,),
    measure=measure,
    findings=findings,
    draw=draw,
    summary=summary,
    fresh=FreshRuns(measure=measure_fresh, most={TASK.source: 24}),
)
