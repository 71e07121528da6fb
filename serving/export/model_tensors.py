"""The symbolic inputs and outputs of a Keras model by name, whatever structure its author gave them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, NoReturn

from monitoring.errors import BadInput

SINGLE_OUTPUT = "outputs"
# Tried in turn for a subclassed model, whose file has its shapes and not its types.
GUESSED_TYPES = ("float32", "string", "int32")
#: The size of a generated row in a dimension of any size: enough for five poolings by two.
GENERATED_SIZE = 32
#: The most inputs of a subclassed model whose types are guessed: of more there are too many combinations.
MOST_GUESSED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTensors:
    """Symbolic tensors by name, and the author's model called with tensors by those names.

    `call_original` gives every output by name, as the model itself answers at inference.
    """

    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    call_original: Callable[[Mapping[str, Any]], dict[str, Any]]


def tensors_of_model(model: Any) -> ModelTensors:
    """Find a model's inputs and outputs.

    Inputs are named by the keys of the model's dicts, or by their own names; of a subclassed model by the arguments of
    its call. Outputs are named by keys, or by their layers (``output_0``, ``output_1`` of a subclassed model); a single
    output is called ``outputs``.
    """
    import keras  # noqa: PLC0415 - a model has loaded it

    if not isinstance(model, keras.Model):
        _refuse_unbuilt(model)
    if getattr(model, "inputs", None):
        return _of_structures(model)
    return _of_subclass(model)


def _of_structures(model: Any) -> ModelTensors:
    """Of a Functional or Sequential model, which has its structures."""
    import keras  # noqa: PLC0415 - as above

    sequential = isinstance(model, keras.Sequential)
    structure = model.inputs[0] if sequential else model.input
    inputs = _unique((_joined(path) or tensor.name, tensor) for path, tensor in keras.tree.flatten_with_path(structure))
    output_structure = model.outputs[0] if sequential else model.output
    layers = [SINGLE_OUTPUT] if len(model.outputs) == 1 else model.output_names
    outputs = _unique(
        (_joined(path) or layer, tensor)
        for (path, tensor), layer in zip(keras.tree.flatten_with_path(output_structure), layers, strict=True)
    )
    names = tuple(inputs)
    if isinstance(structure, dict):  # flattened by sorted keys, but its author wrote them in another order
        written = list(structure)
        inputs = dict(sorted(inputs.items(), key=lambda pair: written.index(pair[0].split(".")[0])))

    def call_original(rows: Mapping[str, Any]) -> dict[str, Any]:
        answers = model(keras.tree.pack_sequence_as(structure, [rows[name] for name in names]), training=False)
        return dict(zip(outputs, keras.tree.flatten(answers), strict=True))

    return ModelTensors(inputs=inputs, outputs=outputs, call_original=call_original)


def _of_subclass(model: Any) -> ModelTensors:
    """Of a subclassed model, which has its shapes if it was built; its types are those it can be called with."""
    import keras  # noqa: PLC0415 - as above

    structure = {name: _leaves(shapes) for name, shapes in _arguments(model).items()}
    shapes = [
        (_joined(path[1:]) or "_".join(map(str, path)), shape)
        for path, shape in keras.tree.flatten_with_path(structure)
    ]
    if not shapes or len(shapes) > MOST_GUESSED:
        _refuse_unbuilt(model)
    reason = ""
    for types in product(GUESSED_TYPES, repeat=len(shapes)):
        inputs = {
            name: keras.Input(shape.size[1:], name=name, dtype=kind)
            for (name, shape), kind in zip(shapes, types, strict=True)
        }
        try:
            answers = model(**keras.tree.pack_sequence_as(structure, list(inputs.values())))
            # Some layers accept any type while they are traced, and only their own with values.
            model(**keras.tree.pack_sequence_as(structure, [_empty_rows(tensor) for tensor in inputs.values()]))
        except Exception as error:  # noqa: BLE001 - the author's code, given a type that it may not take
            reason = reason or str(error).strip().splitlines()[0]
            continue
        return _traced(model, structure, inputs, answers)
    raise BadInput(
        "This model cannot be called with tensors of its shapes.",
        got=f"a {type(model).__name__}: {reason[:500]}",
        expected="a call() made of operations that can be traced",
        fix="Use keras.ops or tf operations in call(), or wrap it: keras.Model(inputs, subclassed(inputs)).",
    )


def _traced(model: Any, structure: Any, inputs: dict[str, Any], answers: Any) -> ModelTensors:
    import keras  # noqa: PLC0415 - as above

    paths = keras.tree.flatten_with_path(answers)
    outputs = _unique(
        (SINGLE_OUTPUT if not path else _joined(path) or "_".join(map(str, ("output", *path))), tensor)
        for path, tensor in paths
    )

    def call_original(rows: Mapping[str, Any]) -> dict[str, Any]:
        fed = keras.tree.pack_sequence_as(structure, [rows[name] for name in inputs])
        takes_training = "training" in inspect.signature(model.call).parameters
        answers = model(**fed, training=False) if takes_training else model(**fed)
        return dict(zip(outputs, keras.tree.flatten(answers), strict=True))

    return ModelTensors(inputs=inputs, outputs=outputs, call_original=call_original)


@dataclass(frozen=True, slots=True)
class _Shape:
    """A shape as a leaf of a structure."""

    size: tuple[int | None, ...]


def _empty_rows(tensor: Any) -> Any:
    """Two rows of zeros or empty strings."""
    import tensorflow as tf  # noqa: PLC0415 - a model has loaded it

    return tf.zeros([2, *(GENERATED_SIZE if size is None else size for size in tensor.shape[1:])], tensor.dtype)


def _arguments(model: Any) -> dict[str, Any]:
    """The shapes that the model was built with, by argument of call()."""
    config = model.get_build_config() or {}
    parameters = [name for name in inspect.signature(model.call).parameters if name != "self"]
    if "input_shape" in config and parameters:
        return {parameters[0]: config["input_shape"]} if config["input_shape"] else {}
    shapes = config.get("shapes_dict") or {}
    return {name.removesuffix("_shape"): shape for name, shape in shapes.items() if shape}


def _leaves(structure: Any) -> Any:
    if isinstance(structure, dict):
        return {name: _leaves(value) for name, value in structure.items()}
    if all(size is None or isinstance(size, int) for size in structure):
        return _Shape(tuple(structure))
    return [_leaves(value) for value in structure]


def _joined(path: tuple[Any, ...]) -> str:
    """A name made of the keys that lead to a tensor; empty if they begin with an index in a list."""
    return ".".join(map(str, path)) if path and isinstance(path[0], str) else ""


def _unique(named: Iterator[tuple[str, Any]]) -> dict[str, Any]:
    """As a dict; a repeated name gets a number, as layers' names do."""
    tensors: dict[str, Any] = {}
    for name, tensor in named:
        free, number = name, 0
        while free in tensors:
            number += 1
            free = f"{name}_{number}"
        tensors[free] = tensor
    return tensors


def _refuse_unbuilt(model: Any) -> NoReturn:
    raise BadInput(
        "This model does not say what its inputs are.",
        got=f"a {type(model).__name__} without inputs",
        expected="a Functional model, a Sequential one with a keras.Input, or a subclassed one that was called before",
        fix="Call it on one batch before model.save, or wrap it: keras.Model(inputs, subclassed(inputs)).",
    )
