"""``pitfalls compare``, and the gate that ``pitfalls export`` keeps with its answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import keras
import numpy as np
import pytest

from pitfalls_tf.training.run_folder import write_run
from pitfalls_tf.training.runs import Run

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result


def write_scores(path: Path, gains: dict[str, float], rng: np.random.Generator) -> Path:
    """Accuracies of a `new` and an `old` setup: .9 less .1 for each domain before, and the gain."""
    lines = ["setup,domain,seed,metric,value"]
    for place, (domain, gain) in enumerate(gains.items()):
        for seed in range(6):
            old = 0.9 - 0.1 * place + rng.normal(0, 0.01)
            lines += [
                f"old,{domain},{seed},accuracy,{old}",
                f"new,{domain},{seed},accuracy,{old + gain + rng.normal(0, 0.001)}",
            ]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def better(tmp_path: Path, rng: np.random.Generator) -> Path:
    return write_scores(tmp_path / "better.csv", {"jfk": 0.03, "ewr": 0.031, "lga": 0.029}, rng)


@pytest.fixture
def worst_fails(tmp_path: Path, rng: np.random.Generator) -> Path:
    return write_scores(tmp_path / "mixed.csv", {"jfk": 0.03, "ewr": 0.04, "lga": -0.02}, rng)


def compare(pitfalls: Callable[..., Result], table: Path, *more: str) -> dict[str, Any]:
    result = pitfalls("compare", f"{table}:new", f"{table}:old", "--json", *more)
    assert result.exit_code == 0, result.stderr
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def test_document_and_text_agree(pitfalls: Callable[..., Result], better: Path) -> None:
    document = compare(pitfalls, better)
    assert document["verdict"] == "better"
    assert document["metric"] == "accuracy"
    assert document["low"] > document["smallest"] == 0.005
    assert [one["domain"] for one in document["domains"]] == ["ewr", "jfk", "lga"]
    assert document["worst_domain"] == "lga"
    assert document["seeds"] == list(range(6))
    shown = pitfalls("compare", f"{better}:new", f"{better}:old")
    assert shown.exit_code == 0
    assert "new against old by accuracy: better" in shown.stdout
    assert f"{document['low']:+.4f} to {document['high']:+.4f}  better" in shown.stdout
    turned = pitfalls("compare", f"{better}:old", f"{better}:new", "--json")
    assert json.loads(turned.stdout)["verdict"] == "worse"


def test_the_known_direction_of_a_metric_may_be_given_but_not_contradicted(
    pitfalls: Callable[..., Result], better: Path, tmp_path: Path
) -> None:
    assert compare(pitfalls, better, "--better", "larger") == compare(pitfalls, better)
    own = tmp_path / "own.csv"
    own.write_text(better.read_text().replace("accuracy", "brier"))
    refused = pitfalls("compare", f"{own}:new", f"{own}:old", "--better", "larger")
    assert "Got --better larger for brier; expected smaller, or no --better." in refused.stderr
    own.write_text(better.read_text().replace("accuracy", "of our own"))
    verdicts = [compare(pitfalls, own, "--better", way)["verdict"] for way in ("larger", "smaller")]
    assert verdicts == ["better", "worse"]


def test_names_from_a_table_cannot_control_the_terminal(pitfalls: Callable[..., Result], better: Path) -> None:
    better.write_text(better.read_text().replace("jfk", '"j\x1b[31m\nf\u202ek"').replace("new", "n\x07ew"))
    shown = pitfalls("compare", f"{better}:n\x07ew", f"{better}:old")
    assert shown.exit_code == 0, shown.stderr
    assert "n\ufffdew against old by accuracy: better" in shown.stdout
    assert "  j\ufffd[31m\ufffdf\ufffdk " in shown.stdout
    assert not {"\x07", "\x1b", "\u202e"} & set(shown.stdout)


def test_a_picture_on_request(pitfalls: Callable[..., Result], worst_fails: Path, tmp_path: Path) -> None:
    compare(pitfalls, worst_fails, "--picture", str(tmp_path / "verdict.svg"))
    assert ET.parse(tmp_path / "verdict.svg").getroot().tag.endswith("svg")  # noqa: S314 - our own file
    wrong = pitfalls("compare", f"{worst_fails}:new", f"{worst_fails}:old", "--picture", tmp_path / "verdict.txt")
    assert wrong.exit_code == 2
    assert ".pdf, .png, .svg" in wrong.stderr
    nowhere = tmp_path / "none" / "verdict.png"
    assert pitfalls("compare", f"{worst_fails}:new", f"{worst_fails}:old", "--picture", nowhere).exit_code == 3


def test_wrong_input_ends_with_2_and_prints_nothing(pitfalls: Callable[..., Result], better: Path) -> None:
    for arguments in (
        ("none.csv", "none.csv"),
        (f"{better}:new", f"{better}:old", "--metric", "auc"),
        (f"{better}:new", f"{better}:old", "--smallest", "-1"),
        (f"{better}:new", f"{better}:old", "--better", "smaller"),
    ):
        result = pitfalls("compare", *arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith("Error:")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Any Keras file."""
    temp = keras.Input((1,), name="temp")
    logits = keras.layers.Dense(2)(temp)
    outputs = {"logits": logits, "probabilities": keras.layers.Softmax()(logits)}
    keras.Model({"temp": temp}, outputs).save(tmp_path / "model.keras")
    return tmp_path / "model.keras"


