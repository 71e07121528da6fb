"""Experiments reproduced into a folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from pitfalls_tf.experiments.grid_size import FIRST_FRESH, GridSize
from pitfalls_tf.experiments.reproduce import (
    Processor,
    Selection,
    command_of,
    current_processor,
    plan_experiments,
    reproduce,
)
from tests.pitfalls_tf.experiments.small_experiment import SIZE, SMALL, clock

if TYPE_CHECKING:
    from pathlib import Path


def test_the_same_seeds_in_another_folder_give_the_same_table(reproduced: Path, tmp_path: Path) -> None:
    (again,) = reproduce([SMALL], tmp_path, SIZE, clock=clock(), progress=lambda *_: None)
    first = json.loads((reproduced / "small" / "manifest.json").read_text("utf-8"))
    (made,), (before,) = again.manifest["groups"], first["groups"]
    assert made["table_digest"] == before["table_digest"]
    assert list(made["cells"]) == before["cells"]
    name = "scores.parquet"
    assert pq.read_table(tmp_path / "small" / name).equals(pq.read_table(reproduced / "small" / name))


def test_the_page_of_a_quick_run_is_linked_and_its_verdicts_are_not_in_the_index(reproduced: Path) -> None:
    index = (reproduced / "README.md").read_text("utf-8")
    assert "without verdicts: [small](small/README.md)" in index
    assert "inconclusive" not in index


def test_the_manifest_has_the_provenance_of_the_runs(reproduced: Path) -> None:
    document = json.loads((reproduced / "small" / "manifest.json").read_text("utf-8"))
    assert document["runs"] == 3
    (group,) = document["groups"]
    stored = {path.stem for path in (reproduced / ".cells").glob("*.parquet")}
    assert set(group["cells"]) <= stored
    assert len(group["cells"]) == 6
    assert group["processor"]["threads"] >= 1


def run(out: Path, **selected: Any) -> dict[str, Any]:
    """Reproduce the small experiment, and return its manifest."""
    done = reproduce(
        [SMALL], out, GridSize(seeds=3), clock=clock(), progress=lambda *_: None, selection=Selection(**selected)
    )
    manifest: dict[str, Any] = done[0].manifest
    return manifest


def test_fresh_runs_are_made_as_planned_until_the_claims_are_decided(tmp_path: Path) -> None:
    """The claim needs more runs than the cheapest look has; with a bound far away the first look decides."""
    first = run(tmp_path)
    assert [group["stage"] for group in first["groups"]] == ["first"]
    plan = plan_experiments([SMALL], tmp_path)["small"]["made up"]
    assert plan.looks
    assert "| made up | spread |" in (tmp_path / "PLAN.md").read_text("utf-8")
    manifest = run(tmp_path, runs="fresh")
    assert [group["stage"] for group in manifest["groups"]] == ["first", "fresh"]
    assert manifest["groups"][1]["seeds"] in plan.looks
    seeds = set(pq.read_table(tmp_path / "small" / "scores.parquet")["seed"].to_pylist())
    assert seeds == {0, 1, 2, *range(FIRST_FRESH, FIRST_FRESH + manifest["groups"][1]["seeds"])}
    assert manifest["claims"][0]["findings"][0]["runs"] == manifest["groups"][1]["seeds"]
    assert "## Power, planned before the fresh runs" in (tmp_path / "small" / "README.md").read_text("utf-8")
    again = run(tmp_path, runs="none")
    assert json.loads(json.dumps(again)) == json.loads((tmp_path / "small" / "manifest.json").read_text("utf-8"))
    assert json.loads(json.dumps(again["claims"])) == json.loads(json.dumps(manifest["claims"]))


def test_nothing_selected_and_nothing_stored_writes_nothing(tmp_path: Path) -> None:
    assert (
        reproduce([SMALL], tmp_path, SIZE, clock=clock(), progress=lambda *_: None, selection=Selection(runs="none"))
        == ()
    )
    assert not (tmp_path / "small").exists()


@pytest.mark.parametrize(
    ("size", "command"),
    [
        (GridSize(), "pitfalls reproduce small --source digits --runs first"),
        (GridSize(seeds=3), "pitfalls reproduce small --seeds 3 --source digits --runs first"),
        (GridSize(quick=True), "pitfalls reproduce small --quick"),
        (GridSize(quick=True, seeds=3), "pitfalls reproduce small --seeds 3 --quick"),
    ],
)
def test_the_command_repeats_the_size(size: GridSize, command: str) -> None:
    assert command_of(SMALL, size, source="digits", stage="first") == command


def test_the_number_of_fresh_runs_is_the_plans() -> None:
    command = command_of(SMALL, GridSize(seeds=64), source="digits", stage="fresh")
    assert command == "pitfalls reproduce small --source digits --runs fresh"


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("processor\t: 0\nmodel name\t: Example CPU @ 2.0 GHz\nmodel name\t: second\n", "Example CPU @ 2.0 GHz"),
        ("model name\t:\nmodel name\t: After an empty one\n", "After an empty one"),
    ],
)
def test_the_model_is_the_first_name_in_cpuinfo(tmp_path: Path, text: str, model: str) -> None:
    (tmp_path / "cpuinfo").write_text(text, "utf-8")
    found = current_processor(tmp_path / "cpuinfo")
    assert found.model == model
    assert found.threads >= 1


def test_a_processor_is_printed_with_its_threads() -> None:
    assert str(Processor("A", 1)) == "A, 1 thread"
    assert str(Processor("A", 8)) == "A, 8 threads"
