"""Runs as records and as a folder: the median, the spread, and folders that are damaged or in use."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.baseline.metrics import Metrics, measure
from monitoring.errors import BadInput, CannotRun
from pitfalls_tf.training import runs
from pitfalls_tf.training.runs import Ensemble, Run

METRICS = measure(np.array([[0.2, 0.8], [0.6, 0.4]]), np.array([1, 0]))


def run(seed: int, brier: float | None, folder: Path = Path("runs")) -> Run:
    metrics: Metrics | None = None if brier is None else replace(METRICS, brier=brier)
    return Run(seed=seed, folder=runs.folder_of(folder, seed), metrics=metrics, intervals={})


def written(folder: Path, *briers: float | None) -> Ensemble:
    """Runs of these Brier scores in a folder, with their summary."""
    folder.mkdir(parents=True, exist_ok=True)
    made = [run(seed, brier, folder) for seed, brier in enumerate(briers)]
    for one in made:
        with runs.aside(one.folder) as unfinished:
            runs.write_run(one, {"seed": one.seed}, into=unfinished)
    ensemble = Ensemble(setup=folder.name, folder=folder, runs=tuple(made), deployed=runs.median(made))
    runs.write_ensemble(ensemble)
    return ensemble


@given(briers=st.lists(st.floats(0, 1), min_size=1, max_size=9), diverged=st.integers(0, 3))
def test_the_median_run_has_as_many_better_as_worse_ones(briers: list[float], diverged: int) -> None:
    scores = [*briers, *[None] * diverged]
    found = runs.median([run(seed, brier) for seed, brier in enumerate(scores)])
    assert found.metrics is not None
    better = sum(brier < found.metrics.brier for brier in briers)
    worse = sum(brier > found.metrics.brier for brier in briers)
    assert better <= len(briers) // 2
    assert worse <= len(briers) // 2
    if len(briers) % 2:
        assert found.metrics.brier == float(np.median(briers))


def test_there_is_no_median_of_diverged_runs() -> None:
    with pytest.raises(CannotRun, match="2 of 2 runs diverged"):
        runs.median([run(0, None), run(1, None)])


def test_the_spread_knows_which_way_is_better() -> None:
    made = tuple(
        replace(run(seed, brier), metrics=replace(METRICS, brier=brier, auc=brier))
        for seed, brier in enumerate((0.1, 0.3, 0.2))
    )
    spread = Ensemble(setup="s", folder=Path("s"), runs=(*made, run(3, None)), deployed=made[2]).spread
    assert (spread["brier"].best, spread["brier"].worst) == (0.1, 0.3)
    assert (spread["auc"].best, spread["auc"].worst) == (0.3, 0.1)
    assert spread["brier"].median == 0.2
    assert spread["brier"].worst_minus_median == pytest.approx(0.1)
    assert spread["brier"].deviation == pytest.approx(0.1)
    alone = Ensemble(setup="s", folder=Path("s"), runs=made[:1], deployed=made[0])
    assert alone.spread["brier"].deviation is None
    assert alone.diverged == ()


def test_an_ensemble_is_read_back_from_its_folder_or_the_one_above(tmp_path: Path) -> None:
    ensemble = written(tmp_path / "small", 0.3, None, 0.1, 0.2)
    assert ensemble.diverged == (1,)
    assert runs.read_ensemble(tmp_path) == runs.read_ensemble(tmp_path / "small") == ensemble
    written(tmp_path / "other", 0.3)
    with pytest.raises(BadInput, match=r"Which runs\?.*other, .*small"):
        runs.read_ensemble(tmp_path)


def test_folders_without_finished_runs_say_what_is_there(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no finished runs"):
        runs.read_ensemble(tmp_path)
    ensemble = written(tmp_path / "small", 0.2)
    (ensemble.folder / runs.ENSEMBLE).unlink()
    with pytest.raises(BadInput, match="no finished runs"):
        runs.read_ensemble(tmp_path)
    diverged = ensemble.folder / "seed-0000" / runs.METRICS
    diverged.write_text(json.dumps({"metrics": None, "intervals": {}, "diverged": True}), "utf-8")
    with pytest.raises(BadInput, match=r"Every run here diverged.*1 of 1 runs"):
        runs.read_ensemble(tmp_path)
    diverged.write_text("{", "utf-8")
    with pytest.raises(BadInput, match=r"metrics\.json"):
        runs.read_run(ensemble.folder / "seed-0000")


def test_clearing_deletes_what_training_wrote_and_nothing_else(tmp_path: Path) -> None:
    folder = written(tmp_path / "small", 0.2, 0.3).folder
    for name in (runs.MODEL, runs.REFERENCE, "notes.txt"):
        (folder / name).touch()
    (folder / "seed-and-root").mkdir()
    assert runs.deployed_seed(folder) == 0
    runs.withdraw(folder)
    assert runs.deployed_seed(folder) is None
    runs.clear(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["notes.txt", "seed-and-root"]


def test_a_folder_is_held_by_one_training_at_a_time_and_swept_of_what_killed_ones_left(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "small"
    with runs.exclusive(folder):
        with pytest.raises(CannotRun, match="Another training"), runs.exclusive(folder):
            pass
        with pytest.raises(KeyboardInterrupt), runs.aside(folder / "seed-0000"):
            raise KeyboardInterrupt
    assert [path.name for path in folder.iterdir()] == [".lock"]
    (tmp_path / "file").touch()
    with pytest.raises(CannotRun, match="cannot be written"), runs.exclusive(tmp_path / "file" / "small"):
        pass


@pytest.mark.parametrize(
    ("text", "words"),
    [("{", "Not a finished run"), ('{"seed": 1}', "with seed"), ('{"setup": "small", "seed": 1}', "Not the manifest")],
)
def test_a_file_that_is_no_runs_manifest_is_refused(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    with pytest.raises(BadInput, match="No such manifest"):
        runs.read_run_manifest(path)
    path.write_text(text, "utf-8")
    with pytest.raises(BadInput, match=words):
        runs.read_run_manifest(path)
