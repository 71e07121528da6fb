"""A model that is no SavedModel is told by its file, with the command that gets it served."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from serving.models.foreign_formats import advice_for
from serving.models.loading import load_version
from serving.models.runner import LoadError

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "net.keras": "pitfalls serve --model {path}. With a baseline for its monitor: pitfalls export {path} --name net",
    "net.h5": "keras.saving.load_model('{path}', compile=False).save('net.keras')",
    "net.onnx": "onnx2tf -i {path} -o net (pip install onnx2tf), then serve it: pitfalls serve --model net",
    "net.tflite": "serve the Keras model or SavedModel that it was made from",
    "net.pt": "torch.onnx.export to net.onnx",
    "model.safetensors": "torch.onnx.export to model.onnx",
    "pytorch_model.bin": "torch.onnx.export",
    "net.pkl": "pitfalls monitor init --reference TABLE",
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("folder", ["", "data", "data/inner"])
def test_a_file_of_another_format_is_named_with_what_to_do(tmp_path: Path, name: str, folder: str) -> None:
    file = tmp_path / folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"")
    advice = FILES[name].format(path=file)
    for given in (file, tmp_path):
        assert advice_for(given).startswith(f"{file} is ")
        assert advice in advice_for(given)
        assert len(advice_for(given).splitlines()) == 1


def test_a_version_folder_with_such_a_file_has_the_advice_in_its_status(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "net.onnx").write_bytes(b"")
    with pytest.raises(LoadError, match=r"file does not exist.* is an ONNX model, no SavedModel\. Convert it"):
        load_version(tmp_path / "1")
    (tmp_path / "1" / "saved_model.pb").write_bytes(b"damaged")
    with pytest.raises(LoadError) as caught:
        load_version(tmp_path / "1")
    assert "ONNX" not in str(caught.value), "a damaged SavedModel is another thing"


def test_a_saved_model_in_the_wrong_place_is_told_so(tmp_path: Path) -> None:
    assert advice_for(tmp_path) == advice_for(tmp_path / "none") == ""
    inner = tmp_path / "1" / "model"
    inner.mkdir(parents=True)
    (inner / "saved_model.pb").write_bytes(b"")
    assert advice_for(tmp_path) == f"There is a SavedModel in {inner}: pitfalls serve --model {inner}."
    assert advice_for(inner).startswith(f"{inner} is a SavedModel itself")
