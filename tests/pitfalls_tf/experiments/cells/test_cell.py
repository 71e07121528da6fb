"""What all kinds of cells have in common."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

import pytest

from pitfalls_tf.experiments.cells.deployments import TableDeployment
from pitfalls_tf.experiments.cells.failure_cell import FailureCell
from pitfalls_tf.experiments.cells.served_cell import ServedCell
from pitfalls_tf.experiments.cells.training_cell import TrainingCell
from tests.pitfalls_tf.experiments.small_experiment import DRY, TASK

if TYPE_CHECKING:
    from pitfalls_tf.experiments.cells.cell import Cell
    from pitfalls_tf.experiments.tasks.task import RawRows

NO_ROWS = cast("RawRows", None)  # not part of the identity
CELLS: tuple[Cell, ...] = (
    TrainingCell(setup="x", task=TASK, recipe=DRY),
    FailureCell(setup="x", task=TASK, recipe=DRY),
    ServedCell(setup="x", task=TASK, recipe=DRY, deployment=TableDeployment(raw=NO_ROWS)),
)


def test_kinds_of_cells_with_the_same_recipe_and_rows_have_their_own_identities() -> None:
    assert len({json.dumps(cell.identity(), sort_keys=True) for cell in CELLS}) == len(CELLS)


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: type(cell).__name__)
def test_the_setup_is_not_part_of_the_identity(cell: Cell) -> None:
    assert "'x'" not in repr(sorted(cell.identity().values(), key=repr)[0:1])
    assert cell.setup not in {str(value) for value in cell.identity().values()}


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: type(cell).__name__)
def test_the_code_begins_with_the_module_of_the_cell(cell: Cell) -> None:
    assert cell.code[0] == type(cell).__module__
