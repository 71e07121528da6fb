"""`pitfalls export`: runs or a Keras file in, a bundle out, or one clear sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from monitoring.baseline.folder import load_baseline

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

RUN_MANIFEST = {
    "format": 1,
    "setup": {"name": "small", "source": "flights"},
    "seed": 1,
    "data": {"digest": "d1", "rows": 60},
    "environment": {"python": "3.11"},
    "classes": ["on_time", "late"],
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs as training leaves them, the second deployed."""
    folder = tmp_path_factory.mktemp("runs") / "small"
    for seed in (0, 1):
        run = folder / f"seed-{seed:04d}"
        run.mkdir(parents=True)
        (run / "manifest.json").write_text(json.dumps(RUN_MANIFEST | {"seed": seed}))
        (run / "metrics.json").write_text(
            json.dumps({"metrics": None, "intervals": {}, "temperature": 1.0, "diverged": False})
        )
    (folder / "ensemble.json").write_text(json.dumps({"format": 1, "setup": "small", "seeds": [0, 1], "deployed": 1}))
    temp = keras.Input((1,), name="temp")
    logits = keras.layers.Dense(2)(temp)
    keras.Model({"temp": temp}, {"logits": logits, "probabilities": keras.layers.Softmax()(logits)}).save(
        folder / "model.keras"
    )
    times = pa.array(np.arange(60) * 7_200_000_000).cast(pa.timestamp("us", tz="UTC"))
    reference = pa.table(
        {
            "prediction_id": [f"r{row}:0" for row in range(60)],
            "event_time": times,
            "temp": pa.array(np.linspace(-1, 1, 60, dtype=np.float32)),
            "probabilities": [[0.75, 0.25]] * 60,
            "label": ["on_time", "on_time", "late"] * 20,
            "label_time": times,
        }
    )
    pq.write_table(reference, folder / "reference.parquet")
    return folder.parent


def test_runs_become_a_bundle(pitfalls: Callable[..., Result], runs: Path, tmp_path: Path) -> None:
    done = pitfalls("export", runs, "--name", "small", "--models", tmp_path / "models", "--json")
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["name"], document["version"]) == ("small", 1)
    assert {one["metric"]: one["mean"] for one in document["metrics"]} == {
        "brier": pytest.approx(0.0625 * 2 / 3 + 0.5625 / 3),
        "error": pytest.approx(1 / 3),
        "log_loss": pytest.approx(-(np.log(0.75) * 2 + np.log(0.25)) / 3),
        "auc": 0.5,
    }
    path = Path(document["path"])
    manifest = json.loads((path / "assets.extra/manifest.json").read_text())
    assert (manifest["seed"], manifest["seeds"]) == (1, [0, 1])
    assert manifest["setup"] == RUN_MANIFEST["setup"]
    # Rows of the reference had a part in the choice of the deployed run.
    last = pc.max(pq.read_table(runs / "small/reference.parquet")["event_time"]).as_py()
    assert manifest["data"] == {"digest": "d1", "rows": 60, "trained_until": last.isoformat()}
    assert manifest["training"] == RUN_MANIFEST["environment"]
    assert load_baseline(path / "assets.extra/baseline").spec.classes == ("on_time", "late")