def test_the_gate_refuses_a_model_that_is_not_better_in_its_worst_domain_unless_forced(
    pitfalls: Callable[..., Result], worst_fails: Path, model: Path, tmp_path: Path
) -> None:
    verdict = tmp_path / "verdict.json"
    verdict.write_text(json.dumps(compare(pitfalls, worst_fails)))
    export = ("export", model, "--name", "small", "--models", tmp_path / "models", "--gate", verdict)
    refused = pitfalls(*export)
    assert refused.exit_code == 1, refused.stderr
    assert "In its worst domain, lga, new is worse than old" in refused.stdout
    assert not (tmp_path / "models").exists()
    document = json.loads(pitfalls(*export, "--json").stdout)
    assert document["version"] is None
    assert "lga" in document["refused"]

    forced = pitfalls(*export, "--force", "--json")
    assert forced.exit_code == 0, forced.stderr
    manifest = json.loads((Path(json.loads(forced.stdout)["path"]) / "assets.extra/manifest.json").read_text())
    assert manifest["verdict"]["forced"] is True
    assert manifest["verdict"]["passed"] is False
    assert "lga" in manifest["verdict"]["refusal"]


def test_the_gate_lets_a_better_model_pass_and_the_manifest_keeps_the_verdict(
    pitfalls: Callable[..., Result], better: Path, model: Path, tmp_path: Path
) -> None:
    verdict = tmp_path / "verdict.json"
    verdict.write_text(json.dumps(compare(pitfalls, better)))
    # --force where nothing had to be forced leaves no mark.
    passed = pitfalls(
        "export", model, "--name", "small", "--models", tmp_path / "models", "--gate", verdict, "--force", "--json"
    )
    assert passed.exit_code == 0, passed.stderr
    manifest = json.loads((Path(json.loads(passed.stdout)["path"]) / "assets.extra/manifest.json").read_text())
    assert (manifest["verdict"]["passed"], manifest["verdict"]["forced"]) == (True, False)
    assert manifest["verdict"]["worst_domain"] == "lga"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"verdict": "good"}'])
def test_an_invalid_verdict_file_is_wrong_input(text: str, pitfalls: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "any.keras").touch()
    (tmp_path / "verdict.json").write_text(text)
    result = pitfalls(
        *("export", tmp_path / "any.keras", "--name", "small", "--models", tmp_path / "models"),
        *("--gate", tmp_path / "verdict.json"),
    )
    assert result.exit_code == 2
    assert "Not a verdict file." in result.stderr


def test_a_setup_whose_runs_all_diverged_is_reported(
    pitfalls: Callable[..., Result], better: Path, tmp_path: Path
) -> None:
    lines = better.read_text().splitlines()
    kept = [line for line in lines if not line.startswith("new")]
    lost = [",".join([*line.split(",")[:4], ""]) for line in lines if line.startswith("new")]
    better.write_text("\n".join([*kept, *lost]) + "\n")
    result = pitfalls("compare", f"{better}:old", f"{better}:new")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Every seed of new diverged" in result.stderr
    assert "6 seeds (0, 1, 2, 3, 4, 5), none with a value" in result.stderr
    for seed in range(2):
        run = Run(seed=seed, folder=tmp_path, metrics=None, intervals={})
        folder = tmp_path / "runs" / "flights" / f"seed-{seed:04d}"
        folder.mkdir(parents=True)
        write_run(run, {"seed": seed}, into=folder)
    for where in ("runs", "runs/flights"):
        result = pitfalls("compare", tmp_path / where, f"{better}:old")
        assert (result.exit_code, result.stdout) == (2, "")
        assert "Every run here diverged" in result.stderr
        assert "2 of 2 runs diverged (seeds 0, 1)" in result.stderr


def test_a_plan_is_no_verdict_and_says_what_a_gain_needs(pitfalls: Callable[..., Result], better: Path) -> None:
    document = compare(pitfalls, better, "--plan", "0.02")
    assert "verdict" not in document
    assert (document["domains"], document["seeds"]) == (3, 6)
    power = document["plan"]["power"]
    assert power["wanted"] == 0.9
    assert [each["seeds"] for each in document["plan"]["domains"]] == [6, 12, 24]
    shown = pitfalls("compare", f"{better}:new", f"{better}:old", "--plan", "0.02").stdout
    assert "new against old by accuracy: what finds a true gain of 0.02" in shown
    assert f"6 seeds in these 3 domains: in {power['now']:.2f} of comparisons" in shown
    refused = pitfalls("compare", f"{better}:new", f"{better}:old", "--plan", "0.02", "--picture", "plan.svg")
    assert refused.exit_code == 2


def test_setups_of_one_name_are_told_apart(pitfalls: Callable[..., Result], better: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text(better.read_text())
    shown = pitfalls("compare", f"{better}:new", f"{other}:new").stdout
    assert f"new ({better}) against new ({other}) by accuracy: inconclusive" in shown
