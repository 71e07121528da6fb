"""The index page over all experiments of a folder."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from pitfalls_tf.experiments.catalogue import paper_order
from pitfalls_tf.experiments.pages.index import write_index

if TYPE_CHECKING:
    from pathlib import Path


def manifest(name: str, *, quick: bool = False) -> dict[str, object]:
    """The manifest of an experiment with one claim."""
    finding = {"where": "flights", "measured": "1 (0 to 2)", "verdict": "reproduced"}
    claim = {
        "name": "spread",
        "section": "3",
        "says": "runs differ",
        "quantity": "deviation",
        "verdict": "reproduced",
        "found": "flights 1 (0 to 2), reproduced",
        "findings": [finding],
    }
    return {"experiment": name, "quick": quick, "command": f"pitfalls reproduce {name}", "claims": [claim]}


def write(folder: Path, document: dict[str, object]) -> None:
    """Write a manifest into the folder of its experiment."""
    path = folder / str(document["experiment"])
    path.mkdir()
    (path / "manifest.json").write_text(json.dumps(document), "utf-8")


def test_the_index_lists_claims_in_the_order_of_the_paper_with_unknown_experiments_last(tmp_path: Path) -> None:
    for name in ("another", *reversed(paper_order()[:3])):
        write(tmp_path, manifest(name))
    page = write_index(tmp_path).read_text("utf-8")
    assert re.findall(r"^\| §3, \[(\w+)\]", page, re.MULTILINE) == [*paper_order()[:3], "another"]


def test_the_index_states_estimate_verdict_and_command(tmp_path: Path) -> None:
    write(tmp_path, manifest("figure1", quick=True))
    page = write_index(tmp_path).read_text("utf-8")
    assert "| runs differ | deviation: flights 1 (0 to 2), reproduced | **reproduced** (quick run) |" in page
    assert "\npitfalls reproduce figure1\n" in page


def test_every_link_of_the_index_exists(reproduced: Path) -> None:
    links = re.findall(r"\]\(([^)]+)\)", (reproduced / "README.md").read_text("utf-8"))
    assert links
    assert not [link for link in links if not (reproduced / link).is_file()]


def test_the_index_states_the_hours_of_a_command_where_all_of_its_groups_were_measured(tmp_path: Path) -> None:
    for name, hours in (("figure1", 0.25), ("figure1_tuning", 0.5), ("figure2", None), ("figure2_budget", 1.0)):
        group = {"command": f"pitfalls reproduce {name.split('_')[0]}", "hours": hours}
        write(tmp_path, manifest(name) | {"groups": [group]})
    page = write_index(tmp_path).read_text("utf-8")
    assert "\npitfalls reproduce figure1  # 0.75 h\npitfalls reproduce figure2\n" in page
