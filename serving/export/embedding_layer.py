"""A layer of a model as its embedding, by the layer's name, also inside of a nested model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

from monitoring.errors import BadInput
from serving.export.model_tensors import tensors_of_model
from serving.export.outputs.probabilities import EMBEDDING

#: Separates the name of a nested model from that of a layer in it.
SEPARATOR = "/"

#: Layers that a message lists.
LISTED = 40


def with_embedding(model: Any, layer: str) -> Any:
    """The model with one output more, `embedding`: what a layer gives, as numbers [n, d].

    A layer that gives more dimensions, such as the steps of a sequence or the places of an image, is averaged over
    them.

    Args:
        layer: The layer's name; of a layer in a nested model that model's name, a slash and the layer's, or its own
            name alone where no other layer has it.
    """
    import keras  # noqa: PLC0415 - a model has loaded it

    if not isinstance(model, keras.Model) or not getattr(model, "inputs", None):
        raise BadInput(
            "The layers of this model cannot be told apart.",
            got=f"--embedding {layer}, and a {type(model).__name__}",
            expected="a Functional model, or a Sequential one with a keras.Input",
            fix="Make the layer's tensor an output called embedding.",
        )
    layers = dict(_layers(model))
    fitting = [path for path in layers if path == layer or path.rpartition(SEPARATOR)[2] == layer]
    if layer not in layers and len(fitting) != 1:
        _refuse(layer, fitting, list(layers))
    path = layer if layer in layers else fitting[0]
    outer, tensor = _traced(model, path.split(SEPARATOR))
    if getattr(tensor, "shape", None) is None or "float" not in str(tensor.dtype) or tensor.shape[-1] is None:
        description = f"{tensor.dtype} of shape {tensor.shape}" if hasattr(tensor, "dtype") else "several tensors"
        raise BadInput(
            "The layer gives no embedding.",
            got=f"{path}: {description}",
            expected="a layer that gives one tensor of numbers, whose last dimension is known",
            fix="Name a layer such as the last one before the output.",
        )
    if len(tensor.shape) > 2:
        tensor = keras.ops.mean(tensor, axis=tuple(range(1, len(tensor.shape) - 1)))
    elif len(tensor.shape) < 2:
        tensor = keras.ops.expand_dims(tensor, -1)
    return keras.Model(outer.input, {**_outputs(model, outer), EMBEDDING: tensor}, name=model.name)


def _outputs(model: Any, outer: Any) -> dict[str, Any]:
    """The outputs of the same model traced again, by the names of its own."""
    import keras  # noqa: PLC0415 - as above

    return dict(zip(tensors_of_model(model).outputs, keras.tree.flatten(outer.output), strict=True))


def _layers(model: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Every layer but inputs, by its path."""
    import keras  # noqa: PLC0415 - as above

    for layer in model.layers:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        yield f"{before}{layer.name}", layer
        if isinstance(layer, keras.Model) and getattr(layer, "inputs", None):
            yield from _layers(layer, f"{before}{layer.name}{SEPARATOR}")


def _traced(model: Any, path: list[str]) -> tuple[Any, Any]:
    """The model's graph made once more of the same layers, and what a layer gives in it where it was last called."""
    import keras  # noqa: PLC0415 - as above

    results: dict[str, Any] = {}

    def call(layer: Any, *inputs: Any, **others: Any) -> Any:
        answers = layer(*inputs, **others)
        if layer.name == path[0]:
            results["tensor"] = answers if len(path) == 1 else _inside(layer, path[1:])(*inputs)
        return answers

    functional = keras.Model(model.inputs[0], model.outputs[0]) if isinstance(model, keras.Sequential) else model
    again = keras.models.clone_model(functional, clone_function=lambda layer: layer, call_function=call)
    return again, results["tensor"]


def _inside(model: Any, path: list[str]) -> Any:
    """A nested model as far as one of its layers."""
    import keras  # noqa: PLC0415 - as above

    traced, tensor = _traced(model, path)
    return keras.Model(traced.input, tensor)


def _refuse(layer: str, fitting: list[str], layers: list[str]) -> NoReturn:
    listed = ", ".join(layers[:LISTED]) + (f" and {len(layers) - LISTED} more" if len(layers) > LISTED else "")
    raise BadInput(
        "Several layers have this name." if fitting else "The model has no such layer.",
        got=f"--embedding {layer}" + (f", which is {' and '.join(fitting)}" if fitting else ""),
        expected=f"one of {listed}",
        fix=f"Name it with its model: --embedding {fitting[0]}." if fitting else "Check the spelling.",
    )
