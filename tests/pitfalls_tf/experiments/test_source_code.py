"""A digest of code: all that can change a run is in it, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from pitfalls_tf.experiments import source_code
from pitfalls_tf.experiments.cells.deployments import TableDeployment
from pitfalls_tf.experiments.cells.failure_cell import FailureCell
from pitfalls_tf.experiments.cells.served_cell import ServedCell
from tests.pitfalls_tf.experiments.small_experiment import CELLS, DRY, TASK

if TYPE_CHECKING:
    from pathlib import Path

    from pitfalls_tf.experiments.tasks.task import RawRows

PLAIN = """from made_up import other
def fit(rows):
    return other.mean(rows)
"""
COMMENTED = """'''About fitting.'''

from __future__ import annotations

from typing import TYPE_CHECKING

from made_up import other

if TYPE_CHECKING:
    from made_up import types_alone

def fit(rows):
    '''The mean.'''
    return other.mean(rows)  # of all
"""


def digest(folder: Path, monkeypatch: pytest.MonkeyPatch, **modules: str) -> str:
    """Of module `fitting` of a made-up package."""
    package = folder / "made_up"
    package.mkdir(exist_ok=True)
    for name, text in {"__init__": "", **modules}.items():
        (package / f"{name}.py").write_text(text, "utf-8")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(source_code, "PACKAGES", ("made_up",))
    source_code.digest.cache_clear()
    source_code._path.cache_clear()
    return source_code.digest(("made_up.fitting",))


def test_the_digest_changes_with_code_and_its_imports_but_not_with_comments_and_types(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, types_alone = "def mean(rows): return sum(rows)", "from made_up import fitting"
    given = {"other": other, "types_alone": types_alone, "unrelated": "x = 1"}
    future = "from __future__ import annotations\nfrom typing import TYPE_CHECKING\n"
    first = digest(tmp_path, monkeypatch, fitting=future + PLAIN, **given)
    assert digest(tmp_path, monkeypatch, fitting=COMMENTED, **given) == first
    assert (
        digest(tmp_path, monkeypatch, fitting=COMMENTED, **given | {"unrelated": "x = 2", "types_alone": ""}) == first
    )
    assert digest(tmp_path, monkeypatch, fitting=COMMENTED.replace("mean(", "most("), **given) != first
    assert digest(tmp_path, monkeypatch, fitting=COMMENTED, **given | {"other": other.replace("sum", "max")}) != first
    late = "def fit(rows):\n    import made_up.other\n    return made_up.other.mean(rows)"
    assert digest(tmp_path, monkeypatch, fitting=late, **given) != digest(
        tmp_path, monkeypatch, fitting=late, **given | {"other": other.replace("sum", "max")}
    )


def test_an_unknown_module_is_an_error() -> None:
    with pytest.raises(ModuleNotFoundError, match="nowhere"):
        source_code.digest(("pitfalls_tf.nowhere",))


@pytest.mark.slow
def test_cells_name_the_code_that_runs_them() -> None:
    """What is not imported by the module of a cell, but passed to it or run with it, must be included."""
    trained = source_code.imported(CELLS[0].code)
    for name in (
        "fitting.ensemble",
        "fitting.program",
        "fitting.fits",
        "architectures.optimiser",
        "architectures.blocks",
        "remedies.adaptation.dann",
    ):
        assert f"pitfalls_tf.{name}" in trained
    assert "monitoring.baseline.metrics" in trained
    assert "pitfalls_tf.cli.reproduce" not in trained
    failures = FailureCell(setup="plain", task=TASK, recipe=DRY)
    no_rows = cast("RawRows", None)  # which its code has nothing to do with
    served = ServedCell(setup="plain", task=TASK, recipe=DRY, deployment=TableDeployment(raw=no_rows))
    named = source_code.imported(served.code)
    assert {"pitfalls_tf.fitting.ensemble", "monitoring.runs.run", "serving.workers.worker"} <= set(named)
    assert {"pitfalls_tf.experiments.cells.deployments", "pitfalls_tf.experiments.tasks.letter_stream"} <= set(named)
    assert "monitoring.baseline._binning" in named, "in C, and compiled or not it is code"
    assert len({cell.code for cell in (CELLS[0], failures, served)}) == 3
