"""``pitfalls rollout replay`` on tables of every task."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

from tests.two_versions import TASKS, write_two_versions

Run = Callable[..., Result]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(("gain", "verdict"), [(0.06, "better"), (-0.06, "worse")])
def test_every_task_has_its_verdict(pitfalls: Run, tmp_path: Path, task: str, gain: float, verdict: str) -> None:
    flags = write_two_versions(tmp_path / "t.parquet", task, gain=gain, days=40)
    done = pitfalls("rollout", "replay", *flags, "--json")
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["verdict"] == verdict
    assert document["rows"] == document["labels"] == 12_000
    assert (document["candidate"] < document["champion"]) == (verdict == "better")


def test_versions_that_answer_alike_have_no_difference_that_matters(pitfalls: Run, tmp_path: Path) -> None:
    flags = list(write_two_versions(tmp_path / "t.parquet"))
    flags[flags.index("b")] = "a"
    document = json.loads(pitfalls("rollout", "replay", *flags, "--json").stdout)
    assert document["verdict"] == "no difference that matters"
    assert document["disagreements"] == 0


@pytest.mark.parametrize(
    ("gain", "require", "code"),
    [(0.06, "better", 0), (0.06, "not worse", 0), (0.0, "better", 4), (-0.06, "better", 1), (-0.06, "not worse", 1)],
)
def test_a_pipeline_is_told_by_the_exit_code(
    pitfalls: Run, tmp_path: Path, gain: float, require: str, code: int
) -> None:
    flags = write_two_versions(tmp_path / "t.parquet", gain=gain, rows=600)
    done = pitfalls("rollout", "replay", *flags, "--require", require)
    assert done.exit_code == code, done.stdout
    assert f"Promotion ({require} is required): {'yes' if code == 0 else 'no'}" in done.stdout


def test_slices_are_guards(pitfalls: Run, tmp_path: Path) -> None:
    def origin(rng: np.random.Generator, rows: int) -> dict[str, Any]:
        return {"origin": rng.choice(["JFK", "LGA"], rows)}

    flags = write_two_versions(tmp_path / "t.parquet", gain=0.06, more=origin)
    done = pitfalls("rollout", "replay", *flags, "--slices", "origin", "--guard", "slices <= 0.05", "--json")
    document = json.loads(done.stdout)
    assert [(guard["name"], guard["limit"]) for guard in document["guards"]] == [
        ("origin=JFK", 0.05),
        ("origin=LGA", 0.05),
    ]
    text = pitfalls("rollout", "replay", *flags, "--slices", "origin").stdout
    assert "Error rate: better" in text
    assert "guard origin=JFK" in text


def test_another_loss_and_margin_decide_if_they_are_named(pitfalls: Run, tmp_path: Path) -> None:
    flags = write_two_versions(tmp_path / "t.parquet", gain=0.06)
    options = ("--loss", "brier", "--min-effect", "0.2", "--wrong", "1 in 50", "--missing-labels", "at random")
    document = json.loads(pitfalls("rollout", "replay", *flags, *options, "--json").stdout)
    assert document["loss"]["name"] == "brier"
    assert document["verdict"] == "no difference that matters"
    assert (document["wrong"], document["missing_labels"]) == (0.02, "at random")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("--candidate-score", ""), "The columns of the candidate's answers are not named."),
        (("--loss", "auc"), "The versions have no such loss."),
        (("--every", "5h"), "Windows of this length do not fit the calendar."),
        (("--wrong", "never"), "Not a budget of wrong promotions."),
        (("--horizon", "soon"), "Not a duration."),
        (("--guard", "speed"), "Not a guard."),
        (("--table", "nowhere.parquet"), "There is no such table."),
    ],
)
def test_what_is_wrong_is_one_sentence(pitfalls: Run, tmp_path: Path, change: tuple[str, str], message: str) -> None:
    flags = list(write_two_versions(tmp_path / "t.parquet"))
    if change[0] in flags:
        flags[flags.index(change[0]) + 1] = change[1]
    else:
        flags += change
    done = pitfalls("rollout", "replay", *flags)
    assert done.exit_code == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout
