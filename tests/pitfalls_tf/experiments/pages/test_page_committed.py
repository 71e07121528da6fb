"""The committed pages agree with the committed tables."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pitfalls_tf.experiments.catalogue import ALL, find, paper_order
from pitfalls_tf.experiments.cells.training_cell import SCHEMA
from pitfalls_tf.experiments.experiment import overall_verdict
from pitfalls_tf.experiments.pages.index import write_index
from pitfalls_tf.experiments.pages.page import HISTORY, MANIFEST, SCORES
from pitfalls_tf.experiments.tasks.task import ALL_ROWS

RESULTS = Path(__file__).parents[4] / "docs/paper"
COMMITTED = [name for name in paper_order() if (RESULTS / name / MANIFEST).is_file()]
WITH_EPOCHS = [name for name in COMMITTED if f"({HISTORY})" in (RESULTS / name / "README.md").read_text("utf-8")]


def table_of(folder: Path) -> pa.Table:
    """The table of the experiment: scores, and the columns of the history as rows."""
    scores = pq.read_table(folder / SCORES)
    if not (folder / HISTORY).is_file():
        return scores
    history = pq.read_table(folder / HISTORY)
    keys = {"source", "setup", "domain", "seed", "epoch"}
    rows: list[dict[str, Any]] = [
        {
            **{key: row.get(key, ALL_ROWS) for key in keys},
            "split": "random",
            "metric": name,
            "value": value,
        }
        for row in history.to_pylist()
        for name, value in row.items()
        if name not in keys
    ]
    return pa.concat_tables([scores, pa.Table.from_pylist(rows, schema=SCHEMA)])


def test_there_are_committed_results() -> None:
    assert COMMITTED


@pytest.mark.parametrize("name", WITH_EPOCHS)
def test_a_history_has_one_row_per_run_and_epoch(name: str) -> None:
    history = pq.read_table(RESULTS / name / HISTORY)
    keys = [key for key in ("source", "setup", "domain", "seed", "epoch") if key in history.column_names]
    assert history.group_by(keys).aggregate([([], "count_all")]).num_rows == history.num_rows


@pytest.mark.parametrize("name", COMMITTED)
def test_the_verdicts_follow_from_the_committed_tables(name: str) -> None:
    (experiment,) = (one for one in find([ALL]) if one.name == name)
    document = json.loads((RESULTS / name / MANIFEST).read_text("utf-8"))
    findings = experiment.findings(table_of(RESULTS / name))
    for claim, written in zip(experiment.claims, document["claims"], strict=True):
        of_claim = [one for one in findings if one.claim == claim]
        assert [(one.where, one.verdict) for one in of_claim] == [
            (one["where"], one["verdict"]) for one in written["findings"]
        ]
        assert written["verdict"] == overall_verdict(of_claim)
        assert written["rule"] == claim.rule


def test_the_committed_index_is_that_of_the_committed_manifests(tmp_path: Path) -> None:
    for name in COMMITTED:
        (tmp_path / name).mkdir()
        (tmp_path / name / MANIFEST).write_bytes((RESULTS / name / MANIFEST).read_bytes())
    assert write_index(tmp_path).read_text("utf-8") == (RESULTS / "README.md").read_text("utf-8")


def test_every_link_of_the_committed_pages_exists() -> None:
    for page in (RESULTS / "README.md", *(RESULTS / name / "README.md" for name in COMMITTED)):
        links = re.findall(r"\]\(([^)]+)\)", page.read_text("utf-8"))
        assert not [link for link in links if not (page.parent / link).is_file()]
