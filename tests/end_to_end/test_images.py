"""Images, as a user watches them: exported with a reference, answered by a server, judged by `pitfalls monitor run`."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.config import load_config
from monitoring.runs.run import run_due_windows
from monitoring.store.store import Store
from pitfalls_tf.sources import digits
from tests.serving.server_process import serving

if TYPE_CHECKING:
    from pitfalls_tf.rows.examples import Examples

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

#: Images of MNIST to train on, and in the reference; what is left is traffic.
TRAINED, REFERENCE = 2000, 2000
ROWS, QUIET, MOVED = 50, 16, 12
MONITOR = f"""
[model]
bundle = "models/digits"
[traffic]
path = "traffic"
[windows]
rows = {ROWS}
min_rows = {ROWS}
lateness = "0s"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A folder with a model of MNIST, and images to ask it about."""

    folder: Path
    document: dict[str, Any]
    held_out: Examples
    printed: Examples


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """A small convnet, trained on MNIST and exported with other images of MNIST to hold traffic against."""
    folder = tmp_path_factory.mktemp("images")
    every = digits.load()
    order = np.random.default_rng(1).permutation(len(every.domain("mnist").targets))
    mnist = every.domain("mnist").take(order)
    model = trained(mnist.take(np.arange(TRAINED)))
    model.save(folder / "digits.keras")
    reference = mnist.take(np.arange(TRAINED, TRAINED + REFERENCE))
    start = datetime(2026, 1, 1, tzinfo=UTC)
    pq.write_table(
        pa.table(
            {
                "image": pa.array(list(reference.inputs.reshape(REFERENCE, -1))),
                "label": [digits.CLASSES[target] for target in reference.targets],
                "event_time": [start + timedelta(minutes=row) for row in range(REFERENCE)],
            }
        ),
        folder / "reference.parquet",
    )
    found = pitfalls(
        *("export", "digits.keras", "--name", "digits", "--models", "models", "--classes", ",".join(digits.CLASSES)),
        *("--reference", "reference.parquet"),
        folder=folder,
    )
    rest = np.arange(TRAINED + REFERENCE, len(mnist.targets))
    printed = every.domain("font")
    mixed = np.random.default_rng(2).permutation(len(printed.targets))
    return Exported(folder=folder, document=found, held_out=mnist.take(rest), printed=printed.take(mixed))


def trained(examples: Examples) -> keras.Model:
    """Two convolutions and a dense layer, which is its embedding."""
    keras.utils.set_random_seed(3)
    image = keras.Input((28, 28, 1), name="image")
    signal = image
    for filters in (8, 16):
        signal = keras.layers.MaxPooling2D()(keras.layers.Conv2D(filters, 3, activation="relu")(signal))
    embedding = keras.layers.Dense(32, activation="relu", name="embedding")(keras.layers.Flatten()(signal))
    probabilities = keras.layers.Dense(10, activation="softmax", name="probabilities")(embedding)
    model = keras.Model(image, {"probabilities": probabilities, "embedding": embedding})
    learner = keras.Model(image, probabilities)
    learner.compile("adam", "sparse_categorical_crossentropy")
    learner.fit(examples.inputs, examples.targets, epochs=4, batch_size=64, verbose=0)
    return model


def pitfalls(*arguments: str, folder: Path) -> dict[str, Any]:
    """What a verb prints with --json; a page is no failure."""
    command = [sys.executable, "-m", "pitfalls_tf", *arguments, "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def answered(exported: Exported, folder: Path, *parts: Examples) -> None:
    """Ask a server of the bundle about the images, a request a window, into a traffic log of that folder."""
    (folder / "models").symlink_to(exported.folder / "models")
    (folder / "monitor.toml").write_text(MONITOR)
    with serving(folder / "models", "--traffic", str(folder / "traffic")) as server:
        for images in [
            part.inputs[first : first + ROWS] for part in parts for first in range(0, len(part.targets), ROWS)
        ]:
            body = json.dumps({"instances": [{"image": image.tolist()} for image in images]}).encode()
            url = f"http://{server.http_target}/v1/models/digits:predict"
            with urllib.request.urlopen(urllib.request.Request(url, body), timeout=60) as reply:
                assert len(json.load(reply)["predictions"]) == len(images)


def test_the_bundle_says_what_a_monitor_sees(exported: Exported) -> None:
    assert exported.document["baseline"]
    assert any("watches image by the model's output embedding" in remark for remark in exported.document["remarks"])


def test_printed_digits_are_noticed_and_more_handwritten_ones_are_not(exported: Exported, tmp_path: Path) -> None:
    clean, printed = exported.held_out.take(np.arange(QUIET * ROWS)), exported.printed.take(np.arange(MOVED * ROWS))
    answered(exported, tmp_path, clean, printed)
    found = pitfalls("monitor", "run", "--config", "monitor.toml", folder=tmp_path)
    assert [window["status"] for window in found["windows"][:QUIET]] == ["ok"] * QUIET
    notice = next(incident for incident in found["incidents"] if incident["level"] == "notice")
    config = load_config(tmp_path / "monitor.toml")
    with Store.open(config.store.url) as store:
        windows = store.windows.read(1)
    assert not any(window.findings for window in windows)
    scores = [score for window in windows for score in window.scores if score.watch == "embedding"]
    values = [score.value for score in scores if score.value is not None]
    assert len(values) == QUIET + MOVED - 1  # the first window has nothing to be told apart by
    before, after = values[: QUIET - 1], values[QUIET:]
    assert 0.4 < np.mean(before) < 0.6
    assert min(after) > max(before)
    # The first window of printed digits teaches the witness; from the next on it tells them apart.
    assert max(one.log_evidence for one in scores[QUIET + 1 : QUIET + 4]) > scores[QUIET].log_evidence + 2
    assert windows[QUIET].end <= datetime.fromisoformat(notice["opened_at"]) <= windows[QUIET + 3].end


def test_a_monitor_that_is_given_no_model_says_what_it_does_not_see(exported: Exported, tmp_path: Path) -> None:
    answered(exported, tmp_path, exported.held_out.take(np.arange(2 * ROWS)))
    config = load_config(tmp_path / "monitor.toml")
    with Store.open(config.store.url) as store:
        run_due_windows(config, store, clock=lambda: datetime.now(UTC))
        said = [finding.message for window in store.windows.read(1) for finding in window.findings]
    why = "no function that computes embeddings was given."
    assert said == [f"{ROWS} of {ROWS} sampled rows have no embedding of image: {why}"] * 2
