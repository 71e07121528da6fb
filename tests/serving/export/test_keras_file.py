"""A Keras file is loaded, or refused with what it needs."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from monitoring.errors import BadInput
from serving.export.keras_file import import_custom, load_keras
from tests.serving.export_model import of_three
from tests.serving.own_layers import Shifting

OWN_LAYERS = str(Path(__file__).parents[1] / "own_layers.py")


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"No such file.*gone\.keras"):
        load_keras(tmp_path / "gone.keras")


def test_not_a_keras_file(tmp_path: Path) -> None:
    text, archive, other = tmp_path / "text.keras", tmp_path / "zip.keras", tmp_path / "model.h5"
    text.write_text("weights")
    other.write_bytes(b"\x89HDF")
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("readme", "no model")
    for path, fix in ((text, "cut short"), (archive, "cut short"), (other, "Convert it: .*'model.h5'")):
        with pytest.raises(BadInput, match=rf"Not a \.keras file.*{fix}"):
            load_keras(path)


def test_a_file_that_needs_other_classes_names_them(tmp_path: Path) -> None:
    class Foreign(keras.layers.Layer):  # type: ignore[misc] # Keras has no types
        def call(self, inputs: Any) -> Any:
            return inputs

    of_three(Foreign(), Shifting()).save(tmp_path / "foreign.keras")
    with pytest.raises(BadInput, match=r"foreign\.keras needs Foreign, Shifting; Keras says: .*--custom MODULE"):
        load_keras(tmp_path / "foreign.keras")
    with pytest.raises(BadInput, match=r"needs Foreign, and not in own_layers; Keras says: "):
        load_keras(tmp_path / "foreign.keras", import_custom(OWN_LAYERS))


def test_a_broken_file_and_one_with_code_in_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "broken.keras", "w") as made:
        made.writestr("config.json", "{")
    with pytest.raises(BadInput, match=r"cannot be loaded\. .*broken"):
        load_keras(tmp_path / "broken.keras")
    of_three(keras.layers.Lambda(lambda tensor: tensor * 2)).save(tmp_path / "code.keras")
    with pytest.raises(BadInput, match=r"contains Python code.*a Lambda layer.*--custom"):
        load_keras(tmp_path / "code.keras")


@pytest.mark.parametrize(("spaces", "zeros"), [((1 << 25) + 1, 0), (0, (1 << 26) + 1)])
def test_a_file_that_unpacks_to_too_much_is_refused_by_its_directory(tmp_path: Path, spaces: int, zeros: int) -> None:
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("config.json", b"{}" + b" " * spaces)
        made.writestr("model.weights.h5", bytes(zeros))
    with pytest.raises(BadInput, match="would fill the memory"):
        load_keras(path)


def test_a_configuration_of_many_brackets_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "deep.keras"
    for config in (b"[" * 200_000, b"[" * 200_000 + b"]" * 200_000, b'{"a":' * 200_000 + b"1" + b"}" * 200_000):
        with zipfile.ZipFile(path, "w") as made:
            made.writestr("config.json", config)
            made.writestr("metadata.json", config)
        with pytest.raises(BadInput, match="This Keras file cannot be loaded"):
            load_keras(path)


@pytest.mark.parametrize("name", ["no.such_module", "gone.py"])
def test_a_module_that_is_not_there(name: str) -> None:
    with pytest.raises(BadInput, match=f"cannot be imported.*{name}: [A-Za-z]+Error"):
        import_custom(name)


def test_an_hdf5_file_is_told_how_to_become_a_keras_file(tmp_path: Path) -> None:
    (tmp_path / "old.h5").write_bytes(b"\x89HDF")
    with pytest.raises(BadInput) as caught:
        load_keras(tmp_path / "old.h5")
    assert "load_model('old.h5', compile=False).save('old.keras')" in caught.value.fix


def test_a_file_of_keras_2_is_named_as_one(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "old.keras", "w") as made:
        made.writestr("config.json", json.dumps({"class_name": "Functional", "config": {"layers": []}}))
        made.writestr("metadata.json", json.dumps({"keras_version": "2.15.0"}))
    with pytest.raises(BadInput, match=r"Keras 2 saved it\. Got .*old\.keras, saved by Keras 2\.15\.0"):
        load_keras(tmp_path / "old.keras")


def test_a_file_that_needs_nothing_is_loaded_and_not_compiled(tmp_path: Path) -> None:
    model = of_three()
    model.compile(loss="mse")
    model.save(tmp_path / "plain.keras")
    loaded = load_keras(tmp_path / "plain.keras")
    assert not loaded.compiled
    np.testing.assert_array_equal(loaded(np.ones((2, 3))), model(np.ones((2, 3))))


def test_code_is_told_as_code_whatever_else_is_missing(tmp_path: Path) -> None:
    of_three(keras.layers.Lambda(lambda tensor: tensor * 2), Shifting()).save(tmp_path / "code.keras")
    with pytest.raises(BadInput, match="contains Python code, which is not run"):
        load_keras(tmp_path / "code.keras")


def test_a_file_that_keras_refuses_is_told_in_its_own_words_and_no_class_of_its_own_is_missing(tmp_path: Path) -> None:
    amount = keras.Input((3,), name="amount")
    scaled = keras.ops.where(keras.ops.isnan(amount), 0.0, keras.ops.log(amount) - 1.0)
    keras.Model(amount, keras.layers.Dense(2)(scaled)).save(tmp_path / "whole.keras")
    load_keras(tmp_path / "whole.keras")
    with zipfile.ZipFile(tmp_path / "whole.keras") as whole, zipfile.ZipFile(tmp_path / "changed.keras", "w") as made:
        for name in whole.namelist():
            part = whole.read(name)
            made.writestr(name, part.replace(b'"units": 2', b'"units": -1') if name == "config.json" else part)
    with pytest.raises(BadInput) as caught:
        load_keras(tmp_path / "changed.keras")
    assert "needs classes" not in str(caught.value)
    assert "units" in caught.value.got
