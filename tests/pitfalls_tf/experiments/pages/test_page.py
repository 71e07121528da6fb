"""The page of an experiment."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from pitfalls_tf.experiments.pages.page import final_rows, read_manifests, table_digest

if TYPE_CHECKING:
    from pathlib import Path


def test_the_folder_has_page_figure_tables_and_manifest(reproduced: Path) -> None:
    folder = reproduced / "small"
    assert {path.name for path in folder.iterdir()} == {
        "README.md",
        "manifest.json",
        "scores.parquet",
        "history.parquet",
        "table.parquet",
        "table.md",
        "small.svg",
        "small.png",
    }
    assert (folder / "small.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (folder / "small.svg").read_text("utf-8")


def test_the_page_states_the_findings_of_the_manifest(reproduced: Path) -> None:
    document = json.loads((reproduced / "small" / "manifest.json").read_text("utf-8"))
    page = (reproduced / "small" / "README.md").read_text("utf-8")
    (claim,) = document["claims"]
    assert f"Verdict: {claim['verdict']}." in page
    assert claim["rule"] in page
    for finding in claim["findings"]:
        assert f"{finding['where']} {finding['measured']}, {finding['verdict']}" in page
    assert "Quick run" in page
    assert document["quick"]


def test_every_link_of_the_page_exists(reproduced: Path) -> None:
    page = reproduced / "small" / "README.md"
    links = re.findall(r"\]\(([^)]+)\)", page.read_text("utf-8"))
    assert links
    assert not [link for link in links if not (page.parent / link).is_file()]


def test_final_rows_are_those_without_an_epoch() -> None:
    table = pa.table({"epoch": pa.array([1, None, 2], pa.int64()), "value": [0.1, 0.2, 0.3]})
    assert final_rows(table)["value"].to_pylist() == [0.2]
    without_epochs = pa.table({"value": [0.1]})
    assert final_rows(without_epochs) is without_epochs


def test_the_digest_depends_on_every_value_and_on_the_order() -> None:
    table = pa.table({"a": [1, 2], "b": [0.5, None]})
    others = [pa.table({"a": [1, 2], "b": [0.5, 0.5]}), table.take([1, 0]), table.slice(1)]
    digests = {table_digest(one) for one in (table, *others)}
    assert len(digests) == 4


def test_manifests_of_other_documents_and_unfinished_folders_are_skipped(tmp_path: Path) -> None:
    for name, document in (
        ("figure1", {"experiment": "figure1"}),
        ("runs", {"setup": "x"}),
        (".seed-x", {"experiment": "x"}),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(json.dumps(document), "utf-8")
    assert read_manifests(tmp_path) == {"figure1": {"experiment": "figure1"}}


@pytest.mark.parametrize("name", ["scores.parquet", "history.parquet"])
def test_runs_and_their_epochs_are_linked(reproduced: Path, name: str) -> None:
    assert f"[{name}]({name})" in (reproduced / "small" / "README.md").read_text("utf-8")
