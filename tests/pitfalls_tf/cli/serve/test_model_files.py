"""Models given as files are checked before anything slow, exported once, and served under their names."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import keras
import numpy as np
import pytest

from monitoring.errors import BadInput
from pitfalls_tf.cli.serve.model_files import KEPT, model_files, prepare_models
from serving.confinement.confinement import Support
from serving.models.loading import load_version
from serving.models.version_folders import discover

if TYPE_CHECKING:
    from pathlib import Path


READING = """
import keras


@keras.saving.register_keras_serializable("own")
class Reading(keras.layers.Layer):
    def call(self, inputs):
        with open({secret!r}) as file:
            return inputs + float(len(file.read()))
"""


def saved_model(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"")
    return folder


def test_each_is_called_as_its_file(tmp_path: Path) -> None:
    (tmp_path / "My model, v2.keras").write_bytes(b"")
    (tmp_path / "7.keras").write_bytes(b"")
    paths = [
        tmp_path / "My model, v2.keras",
        tmp_path / "7.keras",
        saved_model(tmp_path / "flights" / "3"),
        saved_model(tmp_path / "net"),
    ]
    assert [file.name for file in model_files(paths, None)] == ["My_model_v2", "model_7", "flights", "net"]
    assert [file.is_keras for file in model_files(paths, None)] == [True, True, False, False]
    assert model_files(paths[:1], "own")[0].name == "own"


@pytest.mark.parametrize(
    ("names", "name", "reason"),
    [
        (["none.keras"], None, r"none\.keras, which does not exist; expected a \.keras file, or a SavedModel"),
        (["net.onnx"], None, r"is an ONNX model, no SavedModel\. Convert it to a SavedModel: onnx2tf"),
        (["net.h5"], None, "is a Keras file in HDF5"),
        (["a.keras", "in/a.keras"], None, "Two models have one name"),
        (["a.keras", "b.keras"], "m", "Several models cannot have one name"),
        (["a.keras"], "7", "This cannot be the name of a model"),
    ],
)
def test_what_cannot_be_served_is_refused(tmp_path: Path, names: list[str], name: str | None, reason: str) -> None:
    for each in names:
        if not each.startswith("none"):
            (tmp_path / each).parent.mkdir(exist_ok=True)
            (tmp_path / each).write_bytes(b"")
    with pytest.raises(BadInput, match=reason):
        model_files([tmp_path / each for each in names], name)


def test_a_saved_model_is_served_where_it_is(tmp_path: Path) -> None:
    source = saved_model(tmp_path / "net")
    for _ in range(2):
        folder = prepare_models(model_files([source], None), tmp_path / "cache", custom=None, report=lambda _: None)
        assert (folder / "net" / "1").resolve() == source
        assert [model.name for model in discover(folder)] == ["net"]
        assert [path.name for path in (folder / "net").iterdir()] == ["1"]


@pytest.mark.slow
def test_a_keras_file_is_exported_once_and_compared_with_keras(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    x = keras.Input((3,), name="x")
    model = keras.Model(x, keras.layers.Dense(1)(x))
    model.save(tmp_path / "net.keras")
    cache, said = tmp_path / "cache", list[str]()
    for number in range(KEPT + 1):
        (cache / f"export-{number}").mkdir(parents=True)
        os.utime(cache / f"export-{number}", (number, number))
    files = model_files([tmp_path / "net.keras"], None)
    folder = prepare_models(files, cache, custom=None, report=said.append)
    assert said[0] == f"Exporting {tmp_path}/net.keras …"
    assert said[1].endswith("rows have Keras' own answers, within 1e-05.")
    assert not (cache / "export-1").exists(), "those that were served longest ago have gone"
    runner = load_version(folder / "net" / "1")
    rows = np.ones((2, 3), np.float32)
    answers = runner.run(runner.signatures["serving_default"], {"x": rows}, ["outputs"])["outputs"]
    runner.close()
    np.testing.assert_allclose(answers, model(rows), rtol=1e-5)
    assert prepare_models(files, cache, custom=None, report=said.append) == folder
    assert "was exported before" in said[-1]
    model.layers[1].bias.assign([1.0])
    model.save(tmp_path / "net.keras")
    (tmp_path / "net.keras").write_bytes((tmp_path / "net.keras").read_bytes()[:-200])
    capfd.readouterr()
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - click's own
        prepare_models(files, cache, custom=None, report=said.append)
    assert getattr(caught.value, "exit_code", None) == 2
    assert "Error: Not a .keras file." in capfd.readouterr().err


@pytest.mark.skipif(not Support.of_this_machine().is_whole, reason="this kernel confines no process")
def test_an_export_reaches_no_file_but_the_models(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    secret, own, source = tmp_path / "secret", tmp_path / "code" / "reading.py", tmp_path / "m.keras"
    secret.write_text("planted")
    own.parent.mkdir()
    own.write_text(READING.format(secret=str(secret)))
    subprocess.run(
        [
            sys.executable,
            "-c",
            f"import keras, reading; i = keras.Input((2,)); keras.Model(i, reading.Reading()(i)).save({str(source)!r})",
        ],
        env={**os.environ, "PYTHONPATH": str(own.parent), "KERAS_BACKEND": "tensorflow"},
        check=True,
    )
    with pytest.raises(click.exceptions.Exit):
        prepare_models(model_files([source], None), tmp_path / "cache", custom=str(own), report=lambda _: None)
    assert "Permission denied" in capfd.readouterr().err
