"""Writes the SavedModel of a bundle, with its three signatures.

================  ====================================  ===================================================
signature         takes                                 gives
================  ====================================  ===================================================
serving_default   one named tensor per input            every output; if ``probabilities`` is one of them, all but
                                                        logits and embedding
explain           the same                              every output
tf_example        ``examples``, serialised tf.Examples  as serving_default
================  ====================================  ===================================================
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from monitoring.errors import CannotRun
from serving.export.keras_model import Columns, KerasModel, ModelInput
from serving.export.outputs.probabilities import EMBEDDING, LOGITS, PROBABILITIES
from serving.models.signatures import DEFAULT_SIGNATURE

EXPLAIN = "explain"
EXAMPLES = "tf_example"
EXAMPLES_INPUT = "examples"


def served_outputs(model: KerasModel) -> tuple[str, ...]:
    """The outputs of `serving_default` and `tf_example`."""
    hidden = {*model.unserved, *((LOGITS, EMBEDDING) if PROBABILITIES in model.outputs else ())}
    return tuple(name for name in model.outputs if name not in hidden)


def takes_examples(model: KerasModel) -> bool:
    """Whether there is a signature `tf_example`: the shape of every input is fixed, and so can be read from a list."""
    return all(-1 not in model_input.shape for model_input in model.inputs)


def write_saved_model(model: KerasModel, folder: Path) -> None:
    """Write the model as a SavedModel with these signatures. Cost: 1 to 3 s for a small model."""
    import keras  # noqa: PLC0415 - a model has loaded it
    import tensorflow as tf  # noqa: PLC0415 - as above

    served = served_outputs(model)
    rows = {
        model_input.name: tf.TensorSpec([None, *_open(model_input)], model_input.dtype, model_input.name)
        for model_input in model.inputs
    }
    archive = keras.export.ExportArchive()
    try:
        archive.track(model.layers)
        archive.add_endpoint(DEFAULT_SIGNATURE, _endpoint(model, served), input_signature=[rows])
        archive.add_endpoint(EXPLAIN, _endpoint(model, model.outputs), input_signature=[rows])
        if takes_examples(model):
            examples = tf.TensorSpec([None], tf.string, EXAMPLES_INPUT)
            archive.add_endpoint(EXAMPLES, _example_endpoint(model, served), input_signature=[examples])
        archive.write_out(str(folder), verbose=False)
    except Exception as error:  # noqa: BLE001 - whatever a layer raises when it is traced; named and passed on
        _refuse(error)


def write_examples(inputs: tuple[ModelInput, ...], rows: Columns) -> list[bytes]:
    """Encode rows as tf.Examples; missing values (NaN, the empty string) are left out, as clients do.

    Args:
        rows: Arrays by input, [n, …].
    """
    count = len(next(iter(rows.values())))
    return [_example(inputs, {name: column[row] for name, column in rows.items()}) for row in range(count)]


def layer_at_fault(error: BaseException) -> str:
    """The innermost Keras layer that was called when an error was raised.

    Returns:
        ``Class 'name'``; empty if no layer was called.
    """
    import keras  # noqa: PLC0415 - a model has loaded it

    layer, frame = "", error.__traceback__
    while frame is not None:
        owner = frame.tb_frame.f_locals.get("self")
        if isinstance(owner, keras.Layer) and not isinstance(owner, keras.Model):
            layer = f"{type(owner).__name__} {owner.name!r}"
        frame = frame.tb_next
    return layer


def _refuse(error: Exception) -> NoReturn:
    import keras  # noqa: PLC0415 - a model has loaded it

    layer = layer_at_fault(error)
    message = (str(error).strip().splitlines() or [type(error).__name__])[0][:500]
    if keras.backend.backend() != "tensorflow":
        raise CannotRun(
            "The model cannot be exported: Keras does not run on TensorFlow.",
            got=f"the backend {keras.backend.backend()}; {message}",
            expected="the backend tensorflow",
            fix="Set KERAS_BACKEND=tensorflow, or unset it. A .keras file of another backend can be exported then.",
        ) from error
    if "untracked" in str(error):  # TensorFlow quotes the word
        raise CannotRun(
            "The model cannot be exported: a table or variable in it belongs to no layer.",
            got=message,
            expected="tables and variables that are attributes of the layer that uses them",
            fix="Set it in the layer's __init__ or build: self.table = …",
        ) from error
    raise CannotRun(
        "The model cannot be exported: a layer of it runs, but cannot be traced into a graph.",
        got=f"{layer}: {message}" if layer else message,
        expected="a call() of keras.ops or tf operations alone",
        fix="Replace numpy and Python code on a tensor's values (if, float(), .numpy()) by keras.ops or tf operations.",
    ) from error


def _endpoint(model: KerasModel, outputs: tuple[str, ...]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda rows: model.call(rows, outputs)


def _example_endpoint(model: KerasModel, outputs: tuple[str, ...]) -> Callable[[Any], dict[str, Any]]:
    import tensorflow as tf  # noqa: PLC0415 - a model has loaded it

    features = {model_input.name: _feature(model_input) for model_input in model.inputs}

    def call(examples: Any) -> dict[str, Any]:
        parsed = tf.io.parse_example(examples, features)
        return model.call(
            {model_input.name: tf.cast(parsed[model_input.name], model_input.dtype) for model_input in model.inputs},
            outputs,
        )

    return call


def _feature(model_input: ModelInput) -> Any:
    """How an input is parsed from a tf.Example. Only scalar floats and text have a value for missing."""
    import tensorflow as tf  # noqa: PLC0415 - as above

    stored = _stored(model_input)
    if model_input.shape or stored == "int64":
        return tf.io.FixedLenFeature(model_input.shape, stored)
    return tf.io.FixedLenFeature((), stored, default_value="" if stored == "string" else float("nan"))


def _stored(model_input: ModelInput) -> str:
    """The type of an input's values in a tf.Example."""
    if model_input.dtype == "string":
        return "string"
    return "float32" if model_input.is_float else "int64"


def _example(inputs: tuple[ModelInput, ...], row: dict[str, Any]) -> bytes:
    import tensorflow as tf  # noqa: PLC0415 - as above

    features = {}
    for model_input in inputs:
        values = np.reshape(row[model_input.name], -1).tolist()
        stored = _stored(model_input)
        if stored == "string":
            if values != [b""]:
                features[model_input.name] = tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
        elif stored == "int64":
            features[model_input.name] = tf.train.Feature(int64_list=tf.train.Int64List(value=map(int, values)))
        elif model_input.shape or not np.isnan(values[0]):
            features[model_input.name] = tf.train.Feature(float_list=tf.train.FloatList(value=values))
    serialized: bytes = tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()
    return serialized


def _open(model_input: ModelInput) -> list[int | None]:
    return [None if size == -1 else size for size in model_input.shape]
