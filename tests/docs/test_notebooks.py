"""The notebooks of the site run in a fresh kernel; where nothing is trained, they print what the site shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from docs.notebooks import FOLDER, executed, read

NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def printed(notebook: Any) -> list[str]:
    """What each cell printed."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return ["".join(output.get("text", "") for output in cell.outputs) for cell in cells]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_with_the_output_of_every_cell_and_no_error(path: Path) -> None:
    cells = [cell for cell in read(path).cells if cell.cell_type == "code"]
    assert all(cell.execution_count == number for number, cell in enumerate(cells, 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert len(outputs) >= 3
    assert not [output for output in outputs if output.output_type == "error"]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_says_what_the_site_shows(path: Path) -> None:
    kept, anew = read(path), executed(path)
    if path.stem == "notebook-table":  # numbers of trained networks depend on the processor
        assert printed(anew) == printed(kept)
    assert [bool(cell.get("outputs")) for cell in anew.cells] == [bool(cell.get("outputs")) for cell in kept.cells]
