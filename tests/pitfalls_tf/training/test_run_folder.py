"""The folder of runs: read back as written, damaged or in use said in words, and only what training wrote deleted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from monitoring.baseline.metrics import measure
from monitoring.errors import BadInput, CannotRun
from pitfalls_tf.training import run_folder
from pitfalls_tf.training.runs import MODEL, REFERENCE, Ensemble, Run, median

METRICS = measure(np.array([[0.2, 0.8], [0.6, 0.4]]), np.array([1, 0]))


def run(seed: int, brier: float | None, folder: Path = Path("runs")) -> Run:
    metrics = None if brier is None else replace(METRICS, brier=brier)
    return Run(seed=seed, folder=run_folder.folder_of(folder, seed), metrics=metrics, intervals={})


def written(folder: Path, *briers: float | None) -> Ensemble:
    """Runs of these Brier scores in a folder, with their summary."""
    folder.mkdir(parents=True, exist_ok=True)
    made = [run(seed, brier, folder) for seed, brier in enumerate(briers)]
    for one in made:
        with run_folder.staged(one.folder) as unfinished:
            run_folder.write_run(one, {"seed": one.seed}, into=unfinished)
    ensemble = Ensemble(setup=folder.name, folder=folder, runs=tuple(made), deployed=median(made))
    run_folder.write_ensemble(ensemble)
    return ensemble


def test_an_ensemble_is_read_back_from_its_folder_or_the_one_above(tmp_path: Path) -> None:
    ensemble = written(tmp_path / "small", 0.3, None, 0.1, 0.2)
    assert ensemble.diverged == (1,)
    assert run_folder.read_ensemble(tmp_path) == run_folder.read_ensemble(tmp_path / "small") == ensemble
    written(tmp_path / "other", 0.3)
    with pytest.raises(BadInput, match=r"Which runs\?.*other, .*small"):
        run_folder.read_ensemble(tmp_path)


def test_folders_without_finished_runs_say_what_is_there(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no finished runs"):
        run_folder.read_ensemble(tmp_path)
    ensemble = written(tmp_path / "small", 0.2)
    (ensemble.folder / run_folder.ENSEMBLE).unlink()
    with pytest.raises(BadInput, match="no finished runs"):
        run_folder.read_ensemble(tmp_path)
    diverged = ensemble.folder / "seed-0000" / run_folder.METRICS
    diverged.write_text(json.dumps({"metrics": None, "intervals": {}, "diverged": True}), "utf-8")
    with pytest.raises(BadInput, match=r"Every run here diverged.*1 of 1 runs"):
        run_folder.read_ensemble(tmp_path)
    diverged.write_text("{", "utf-8")
    with pytest.raises(BadInput, match=r"metrics\.json"):
        run_folder.read_run(ensemble.folder / "seed-0000")


def test_clearing_deletes_what_training_wrote_and_nothing_else(tmp_path: Path) -> None:
    folder = written(tmp_path / "small", 0.2, 0.3).folder
    for name in (MODEL, REFERENCE, "notes.txt"):
        (folder / name).touch()
    (folder / "seed-and-root").mkdir()
    assert run_folder.deployed_seed(folder) == 0
    run_folder.withdraw(folder)
    assert run_folder.deployed_seed(folder) is None
    run_folder.clear(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["notes.txt", "seed-and-root"]


def test_a_folder_is_held_by_one_training_at_a_time_and_swept_of_what_killed_ones_left(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "small"
    with run_folder.exclusive(folder):
        with pytest.raises(CannotRun, match="Another training"), run_folder.exclusive(folder):
            pass
        with pytest.raises(KeyboardInterrupt), run_folder.staged(folder / "seed-0000"):
            raise KeyboardInterrupt
    assert [path.name for path in folder.iterdir()] == [".lock"]
    (tmp_path / "file").touch()
    with pytest.raises(CannotRun, match="cannot be written"), run_folder.exclusive(tmp_path / "file" / "small"):
        pass


@pytest.mark.parametrize(
    ("text", "words"),
    [("{", "Not a finished run"), ('{"seed": 1}', "with seed"), ('{"setup": "small", "seed": 1}', "Not the manifest")],
)
def test_a_file_that_is_no_runs_manifest_is_refused(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    with pytest.raises(BadInput, match="No such manifest"):
        run_folder.read_run_manifest(path)
    path.write_text(text, "utf-8")
    with pytest.raises(BadInput, match=words):
        run_folder.read_run_manifest(path)
