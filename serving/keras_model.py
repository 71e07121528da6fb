"""A Keras model as a server sees it: named inputs of one shape and type each, named outputs."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, final

import numpy as np

from monitoring.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    Columns = Mapping[str, np.ndarray[Any, Any]]

SINGLE_OUTPUT = "outputs"
# What TensorFlow keeps as it is when it names a signature's tensors.
TENSOR_NAME = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInput:
    """One input. `shape` is what a row holds: () for a scalar, -1 for a dimension that may be anything."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def kind(self) -> Literal["number", "category"]:
        """What the baseline takes it for."""
        return "category" if self.dtype == "string" else "number"

    @property
    def is_float(self) -> bool:
        """Whether it has a NaN to stand for a missing value."""
        return "float" in self.dtype


@final
class KerasModel:
    """A Functional or Sequential model, called with one array or tensor per named input.

    Inputs of shape [n, 1] are scalars to the outside, [n]: a row of JSON then reads ``{"temp": 39.0}``. Inputs and
    outputs go by the keys of the model's dicts; without those, inputs by their names, outputs by their layers, and a
    single output is called ``outputs``.

    Raises:
        BadInput: a subclassed model, or an input whose name TensorFlow would change.
    """

    def __init__(self, model: Any) -> None:
        import keras  # noqa: PLC0415 - whoever has a model has loaded it

        tensors = _input_tensors(model)
        outputs = _output_tensors(model)
        wrong = [name for name in (*tensors, *outputs) if not TENSOR_NAME.fullmatch(name)]
        if wrong:
            raise BadInput(
                "A tensor's name cannot be kept in a SavedModel.",
                got=", ".join(map(repr, wrong)),
                expected="letters, digits, '_', '.' and '-', the first a letter or digit",
                fix="Rename the model's input: keras.Input(…, name=…).",
            )
        self.layers = keras.Model(tensors, outputs)
        self._columns = {name for name, tensor in tensors.items() if tuple(tensor.shape[1:]) == (1,)}
        self.inputs = tuple(_describe(name, tensor) for name, tensor in tensors.items())
        self.outputs = tuple(outputs)
        self._widths = {name: tensor.shape[-1] if tensor.shape else None for name, tensor in outputs.items()}

    def call(self, rows: Mapping[str, Any], outputs: Iterable[str] | None = None) -> dict[str, Any]:
        """The outputs (all, or those named) for tensors of shape [n, *input.shape], as at inference."""
        import tensorflow as tf  # noqa: PLC0415 - as above

        fed = {
            one.name: tf.expand_dims(rows[one.name], -1) if one.name in self._columns else rows[one.name]
            for one in self.inputs
        }
        answers = self.layers(fed, training=False)
        return {name: answers[name] for name in (self.outputs if outputs is None else outputs)}

    def width(self, output: str) -> int | None:
        """The last dimension of an output, None where it may be anything."""
        width: int | None = self._widths[output]
        return width


def load_keras(path: Path) -> Any:
    """The model in a ``.keras`` file. Imports Keras; code in the file is refused, as Keras does by default.

    Raises:
        BadInput: no such file, not a Keras file, or one that needs classes that are not registered here.
    """
    if not path.is_file():
        raise BadInput("No such file.", got=str(path), expected="a .keras file", fix="Save it: model.save('x.keras').")
    if path.suffix != ".keras" or not _holds_model(path):
        raise BadInput(
            "Not a Keras file.",
            got=str(path),
            expected="what model.save('NAME.keras') writes",
            fix="Save the model again with Keras 3.",
        )
    import keras  # noqa: PLC0415 - seconds, and only this needs it

    try:
        return keras.saving.load_model(path, compile=False)
    except (ValueError, TypeError, KeyError) as error:
        raise BadInput(
            "This Keras file cannot be loaded.",
            got=f"{path}: {str(error).strip().splitlines()[0]}",
            expected="a model of Keras's own layers",
            fix="Load it in Python with its custom_objects, and pass the model to serving.export.export_bundle.",
        ) from error


def tensors_of(inputs: Iterable[ModelInput], rows: Columns) -> dict[str, Any]:
    """Arrays as tensors of the inputs' own types."""
    import tensorflow as tf  # noqa: PLC0415 - whoever has a model has loaded it

    return {one.name: tf.constant(rows[one.name], one.dtype) for one in inputs}


def _holds_model(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return "config.json" in archive.namelist()


def _input_tensors(model: Any) -> dict[str, Any]:
    """The model's symbolic inputs by the key that the model is called with, or else by their own names."""
    import keras  # noqa: PLC0415 - whoever has a model has loaded it

    tensors = getattr(model, "inputs", None)
    if not isinstance(model, keras.Model) or not tensors:
        raise BadInput(
            "This model does not say what it takes.",
            got=f"a {type(model).__name__} without inputs",
            expected="a Functional model, or a Sequential one with a keras.Input",
            fix="Wrap it: keras.Model(inputs, subclassed(inputs)).",
        )
    structure = None if isinstance(model, keras.Sequential) else model.input
    if isinstance(structure, dict) and len(structure) == len(tensors):
        return structure
    return {tensor.name: tensor for tensor in tensors}


def _output_tensors(model: Any) -> dict[str, Any]:
    """The model's symbolic outputs by name."""
    import keras  # noqa: PLC0415 - as above

    structure = model.outputs if isinstance(model, keras.Sequential) else model.output
    if isinstance(structure, dict):
        return structure
    if len(model.outputs) == 1:
        return {SINGLE_OUTPUT: model.outputs[0]}
    return dict(zip(model.output_names, model.outputs, strict=True))


def _describe(name: str, tensor: Any) -> ModelInput:
    inner = tuple(-1 if size is None else int(size) for size in tensor.shape[1:])
    return ModelInput(name=name, dtype=str(tensor.dtype), shape=() if inner == (1,) else inner)
