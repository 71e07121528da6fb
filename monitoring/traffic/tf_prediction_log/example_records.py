"""Classify and Regress in PredictionLog records: tf.Examples in, classes or numbers out.

The log keeps tensors; those of such an answer are told by their names, types and ranks, which are fixed in TensorFlow
Serving's `classifier.h` and `regressor.h`: `inputs`, strings [n]; `classes`, strings [n, k], and `scores`, float32
[n, k], or one of them; `outputs`, float32 [n] or [n, 1].
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from monitoring.traffic.tf_prediction_log.tensor_protos import FLOAT, STRING, read_tensor

CLASSIFY, REGRESS = "classify_log", "regress_log"
KINDS = (CLASSIFY, REGRESS)
_INPUT = "inputs"
_CLASSES, _SCORES, _OUTPUTS = "classes", "scores", "outputs"
Array = np.ndarray[Any, Any]
Shapes = dict[str, list[int]]


def become_examples(log: Any) -> Shapes | None:
    """Turn a `predict_log` into a `classify_log` or `regress_log`, if its tensors are those of one.

    Returns:
        The inner shape of each output, which such a record does not have; None if the record stays as it is.
    """
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - with the next
    from tensorflow.core.example.example_pb2 import Example  # noqa: PLC0415 - imports TensorFlow

    protos = dict(log.predict_log.response.outputs)
    kind = _kind(dict(log.predict_log.request.inputs), protos)
    if kind is None:
        return None
    try:
        examples = [Example.FromString(text) for text in log.predict_log.request.inputs[_INPUT].string_val]
        labels = [text.decode() for text in protos[_CLASSES].string_val] if _CLASSES in protos else []
    except (DecodeError, UnicodeDecodeError):  # hashed by the server, or not text
        return None
    outputs = {name: read_tensor(proto) for name, proto in protos.items()}
    spec = type(log.predict_log.request.model_spec)()
    spec.CopyFrom(log.predict_log.request.model_spec)
    record = getattr(log, kind)
    record.request.model_spec.CopyFrom(spec)  # which removes the predict_log
    record.response.model_spec.CopyFrom(spec)
    record.request.input.example_list.examples.extend(examples)
    if kind == REGRESS:
        for value in outputs[_OUTPUTS].ravel().tolist():
            record.response.result.regressions.add(value=value)
    else:
        count, width = next(iter(outputs.values())).shape
        scores = outputs[_SCORES].ravel().tolist() if _SCORES in outputs else []
        for row in range(count):
            classes = record.response.result.classifications.add().classes
            for index in range(row * width, (row + 1) * width):
                classes.add(label=labels[index] if labels else "", score=scores[index] if scores else 0.0)
    return {name: list(value.shape[1:]) for name, value in outputs.items()}


def _kind(inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> str | None:
    if {name: _type(proto) for name, proto in inputs.items()} != {_INPUT: (STRING, 1)}:
        return None
    types = {name: _type(proto) for name, proto in outputs.items()}
    if types == {_OUTPUTS: (FLOAT, 1)} or (types == {_OUTPUTS: (FLOAT, 2)} and _width(outputs[_OUTPUTS]) == 1):
        return REGRESS
    classes = {_CLASSES: (STRING, 2), _SCORES: (FLOAT, 2)}
    is_classified = (
        types and types.items() <= classes.items() and len({_width(output) for output in outputs.values()}) == 1
    )
    return CLASSIFY if is_classified else None


def _type(proto: Any) -> tuple[int, int]:
    return proto.dtype, len(proto.tensor_shape.dim)


def _width(proto: Any) -> int:
    return int(proto.tensor_shape.dim[-1].size)


def read_examples(record: Any, kind: str, shapes: Shapes | None) -> tuple[dict[str, Array], dict[str, Array]] | None:
    """Read the tensors of a `classify_log` or `regress_log`.

    Args:
        shapes: What `become_examples` returned; None for a record of another server.

    Returns:
        Inputs and outputs by name, an example's bytes with those of its context; None if the rows have different
        numbers of classes.
    """
    request_input = record.request.input
    context = (
        request_input.example_list_with_context.context.SerializeToString()
    )  # messages are merged by joining their bytes
    listed = (*request_input.example_list.examples, *request_input.example_list_with_context.examples)
    examples = np.empty(len(listed), object)
    examples[:] = [context + example.SerializeToString(deterministic=True) for example in listed]
    if kind == REGRESS:
        outputs = {
            _OUTPUTS: np.array([regression.value for regression in record.response.result.regressions], np.float32)
        }
    else:
        rows = [classification.classes for classification in record.response.result.classifications]
        if len({len(row) for row in rows}) > 1:
            return None
        labels = np.array([[class_score.label.encode() for class_score in row] for row in rows], object)
        scores = np.array([[class_score.score for class_score in row] for row in rows], np.float32)
        outputs = {_CLASSES: labels, _SCORES: scores}
        if shapes is None and not any(labels.ravel()):
            del outputs[_CLASSES]
    if shapes is not None:
        outputs = {name: outputs[name].reshape(len(listed), *shape) for name, shape in shapes.items()}
    return {_INPUT: examples}, outputs
