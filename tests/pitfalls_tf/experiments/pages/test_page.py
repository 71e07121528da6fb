"""The page of an experiment."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pitfalls_tf.experiments.catalogue import ALL, find, paper_order
from pitfalls_tf.experiments.decisions import CONFIRMATORY, decide
from pitfalls_tf.experiments.pages.index import ABOUT, write_index
from pitfalls_tf.experiments.pages.page import final_rows, read_manifests, table_digest
from pitfalls_tf.experiments.power_plan import plan_from, read_plan
from pitfalls_tf.experiments.stored_results import HISTORY, MANIFEST, read_groups, read_results


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


def test_the_page_of_a_quick_run_has_a_picture_and_no_verdicts(reproduced: Path) -> None:
    document = json.loads((reproduced / "small" / "manifest.json").read_text("utf-8"))
    page = (reproduced / "small" / "README.md").read_text("utf-8")
    assert "Quick run" in page
    assert "![A small experiment](small.png)" in page
    assert "inconclusive" not in page
    assert (document["quick"], document["claims"]) == (True, [])


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


RESULTS = Path(__file__).parents[4] / "docs/paper"
COMMITTED = [name for name in paper_order() if (RESULTS / name / MANIFEST).is_file()]
WITH_EPOCHS = [name for name in COMMITTED if f"({HISTORY})" in (RESULTS / name / "README.md").read_text("utf-8")]


def test_there_are_committed_results() -> None:
    assert COMMITTED


@pytest.mark.parametrize("name", WITH_EPOCHS)
def test_a_history_has_one_row_per_run_and_epoch(name: str) -> None:
    history = pq.read_table(RESULTS / name / HISTORY)
    keys = [key for key in ("source", "setup", "domain", "seed", "epoch") if key in history.column_names]
    assert history.group_by(keys).aggregate([([], "count_all")]).num_rows == history.num_rows


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMITTED)
def test_the_verdicts_follow_from_the_committed_tables(name: str) -> None:
    (experiment,) = (one for one in find([ALL]) if one.name == name)
    document = json.loads((RESULTS / name / MANIFEST).read_text("utf-8"))
    results = read_results(RESULTS / name)
    assert results is not None
    decisions = decide(experiment, results, plan_from(document["plan"]))
    for decision, written in zip(decisions, document["claims"], strict=True):
        assert [(one.where, one.verdict) for one in decision.findings] == [
            (one["where"], one["verdict"]) for one in written["findings"]
        ]
        assert (decision.verdict, decision.line) == (written["verdict"], written["line"])
        assert decision.claim.rule == written["rule"]
        assert list(decision.kinds) == [one["kind"] for one in written["findings"]]
        assert dict(decision.combinations) == written["combinations"]


def test_fresh_runs_were_made_as_the_committed_plan_says() -> None:
    plans = read_plan(RESULTS)
    for name in COMMITTED:
        document = json.loads((RESULTS / name / MANIFEST).read_text("utf-8"))
        assert plan_from(document["plan"]) == plans.get(name, {})
        results = read_results(RESULTS / name)
        assert results is not None
        for group in results.groups:
            if group.stage == "fresh":
                (source,) = group.sources
                assert group.seeds in plans[name][source].looks
                assert group.fresh_domains == plans[name][source].domains


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=RESULTS, capture_output=True, text=True, check=False)  # noqa: S607
    return done.stdout


@pytest.mark.parametrize("name", COMMITTED)
def test_a_plan_is_older_than_the_confirmatory_runs_that_carry_it_out(name: str) -> None:
    """By the dates and the digest in the manifests; and by the commits, where the clone has those before the runs."""
    document = json.loads((RESULTS / name / MANIFEST).read_text("utf-8"))
    plan = read_plan(RESULTS).get(name, {})
    commits = [line.split() for line in _git("log", "--format=%H %at", "--", "plan.json").splitlines()]
    for group in document["groups"]:
        confirmed = {
            (claim["name"], claim["rule"])
            for claim in document["claims"]
            for finding in claim["findings"]
            if finding["kind"] == CONFIRMATORY and finding["source"] in group["sources"]
        }
        if group["stage"] == "first" or not confirmed:
            continue
        planned = plan[group["sources"][0]]
        assert group["plan"] == planned.digest
        assert planned.planned < group["made"]
        assert confirmed <= {(claim.claim, claim.rule) for claim in planned.claims if claim.has_power}
        made = datetime.fromisoformat(group["made"]).timestamp()
        older = [commit for commit, at in commits if float(at) < made]
        if not older:
            continue  # a shallow clone
        then = json.loads(_git("show", f"{older[0]}:./plan.json"))["experiments"][name][planned.source]
        assert (tuple(then["looks"]), then["domains"]) == (planned.looks, planned.domains)
        rules = json.loads(_git("show", f"{older[0]}:./{name}/{MANIFEST}"))["claims"]
        assert confirmed <= {(claim["name"], claim["rule"]) for claim in rules}


def test_there_are_confirmatory_findings_and_the_cells_that_never_ran_are_named() -> None:
    page = (RESULTS / "README.md").read_text("utf-8")
    kinds = [
        finding["kind"]
        for document in read_manifests(RESULTS).values()
        for claim in document["claims"]
        for finding in claim["findings"]
    ]
    assert f"{kinds.count(CONFIRMATORY)} findings: " in page.split("## Confirmatory findings")[1]
    never = {
        (name, source)
        for name, plan in read_plan(RESULTS).items()
        for source, planned in plan.items()
        if planned.looks
        and not any(
            group.stage == "fresh" and source in group.sources for group in read_groups(read_manifests(RESULTS)[name])
        )
    }
    named = re.findall(r"^- \[(\w+)\]\S+, (\w+): .* none made", page, re.MULTILINE)
    assert set(named) == never


def test_the_committed_index_is_that_of_the_committed_manifests(tmp_path: Path) -> None:
    (tmp_path / ABOUT).write_bytes((RESULTS / ABOUT).read_bytes())
    for name in COMMITTED:
        (tmp_path / name).mkdir()
        (tmp_path / name / MANIFEST).write_bytes((RESULTS / name / MANIFEST).read_bytes())
    assert write_index(tmp_path).read_text("utf-8") == (RESULTS / "README.md").read_text("utf-8")


def test_every_link_of_the_committed_pages_exists() -> None:
    for page in (RESULTS / "README.md", *(RESULTS / name / "README.md" for name in COMMITTED)):
        links = re.findall(r"\]\(([^)]+)\)", page.read_text("utf-8"))
        assert not [link for link in links if not (page.parent / link).is_file()]
