"""Models that are no SavedModel: what a file or folder is, and how its owner gets it served. Nothing is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

GRAPHS = ("saved_model.pb", "saved_model.pbtxt")
#: Of a folder, no more files than these are looked at.
MOST_FILES = 1000


class ForeignFormat(NamedTuple):
    """A kind of model that servers do not load as it is."""

    kind: str
    suffixes: tuple[str, ...]
    """Ends of its files' names."""
    advice: str
    """What to do; ``{path}`` is the file, ``{stem}`` its name without the end."""


ONNX_ROAD = "onnx2tf -i {path} -o {stem} (pip install onnx2tf), then serve it: pitfalls serve --model {stem}"
#: In the order in which they count, where a folder holds several.
FORMATS = (
    ForeignFormat(
        "a Keras file",
        (".keras",),
        "Serve it: pitfalls serve --model {path}. With a baseline for its monitor: pitfalls export {path} "
        "--name {stem} --models MODELS --reference TABLE.",
    ),
    ForeignFormat(
        "a Keras file in HDF5",
        (".h5", ".hdf5"),
        "Run python -c \"import keras; keras.saving.load_model('{path}', compile=False).save('{stem}.keras')\", "
        "then pitfalls serve --model {stem}.keras.",
    ),
    ForeignFormat("an ONNX model", (".onnx",), f"Convert it to a SavedModel: {ONNX_ROAD}."),
    ForeignFormat(
        "a model of TensorFlow Lite",
        (".tflite", ".lite"),
        "It cannot be turned back: serve the Keras model or SavedModel that it was made from, "
        "pitfalls serve --model NAME.keras.",
    ),
    ForeignFormat(
        "a PyTorch model",
        (".pt", ".pth", ".pt2", ".safetensors", "pytorch_model.bin", ".mar"),
        "A Keras model that runs on PyTorch is saved as NAME.keras and served: pitfalls serve --model NAME.keras. "
        "Another is exported with torch.onnx.export to {stem}.onnx and converted: onnx2tf -i {stem}.onnx -o {stem}.",
    ),
    ForeignFormat(
        "a pickled model",
        (".pkl", ".pickle", ".joblib"),
        "Pickles are never loaded. To monitor it where it runs, log its answers as a table: pitfalls monitor init "
        "--reference TABLE.",
    ),
)


def foreign_model(path: Path) -> tuple[ForeignFormat, Path] | None:
    """Find a model of a foreign format.

    Returns:
        Its format and its file; None if there is none, or if the folder holds a SavedModel.
    """
    if path.is_dir() and any((path / name).is_file() for name in GRAPHS):
        return None
    files = [path] if path.is_file() else list(_files(path))
    for kind in FORMATS:
        for file in files:
            if file.name.lower().endswith(kind.suffixes):
                return kind, file
    return None


def advice_for(path: Path) -> str:
    """Say what a model of a foreign format is, and how its owner gets it served.

    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "net.tflite")
    ...     _ = file.write_bytes(b"")
    ...     advice_for(file).replace(folder, "FOLDER").partition("serve")[0] + "…"
    'FOLDER/net.tflite is a model of TensorFlow Lite, no SavedModel. It cannot be turned back: …'

    Returns:
        One or two sentences; empty if it is none.
    """
    foreign = foreign_model(path)
    if foreign is not None:
        kind, file = foreign
        return f"{file} is {kind.kind}, no SavedModel. {kind.advice.format(path=file, stem=file.stem)}"
    if path.is_dir() and any((path / name).is_file() for name in GRAPHS):
        return f"{path} is a SavedModel itself, not a folder of numbered versions: pitfalls serve --model {path}."
    inner = next((file.parent for file in _files(path) if file.name in GRAPHS), None)
    return "" if inner is None else f"There is a SavedModel in {inner}: pitfalls serve --model {inner}."


def _files(folder: Path) -> Iterator[Path]:
    """Files of a folder, at most two folders deep and 1,000 of them; none if it cannot be read."""
    count = 0
    for pattern in ("*", "*/*", "*/*/*"):
        try:
            for file in sorted(folder.glob(pattern)):
                count += 1
                if count > MOST_FILES:
                    return
                if file.is_file():
                    yield file
        except OSError:  # no such folder, or not for this user: whoever loads the model says so
            return
