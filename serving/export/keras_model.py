"""A Keras model as a server sees it: named inputs of one shape and type each, named outputs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, final

import numpy as np

from monitoring.errors import BadInput
from serving.export.keras_file import load_keras
from serving.export.model_inputs import FeedPlan, ModelInput
from serving.export.model_tensors import tensors_of_model
from serving.export.probabilities import PROBABILITIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from serving.export.probabilities import Score

    Columns = Mapping[str, np.ndarray[Any, Any]]

__all__ = ["KerasModel", "ModelInput", "load_keras", "tensors_of"]

# What TensorFlow keeps as it is when it names a signature's tensors.
TENSOR_NAME = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.-]*")


@final
class KerasModel:
    """A Keras model, called with one array or tensor per named input.

    Inputs of shape [n, 1] are scalars to the outside, [n]: a row of JSON then reads ``{"temp": 39.0}``. Inputs and
    outputs are named as `serving.export.model_tensors` says; with ``features`` a tensor of numbers is taken apart into
    named scalars, as `serving.export.model_inputs` says; with a ``score`` there is an output `probabilities` as well.

    Raises:
        BadInput: a model that does not say what it takes, features that do not fit it, or a name TensorFlow would
            change.
    """

    def __init__(self, model: Any, features: Sequence[str] = (), score: Score | None = None) -> None:
        import keras  # noqa: PLC0415 - whoever has a model has loaded it

        self._model, self._features, self._score = model, features, score
        self._tensors = tensors_of_model(model)
        for name, tensor in self._tensors.inputs.items():
            if getattr(tensor, "sparse", False) or getattr(tensor, "ragged", False):
                raise _unlike(name)
        self.plan = FeedPlan([_describe(name, one) for name, one in self._tensors.inputs.items()], features)
        self.inputs = self.plan.inputs
        own = tuple(self._tensors.outputs)
        self.outputs = own if score is None else score.outputs(own)
        _check_names([one.name for one in self.inputs], self.outputs)
        self.layers = keras.Model(list(self._tensors.inputs.values()), dict(self._tensors.outputs))
        self._columns = {name for name, one in self._tensors.inputs.items() if tuple(one.shape[1:]) == (1,)}

    def scoring(self, score: Score) -> KerasModel:
        """The same model with an output `probabilities` made out of one of its own."""
        return KerasModel(self._model, self._features, score)

    def call(self, rows: Mapping[str, Any], outputs: Iterable[str] | None = None) -> dict[str, Any]:
        """The outputs (all, or those named) for tensors of shape [n, *input.shape], as at inference."""
        fed = self._fed(rows)
        answers = dict(self.layers([fed[name] for name in self._tensors.inputs], training=False))
        if self._score is not None:
            answers = self._score.add(answers)
        return {name: answers[name] for name in (self.outputs if outputs is None else outputs)}

    def ask(self, rows: Mapping[str, Any]) -> dict[str, Any]:
        """What the author's own model says, called as its author calls it: every output."""
        answers = self._tensors.ask(self._fed(rows))
        return answers if self._score is None else self._score.add(answers)

    def width(self, output: str) -> int | None:
        """The last dimension of an output, None where it may be anything; 1 where there is none."""
        if self._score is not None and output == PROBABILITIES:
            return self._score.classes
        names = self._tensors.outputs
        tensor = names[output] if output in names else next(iter(names.values()))
        width: int | None = tensor.shape[-1] if len(tensor.shape) > 1 else 1
        return width

    def _fed(self, rows: Mapping[str, Any]) -> dict[str, Any]:
        """The model's own tensors."""
        import tensorflow as tf  # noqa: PLC0415 - as above

        tensors = self.plan.tensors(rows)
        return {
            name: tf.expand_dims(tensor, -1) if name in self._columns else tensor for name, tensor in tensors.items()
        }


def tensors_of(inputs: Iterable[ModelInput], rows: Columns) -> dict[str, Any]:
    """Arrays as tensors of the inputs' own types."""
    import tensorflow as tf  # noqa: PLC0415 - whoever has a model has loaded it

    return {one.name: tf.constant(rows[one.name], one.dtype) for one in inputs}


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


def _unlike(name: str) -> BadInput:
    return BadInput(
        "A request cannot carry a sparse or ragged tensor.",
        got=f"input {name}",
        expected="dense inputs",
        fix="Take a dense input and convert it inside the model: tf.sparse.from_dense, tf.RaggedTensor.from_tensor.",
    )
