"""The index page over all experiments of a folder."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from pitfalls_tf.experiments.catalogue import paper_order
from pitfalls_tf.experiments.pages.index import MARKS, claims_table, write_index

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


verdicts = st.sampled_from(["reproduced", "not reproduced", "inconclusive"])
findings = st.lists(
    st.tuples(st.sampled_from(["flights", "rodents, x", "digits: y"]), verdicts), min_size=1, max_size=8
)


def document(found: list[tuple[str, str]], *, quick: bool = False) -> dict[str, object]:
    """A manifest with one claim and these findings."""
    rows = [{"where": where, "verdict": verdict} for where, verdict in found]
    claim = {"name": "c", "verdict": found[0][1], "findings": rows}
    return {"experiment": "figure1", "quick": quick, "claims": [claim]}


@given(findings)
def test_every_finding_is_counted_once_and_marked_in_the_column_of_its_source(found: list[tuple[str, str]]) -> None:
    lines = claims_table([document(found)])
    text = " ".join(lines[: lines.index("")])
    counts = text.split("and claim: ")[1].split(".")[0].split(", ")
    by_verdict = {verdict: sum(one == verdict for _, one in found) for verdict in MARKS}
    assert counts == [f"{count} {verdict}" for verdict, count in by_verdict.items() if count]
    cells = [cell.strip() for cell in lines[-1].split("|")[2:5]]
    for name, cell in zip(("flights", "rodents", "digits"), cells, strict=True):
        of_source = [verdict for where, verdict in found if where.startswith(name)]
        assert {mark for mark in MARKS.values() if mark in cell} == {MARKS[one] for one in of_source}  # type: ignore[index]


def test_several_findings_of_a_source_are_counted_per_mark() -> None:
    found = [("flights", "reproduced"), ("flights", "reproduced"), ("flights", "inconclusive")]
    assert "| 2 ✔ 1 ? |" in claims_table([document(found)])[-1]


def test_a_quick_run_is_marked() -> None:
    assert claims_table([document([("flights", "reproduced")], quick=True)])[-1].endswith(
        "| **reproduced** (quick run) | |"
    )
