"""``pitfalls reproduce``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from pitfalls_tf.cli import reproduce
from pitfalls_tf.experiments import verification
from tests.pitfalls_tf.experiments.small_experiment import SMALL

Pitfalls = Callable[..., Result]


@pytest.fixture(autouse=True)
def only_the_small_experiment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the paper's experiments by the small one."""
    monkeypatch.setattr(reproduce, "find", lambda _: (SMALL,))
    monkeypatch.setattr(verification, "find", lambda _: (SMALL,))


def test_document_text_and_check_agree(pitfalls: Pitfalls, tmp_path: Path) -> None:
    made = pitfalls("reproduce", "figure1", "--quick", "--seeds", "3", "--out", tmp_path / "out", "--json")
    assert made.exit_code == 0, made.output
    document = json.loads(made.stdout)
    assert document["page"] == str(tmp_path / "out" / "README.md")
    (experiment,) = document["experiments"]
    assert experiment["folder"] == str(tmp_path / "out" / "small")
    assert experiment["claims"] == [], "a quick run decides nothing"
    assert "small, made up: 6 of 6 runs" in made.stderr

    manifest = tmp_path / "out" / "small" / "manifest.json"
    checked = pitfalls("reproduce", "--check", manifest, "--out", tmp_path / "again")
    assert checked.exit_code == 0, checked.output
    assert checked.stdout.startswith("small: all ")
    assert checked.stdout.endswith(" rows are the same to the last digit (same code).\n")


def test_fresh_runs_are_planned_and_made(pitfalls: Pitfalls, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert pitfalls("reproduce", "figure1", "--seeds", "3", "--runs", "first", "--out", out).exit_code == 0
    planned = pitfalls("reproduce", "plan", "--out", out, "--json")
    assert planned.exit_code == 0, planned.output
    looks = json.loads(planned.stdout)["experiments"]["small"]["made up"]["looks"]
    assert f"small, made up: {looks[0]}" in pitfalls("reproduce", "plan", "--out", out).stdout
    made = pitfalls("reproduce", "figure1", "--runs", "fresh", "--source", "made up", "--out", out, "--json")
    (experiment,) = json.loads(made.stdout)["experiments"]
    assert [group["stage"] for group in experiment["groups"]] == ["first", "fresh"]
    assert experiment["groups"][1]["seeds"] in looks
    (claim,) = experiment["claims"]
    assert claim["findings"][0]["kind"] != "plan of after the runs"
    text = pitfalls("reproduce", "figure1", "--runs", "none", "--out", out).stdout
    assert f"{claim['verdict']}: {claim['says']}" in text
    for finding in claim["findings"]:
        assert f"{finding['where']} {finding['measured']}: {finding['verdict']}" in text


def test_an_unknown_source_is_refused_before_anything_is_run(pitfalls: Pitfalls, tmp_path: Path) -> None:
    result = pitfalls("reproduce", "figure1", "--source", "flight", "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "No such source" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "arguments",
    [(), ("figure1", "--check", "m.json"), ("--check", "m.json", "--quick"), ("--check", "m.json", "--seeds", "2")],
)
def test_figures_and_check_exclude_each_other(pitfalls: Pitfalls, arguments: tuple[str, ...]) -> None:
    result = pitfalls("reproduce", *arguments)
    assert result.exit_code == 2
    assert "Give either FIGURE, or --check MANIFEST" in result.stderr