def test_any_keras_file_with_a_reference_becomes_one_too(
    pitfalls: Callable[..., Result], runs: Path, tmp_path: Path
) -> None:
    run = runs / "small"
    done = pitfalls(
        *("export", run / "model.keras", "--name", "mine", "--models", tmp_path),
        *("--reference", run / "reference.parquet", "--classes", "on_time,late"),
    )
    assert done.exit_code == 0, done.stderr
    exported, parity, brier = done.stdout.splitlines()[:3]
    assert exported == f"Exported mine/1 to {tmp_path}/mine/1"
    # The rows of the reference, and one of categories never seen; with everything missing this model answers NaN.
    assert parity.startswith("  61 rows have the Keras model's own answers")
    assert brier.startswith("  Brier score ")
    again = pitfalls(
        *("export", run / "model.keras", "--name", "mine", "--models", tmp_path),
        *("--reference", run / "reference.parquet", "--classes", "on_time,late"),
    )
    served, compared = again.stdout.splitlines()[-2:]
    assert "Version 1 is in the folder, too: a server that takes the newest version answers with version 2" in served
    assert "specific { versions: 1 }" in served
    mean = brier.split()[2]
    assert f"On the same rows version 1 had: Brier score {mean} (now {mean}), " in compared
    candidate = pitfalls(
        *("export", run / "model.keras", "--name", "mine", "--models", tmp_path, "--candidate"),
        *("--reference", run / "reference.parquet", "--classes", "on_time,late"),
    )
    assert candidate.stdout.startswith(f"Exported mine/3.candidate to {tmp_path}/mine/3.candidate\n")
    advice, compared = candidate.stdout.splitlines()[-2:]
    assert (
        "No server takes up a candidate. `pitfalls rollout start` has it answer in the dark beside version 2" in advice
    )
    assert f"On the same rows version 2 had: Brier score {mean} (now {mean}), " in compared
    pq.write_table(pq.read_table(run / "reference.parquet").slice(1), tmp_path / "fewer.parquet")
    other = pitfalls(
        *("export", run / "model.keras", "--name", "mine", "--models", tmp_path),
        *("--reference", tmp_path / "fewer.parquet", "--classes", "on_time,late"),
    )
    assert "On its own rows version 2 had: " in other.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["RUNS/gone", "--name", "m"], 2, "The model to export does not exist. Got RUNS/gone"),
        (["RUNS/small/ensemble.json", "--name", "m"], 2, "Not a .keras file. Got RUNS/small/ensemble.json"),
        (["RUNS/small/seed-0000", "--name", "m"], 2, "There are no finished runs here. Got RUNS/small/seed-0000"),
        (["RUNS", "--name", "a/b"], 2, "This cannot be the name of a model. Got 'a/b'"),
        (["RUNS", "--name", "m", "--classes", "a,,b"], 2, "Invalid names for --classes. Got 'a,,b'"),
        (["RUNS", "--name", "m", "--reference", "RUNS/x"], 2, "A runs folder has its own reference table and model."),
        (["RUNS", "--name", "m", "--classes", "a,b"], 2, "labels late, on_time are not among the classes a, b"),
        (["KERAS", "--name", "m", "--reference", "RUNS/x"], 2, "No such reference table. Got RUNS/x"),
        (["KERAS", "--name", "m", "--reference", "KERAS"], 2, "The reference table cannot be read. Got KERAS"),
        (["KERAS", "--name", "m", "--reference", "TABLE"], 2, "Give the classes in the order"),
        (["KERAS", "--name", "m", "--reference", "BARE", "--classes", "on_time,late"], 2, "no column temp"),
        (["RUNS", "--name", "m", "--models", "KERAS"], 3, "The models folder cannot be written. Got KERAS/m"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_input_is_one_sentence_and_writes_nothing(
    pitfalls: Callable[..., Result], runs: Path, tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    run = runs / "small"
    pq.write_table(pq.read_table(run / "reference.parquet").drop_columns(["temp"]), tmp_path / "bare.parquet")
    words = {
        "RUNS": str(runs),
        "KERAS": str(run / "model.keras"),
        "TABLE": str(run / "reference.parquet"),
        "BARE": str(tmp_path / "bare.parquet"),
    }

    def spelled(text: str) -> str:
        for word, path in words.items():
            text = text.replace(word, path)
        return text

    models: list[Any] = [] if "--models" in arguments else ["--models", tmp_path / "models"]
    done = pitfalls("export", *map(spelled, arguments), *models)
    assert (done.exit_code, done.stdout) == (code, "")
    assert spelled(message) in done.stderr
    assert not list((tmp_path / "models").glob("*/*"))
