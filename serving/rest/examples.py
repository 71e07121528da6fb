"""Classify and regress: JSON examples to ``tf.Example`` messages, and scores or values back to JSON.

The kind of a feature is that of its first literal: text or base64 is bytes, a number with a point or exponent is float,
an integer or a boolean is int64. Texts and checks are TensorFlow Serving's (``util/json_tensor.cc``,
``servables/tensorflow/classifier.cc`` and ``regressor.cc``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from serving.rest.element_reader import is_base64, read_base64
from serving.status import InvalidArgument
from serving.tf_serving.messages import example
from serving.transport.json_quoting import quote, quote_string, type_name
from serving.transport.number_format import format_floats

Array = np.ndarray[Any, Any]
Features = Mapping[str, "ExampleFeature"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleFeature:
    """The values of one feature, all of one kind: bytes, float or int64; None where there is no value."""

    kind: str | None
    values: tuple[Any, ...]


def read_examples(document: dict[str, Any]) -> list[Features]:
    """Read the examples of a request.

    Returns:
        The features of each example, with those of ``context`` that the example does not have itself.
    """
    context = _features(document["context"]) if "context" in document else {}
    if "examples" not in document:
        raise InvalidArgument(
            f"JSON Value: {quote(document)} When method is classify, key 'examples' is expected and was not found"
        )
    examples = document["examples"]
    if not isinstance(examples, list):
        raise InvalidArgument(f"JSON Value: {quote(document)} Expecting 'examples' value to be an list/array")
    if not examples:
        raise InvalidArgument(f"JSON Value: {quote(document)} 'examples' value is an empty array")
    return [{**context, **_features(example)} for example in examples]


def serialise(examples: Sequence[Features]) -> Array:
    """Serialise a ``tf.Example`` message for each example, as an object array of bytes."""
    messages = np.empty(len(examples), object)
    for index, features in enumerate(examples):
        message = example()
        message.features.SetInParent()
        for name, feature in features.items():
            target = message.features.feature.add(key=name).value
            target.SetInParent()
            if feature.kind is not None:
                getattr(target, f"{feature.kind}_list").value.extend(feature.values)
        messages[index] = message.SerializeToString()
    return messages


def write_results(verb: str, outputs: Mapping[str, Array], count: int) -> bytes:
    r"""Write the response: for each example its labelled scores, or its value.

    >>> write_results("regress", {"outputs": np.array([42], np.float32)}, 1)
    b'{\n    "results": [42.0]\n}'

    Args:
        verb: ``classify`` or ``regress``.
    """
    for name, value in outputs.items():
        if value.shape[:1] != (count,):
            raise InvalidArgument(
                f"Expected output {name} to have a batch size of {count}, got shape {list(value.shape)}"
            )
    if verb == "regress":
        values = outputs["outputs"]
        if values.size != count:
            raise InvalidArgument(
                f"Expected regression output of shape [{count}] or [{count}, 1], got {list(values.shape)}"
            )
        return f'{{\n    "results": [{", ".join(format_floats(_float(values)))}]\n}}'.encode()
    rows = [f"[{', '.join(pairs)}]" for pairs in _labelled(outputs, count)]
    return f'{{\n    "results": [{", ".join(rows)}\n    ]\n}}'.encode()


def _labelled(outputs: Mapping[str, Array], count: int) -> list[list[str]]:
    labels = outputs.get("classes")
    scores = outputs.get("scores")
    width = next(value.size // count for value in (labels, scores) if value is not None)
    texts = ['""'] * (count * width)
    if labels is not None:
        texts = [quote_string(label.decode("utf-8", "replace")) for label in labels.reshape(-1).tolist()]
    numbers = ["0.0"] * (count * width) if scores is None else format_floats(_float(scores))
    if len(texts) != len(numbers):
        raise InvalidArgument(
            f"Expected classes and scores of one shape, got {len(texts)} labels and {len(numbers)} scores"
        )
    pairs = [f"[{text}, {number}]" for text, number in zip(texts, numbers, strict=True)]
    return [pairs[at : at + width] for at in range(0, len(pairs), width)]


def _float(values: Array) -> Array:
    return values if values.dtype in {np.dtype(np.float32), np.dtype(np.float64)} else values.astype(np.float32)


def _features(value: Any) -> dict[str, ExampleFeature]:
    if not isinstance(value, dict):
        raise InvalidArgument(f"Example must be JSON object but got JSON {type_name(value)}")
    return {
        _checked(name): _feature(name, content if isinstance(content, list) else [content])
        for name, content in value.items()
    }


def _checked(name: str) -> str:
    """The name of a feature. Raises `Failure` if it is not UTF-8, which a message needs."""
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise InvalidArgument(f"Feature: {name} has a name that is not UTF-8") from error
    return name


def _feature(name: str, values: list[Any]) -> ExampleFeature:
    kind: str | None = None
    read: list[Any] = []
    for value in values:
        element_kind = _kind(name, value)
        if kind is not None and element_kind != kind:
            raise InvalidArgument(f"Unexpected element type in feature: {name} expecting type: {kind}")
        kind = element_kind
        read.append(_read(value))
    return ExampleFeature(kind=kind, values=tuple(read))


def _kind(name: str, value: Any) -> str:
    if isinstance(value, str) or is_base64(value):
        return "bytes"
    if isinstance(value, float):
        return "float"
    if isinstance(value, int):
        if value >= 2**63:
            raise InvalidArgument(f"Feature: {name} has uint64_t element. Only int64_t is supported.")
        return "int64"
    raise InvalidArgument(f"Feature: {name} has element with unexpected JSON type: {type_name(value)}")


def _read(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    if isinstance(value, bool):
        return int(value)  # protobuf 6 warns of booleans in integer fields, and 7 refuses them
    return read_base64(value) if isinstance(value, dict) else value
