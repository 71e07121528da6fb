"""The index page over all experiments of a folder."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from pitfalls_tf.experiments.catalogue import paper_order
from pitfalls_tf.experiments.claim import BEYOND
from pitfalls_tf.experiments.pages.index import ABOUT, findings_table, write_index
from pitfalls_tf.experiments.pages.page import FORMAT

if TYPE_CHECKING:
    from pathlib import Path

FINDING = {
    "where": "flights",
    "source": "flights",
    "runs": 20,
    "domains": 0,
    "measured": "1 (0 to 2)",
    "verdict": "reproduced",
    "kind": "confirmatory",
    "halved": "reproduced",
    "doubled": "at the bound",
    "severity": {"errors": 4.0, "p_value": 6e-5, "otherwise_at": -0.5},
}


def manifest(name: str, *, section: str = "3", **changes: object) -> dict[str, Any]:
    """The manifest of an experiment with one claim, of one finding, and a plan that rodents never carried out."""
    claim = {
        "name": "spread",
        "section": section,
        "says": "runs differ",
        "question": "Is the deviation above 0?",
        "verdict": "reproduced",
        "confirmatory_verdict": "reproduced",
        "line": "reproduced on flights",
        "combinations": {"first rules, first runs": "inconclusive"},
        "findings": [FINDING],
    }
    combined = (
        "first rules, all runs",
        "today's rules, first runs",
        "today's rules, all runs",
        "today's rules, all runs, sources without power do not count",
    )
    claim["combinations"] |= dict.fromkeys(combined, "reproduced")  # type: ignore[operator]
    planned = [{"claim": "spread"}]
    plan = {"flights": {"looks": [20], "claims": planned}, "rodents": {"looks": [16, 32], "claims": planned}}
    group = {"sources": ["flights"], "stage": "fresh", "command": f"pitfalls reproduce {name}", "hours": 0.25}
    document = {
        "format": FORMAT,
        "experiment": name,
        "quick": False,
        "plan": plan,
        "claims": [claim],
        "groups": [group],
    }
    return document | changes


def page_of(folder: Path, *documents: dict[str, Any]) -> str:
    """The index of a folder with these manifests."""
    for document in documents:
        path = folder / str(document["experiment"])
        path.mkdir()
        (path / "manifest.json").write_text(json.dumps(document), "utf-8")
    return write_index(folder).read_text("utf-8")


def test_the_index_lists_claims_in_the_order_of_the_paper_with_unknown_experiments_last(tmp_path: Path) -> None:
    page = page_of(tmp_path, *(manifest(name) for name in ("another", *reversed(paper_order()[:3]))))
    assert re.findall(r"^\| §3, \[(\w+)\]", page, re.MULTILINE) == [*paper_order()[:3], "another"]


def test_the_index_states_question_verdicts_severity_and_command(tmp_path: Path) -> None:
    page = page_of(tmp_path, manifest("figure1"))
    assert "| runs differ | Is the deviation above 0? | **reproduced** on flights | reproduced: " in page
    row = next(line for line in page.splitlines() if line.startswith("| [figure1](figure1/README.md): spread"))
    assert (
        "| flights | runs | 20, 20 | 1 (0 to 2) | **reproduced** | -0.5, 6.0 se away | the same | at the bound" in row
    )
    assert row.endswith("| stands, p below .0001 |")
    assert "\npitfalls reproduce figure1  # 0.25 h\n" in page


def test_a_plan_that_was_not_carried_out_is_named(tmp_path: Path) -> None:
    page = page_of(tmp_path, manifest("figure1"))
    assert "- [figure1](figure1/README.md), rodents: 16 to 32 fresh runs planned, none made" in page


def test_claims_of_the_project_are_apart(tmp_path: Path) -> None:
    page = page_of(tmp_path, manifest("figure1"), manifest("figure5", section=BEYOND))
    own = page.split("## Claims of this project")[1].split("##")[0]
    assert "figure5" in own
    assert "figure1" not in own


@pytest.mark.parametrize("changes", [{"quick": True}, {"format": 2}])
def test_quick_runs_and_pages_of_earlier_versions_have_no_verdicts(tmp_path: Path, changes: dict[str, Any]) -> None:
    page = page_of(tmp_path, manifest("figure1", **changes))
    assert "without verdicts: [figure1](figure1/README.md)" in page
    assert "reproduced**" not in page


def test_findings_are_corrected_for_their_number() -> None:
    """Of .03 and .04, both are above .05 after the correction."""
    found = [FINDING | {"severity": {**FINDING["severity"], "p_value": value}} for value in (0.03, 0.04)]  # type: ignore[dict-item]
    document = manifest("figure1")
    lines = findings_table([(document, document["claims"][0], one) for one in found], "holm")
    assert [line.split(" | ")[-1] for line in lines[-2:]] == ["falls, p 0.06 |"] * 2


def test_the_text_of_a_folder_stands_around_the_tables_with_its_estimates(tmp_path: Path) -> None:
    (tmp_path / ABOUT).write_text("Spread is {{figure1/spread/flights}}.\n\n{{tables}}\n\nThe end.\n", "utf-8")
    page = page_of(tmp_path, manifest("figure1"))
    assert page.startswith("Spread is 1 (0 to 2).\n")
    assert page.endswith("The end.\n")


def test_every_link_of_the_index_exists(reproduced: Path) -> None:
    links = re.findall(r"\]\(([^)]+)\)", (reproduced / "README.md").read_text("utf-8"))
    assert links
    assert not [link for link in links if not (reproduced / link).is_file()]
