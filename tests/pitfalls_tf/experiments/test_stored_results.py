"""Results read back from an experiment's folder."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pitfalls_tf.experiments.cells.training_cell import SCHEMA
from pitfalls_tf.experiments.grid_size import FIRST_FRESH
from pitfalls_tf.experiments.stored_results import RunGroup, StoredResults, read_groups, read_results
from tests.pitfalls_tf.experiments.score_rows import score_row

OLDER = {
    "experiment": "figure1",
    "command": "pitfalls reproduce figure1 --seeds 3",
    "quick": False,
    "environment": {"cores": 2},
    "table_digest": "abc",
    "cells": ["d1"],
}


def rows(source: str, seed: int, value: float) -> pa.Table:
    """One score."""
    return pa.Table.from_pylist(
        [score_row("conventional", "deployed", "a", seed, value) | {"source": source}], schema=SCHEMA
    )


def group(source: str, stage: str = "first") -> RunGroup:
    """A group of runs."""
    return RunGroup(
        sources=(source,),
        stage=stage,  # type: ignore[arg-type]
        command="pitfalls reproduce x",
        quick=False,
        seeds=None,
        fresh_domains=None,
        environment={},
        processor=None,
        cells=(),
        code=(),
        table_digest="",
        hours=None,
    )


def test_a_manifest_of_an_earlier_version_is_one_group_of_all_sources(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps(OLDER), "utf-8")
    pq.write_table(pa.concat_tables([rows("flights", 0, 0.1), rows("rodents", 0, 0.2)]), tmp_path / "scores.parquet")
    results = read_results(tmp_path)
    assert results is not None
    (only,) = results.groups
    assert (only.sources, only.stage, only.seeds, only.table_digest) == (("flights", "rodents"), "first", 3, "abc")
    assert only.code is None
    (again,) = read_groups({"groups": [only.document()]})
    assert again == only


def test_values_per_epoch_are_read_as_rows(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps(OLDER), "utf-8")
    pq.write_table(rows("flights", 0, 0.1), tmp_path / "scores.parquet")
    history = pa.table(
        {"source": ["flights"], "setup": ["x"], "seed": [0], "epoch": [1], "loss": pa.array([0.5], pa.float32())}
    )
    pq.write_table(history, tmp_path / "history.parquet")
    results = read_results(tmp_path)
    assert results is not None
    assert results.table.slice(1).to_pylist() == [
        {**score_row("x", "random", "all", 0, 0.5, metric="loss"), "epoch": 1}
    ]


@pytest.mark.parametrize("document", [{**OLDER, "quick": True}, None])
def test_a_quick_run_and_an_empty_folder_have_no_results_to_keep(document: dict[str, object], tmp_path: Path) -> None:
    if document is not None:
        (tmp_path / "manifest.json").write_text(json.dumps(document), "utf-8")
        pq.write_table(rows("flights", 0, 0.1), tmp_path / "scores.parquet")
    assert read_results(tmp_path) is None


def test_new_rows_replace_those_of_the_same_source_and_stage() -> None:
    order = ("flights", "rodents")
    together = RunGroup(**{**group("flights").document(), "sources": order})
    results = StoredResults(
        table=pa.concat_tables([rows("flights", 0, 0.1), rows("rodents", 0, 0.2)]), groups=(together,)
    )
    fresh = results.replaced(group("rodents", "fresh"), rows("rodents", FIRST_FRESH, 0.3), order)
    assert fresh.table["value"].to_pylist() == [0.1, 0.2, 0.3]
    assert len(fresh.groups) == 2
    again = fresh.replaced(group("flights"), rows("flights", 0, 0.4), order)
    assert again.table["value"].to_pylist() == [0.4, 0.2, 0.3]
    assert [one.sources for one in again.groups] == [order, ("rodents",), ("flights",)], "rodents' first runs are left"
    last = again.replaced(group("rodents"), rows("rodents", 0, 0.5), order)
    assert [(one.sources, one.stage) for one in last.groups] == [
        (("rodents",), "fresh"),
        (("flights",), "first"),
        (("rodents",), "first"),
    ], "no row of the first group is left"
