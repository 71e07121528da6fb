"""A Keras model with named inputs, of one shape and type each, and named outputs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from math import prod
from typing import Any, NoReturn, final

import numpy as np

from monitoring.errors import BadInput
from serving.export.inputs.model_inputs import FeedPlan, ModelInput
from serving.export.keras_file import load_keras
from serving.export.model_tensors import tensors_of_model
from serving.export.outputs.probabilities import PROBABILITIES, ClassOutput

Columns = Mapping[str, np.ndarray[Any, Any]]

__all__ = ["KerasModel", "ModelInput", "load_keras", "tensors_of"]

# Names that TensorFlow does not change in a signature.
TENSOR_NAME = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.-]*")


@final
class KerasModel:
    """A Keras model, called with one array or tensor per named input.

    Inputs of shape [n, 1] are exported as scalars, [n]: a row of JSON then reads ``{"temp": 39.0}``. The exported graph
    takes them as [n, 1] too, which is what clients of Keras's own export send.
    `serving.export.model_tensors` names inputs and outputs.

    Args:
        class_output: How the output `probabilities` is computed; None adds no output.
    """

    def __init__(
        self,
        model: Any,
        features: Sequence[str] = (),
        class_output: ClassOutput | None = None,
        *,
        unserved: tuple[str, ...] = (),
    ) -> None:
        import keras  # noqa: PLC0415 - a model has loaded it

        self._model, self._features, self._class_output = model, features, class_output
        self.unserved = unserved
        self._tensors = tensors_of_model(model)
        for name, tensor in self._tensors.inputs.items():
            if getattr(tensor, "sparse", False) or getattr(tensor, "ragged", False):
                _refuse_sparse(name)
        self.plan = FeedPlan([_describe(name, tensor) for name, tensor in self._tensors.inputs.items()], features)
        self.inputs = self.plan.inputs
        output_names = tuple(self._tensors.outputs)
        self.outputs = output_names if class_output is None else class_output.outputs(output_names)
        _check_names([model_input.name for model_input in self.inputs], self.outputs)
        self.layers = keras.Model(list(self._tensors.inputs.values()), dict(self._tensors.outputs))
        self._columns = {name for name, tensor in self._tensors.inputs.items() if tuple(tensor.shape[1:]) == (1,)}

    def with_class_output(self, class_output: ClassOutput) -> KerasModel:
        """The same model with the output `probabilities`, computed from one of its own."""
        return KerasModel(self._model, self._features, class_output, unserved=self.unserved)

    def call(self, rows: Mapping[str, Any], outputs: Iterable[str] | None = None) -> dict[str, Any]:
        """The exported model's outputs (all, or those named) for tensors of shape [n, *input.shape], at inference."""
        fed = self._fed(rows)
        answers = dict(self.layers([fed[name] for name in self._tensors.inputs], training=False))
        if self._class_output is not None:
            answers = self._class_output.add(answers)
        return {name: answers[name] for name in (self.outputs if outputs is None else outputs)}

    def without_unserved(self, answers: Mapping[str, Any]) -> dict[str, Any]:
        """Outputs by name without those that a server does not answer with."""
        return {name: value for name, value in answers.items() if name not in self.unserved}

    def call_original(self, rows: Mapping[str, Any]) -> dict[str, Any]:
        """Every output of the author's own model, called with its own structures."""
        answers = self._tensors.call_original(self._fed(rows))
        return answers if self._class_output is None else self._class_output.add(answers)

    def width(self, output: str) -> int | None:
        """The last dimension of an output: None if it may be of any size, 1 if there is none."""
        if self._class_output is not None and output == PROBABILITIES:
            return self._class_output.classes
        names = self._tensors.outputs
        tensor = names[output] if output in names else next(iter(names.values()))
        width: int | None = tensor.shape[-1] if len(tensor.shape) > 1 else 1
        return width

    def row_size(self, output: str) -> int | None:
        """How many numbers a row of one of the author's outputs has: None if it may be any."""
        shape = tuple(self._tensors.outputs[output].shape[1:])
        return None if None in shape else prod(shape)

    def _fed(self, rows: Mapping[str, Any]) -> dict[str, Any]:
        """The tensors of the author's model."""
        tensors = self.plan.tensors(rows)
        return {name: _as_column(tensor) if name in self._columns else tensor for name, tensor in tensors.items()}


def _as_column(tensor: Any) -> Any:
    """A tensor [n], or [n, 1], as [n, 1]; any other has more elements than that, and fails when it is run."""
    import tensorflow as tf  # noqa: PLC0415 - a model has loaded it

    return tf.reshape(tensor, [tf.shape(tensor)[0], 1])


def tensors_of(inputs: Iterable[ModelInput], rows: Columns) -> dict[str, Any]:
    """Arrays as tensors of the inputs' types."""
    import tensorflow as tf  # noqa: PLC0415 - a model has loaded it

    return {model_input.name: tf.constant(rows[model_input.name], model_input.dtype) for model_input in inputs}


def _describe(name: str, tensor: Any) -> ModelInput:
    inner = tuple(-1 if size is None else int(size) for size in tensor.shape[1:])
    return ModelInput(name=name, dtype=str(tensor.dtype), shape=() if inner == (1,) else inner)


def _check_names(inputs: Sequence[str], outputs: Sequence[str]) -> None:
    wrong = [name for name in (*inputs, *outputs) if not TENSOR_NAME.fullmatch(name)]
    if wrong:
        raise BadInput(
            "A tensor's name cannot be kept in a SavedModel.",
            got=", ".join(map(repr, wrong)),
            expected="letters, digits, '_', '.' and '-', the first a letter or digit",
            fix="Rename the model's input, keras.Input(…, name=…), its output, or the column of the feature.",
        )


def _refuse_sparse(name: str) -> NoReturn:
    raise BadInput(
        "A request cannot carry a sparse or ragged tensor.",
        got=f"input {name}",
        expected="dense inputs",
        fix="Take a dense input and convert it inside the model: tf.sparse.from_dense, tf.RaggedTensor.from_tensor.",
    )
