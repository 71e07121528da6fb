"""Experiments reproduced into a folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from pitfalls_tf.experiments.grid_size import GridSize
from pitfalls_tf.experiments.reproduce import command_of, reproduce
from tests.pitfalls_tf.experiments.small_experiment import SIZE, SMALL, clock

if TYPE_CHECKING:
    from pathlib import Path


def test_the_same_seeds_in_another_folder_give_the_same_table(reproduced: Path, tmp_path: Path) -> None:
    (again,) = reproduce([SMALL], tmp_path, SIZE, clock=clock(), progress=lambda *_: None)
    first = json.loads((reproduced / "small" / "manifest.json").read_text("utf-8"))
    assert again.manifest["table_digest"] == first["table_digest"]
    assert again.manifest["cells"] == first["cells"]
    name = "scores.parquet"
    assert pq.read_table(tmp_path / "small" / name).equals(pq.read_table(reproduced / "small" / name))


def test_the_index_has_the_findings_of_the_experiment(reproduced: Path) -> None:
    document = json.loads((reproduced / "small" / "manifest.json").read_text("utf-8"))
    index = (reproduced / "README.md").read_text("utf-8")
    for finding in document["claims"][0]["findings"]:
        assert f"{finding['where']} {finding['measured']}, {finding['verdict']}" in index


def test_the_manifest_has_the_provenance_of_the_runs(reproduced: Path) -> None:
    document = json.loads((reproduced / "small" / "manifest.json").read_text("utf-8"))
    assert document["seeds"] == [0, 1, 2]
    assert document["runs"] == 3
    stored = {path.stem for path in (reproduced / ".cells").glob("*.parquet")}
    assert set(document["cells"]) <= stored
    assert len(document["cells"]) == 6
    assert document["processor"]["threads"] >= 1


@pytest.mark.parametrize(
    ("size", "command"),
    [
        (GridSize(), "pitfalls reproduce small"),
        (GridSize(quick=True), "pitfalls reproduce small --quick"),
        (GridSize(quick=True, seeds=3), "pitfalls reproduce small --seeds 3 --quick"),
    ],
)
def test_the_command_repeats_the_size(size: GridSize, command: str) -> None:
    assert command_of(SMALL, size) == command
