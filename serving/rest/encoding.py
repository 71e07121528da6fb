"""Tensors to a response's body, in the layout of TensorFlow Serving's pretty printer.

Row form has one row a line; columnar form has one element a line. A string output is text; it is ``{"b64": ...}`` if
its name ends in ``_bytes``, and also (unlike TensorFlow Serving, which then writes broken JSON) if it is not UTF-8.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from serving.models.signatures import element_type_of
from serving.status import InvalidArgument
from serving.transport.json_quoting import quote_string
from serving.transport.number_format import format_floats

Array = np.ndarray[Any, Any]

INDENT = "    "
INTEGER_NAMES = {"int8", "uint8", "int16", "int32", "int64", "uint32", "uint64"}
BYTES_SUFFIX = "_bytes"


def write_rows(outputs: Mapping[str, Array]) -> bytes:
    r"""Write the response to a request in row form.

    >>> write_rows({"y": np.array([3, 3.5, 4], np.float32)})
    b'{\n    "predictions": [3.0, 3.5, 4.0\n    ]\n}'
    """
    return write_batch(outputs, ())[0]


def write_batch(outputs: Mapping[str, Array], counts: Sequence[int]) -> list[bytes]:
    """Write the responses to requests in row form that shared a run.

    >>> len(write_batch({"y": np.array([3, 3.5, 4], np.float32)}, [2, 1]))
    2

    Args:
        counts: The number of rows of each request; fewer than two stand for one request with all rows.
    """
    rows = _check_rows(outputs)
    depth = 3 if len(outputs) > 1 else 2
    columns = {name: _row_texts(name, value, depth) for name, value in outputs.items()}
    if len(columns) == 1:
        separator = ", "
        (texts,) = columns.values()
    else:
        separator = ","
        names = [f"{INDENT * 3}{quote_string(name)}: " for name in columns]
        texts = [
            f"\n{INDENT * 2}{{\n"
            + ",\n".join(name + text for name, text in zip(names, parts, strict=True))
            + f"\n{INDENT * 2}}}"
            for parts in zip(*columns.values(), strict=True)
        ]
    if len(counts) < 2:
        return [_predictions(separator.join(texts), rows)]
    ends = accumulate(counts)
    return [
        _predictions(separator.join(texts[end - count : end]), count) for end, count in zip(ends, counts, strict=True)
    ]


def _predictions(body: str, rows: int) -> bytes:
    end = f"\n{INDENT}]" if rows else "]"
    return f'{{\n{INDENT}"predictions": [{body}{end}\n}}'.encode()


def write_columns(outputs: Mapping[str, Array]) -> bytes:
    r"""Write the response to a request in columnar form.

    >>> write_columns({"y": np.array([3, 3.5], np.float32)})
    b'{\n    "outputs": [\n        3.0,\n        3.5\n    ]\n}'
    """
    if len(outputs) == 1:
        ((name, value),) = outputs.items()
        body = _nest(_elements(name, value, 1 + value.ndim), value.shape, 1)
    else:
        members = (
            f"\n{INDENT * 2}{quote_string(name)}: {_nest(_elements(name, value, 2 + value.ndim), value.shape, 2)}"
            for name, value in outputs.items()
        )
        body = "{" + ",".join(members) + f"\n{INDENT}}}"
    return f'{{\n{INDENT}"outputs": {body}\n}}'.encode()


def _check_rows(outputs: Mapping[str, Array]) -> int:
    rows = -1
    for name, value in outputs.items():
        if not value.ndim:
            raise InvalidArgument(f"Tensor name: {name} has no shape information ")
        if rows >= 0 and len(value) != rows:
            raise InvalidArgument(f"Tensor name: {name} has inconsistent batch size: {len(value)} expecting: {rows}")
        rows = len(value)
    return rows


def _row_texts(name: str, value: Array, depth: int) -> list[str]:
    """The text of each row of a tensor, on one line."""
    texts = _elements(name, value, depth + value.ndim - 1)
    for size in reversed(value.shape[1:]):
        texts = [f"[{', '.join(texts[at : at + size])}]" for at in range(0, len(texts), size)] if size else texts
    return texts if value.size else [_empty(value.shape[1:])] * len(value)


def _empty(shape: tuple[int, ...]) -> str:
    text = ""
    for size in reversed(shape):
        text = f"[{', '.join([text] * size)}]"
    return text


def _nest(texts: list[str], shape: tuple[int, ...], depth: int) -> str:
    """A tensor with one element a line; ``depth`` is the indentation of its first line."""
    if 0 in shape:
        shape = shape[: shape.index(0)]
        texts = ["[]"] * math.prod(shape)
    for level in range(len(shape) - 1, -1, -1):
        size, inner, outer = shape[level], f"\n{INDENT * (depth + level + 1)}", f"\n{INDENT * (depth + level)}"
        separator = "," + inner
        texts = [f"[{inner}{separator.join(texts[at : at + size])}{outer}]" for at in range(0, len(texts), size)]
    return texts[0]


def _elements(name: str, value: Array, depth: int) -> list[str]:
    """The text of each element in row-major order; ``depth`` is the indentation of objects among them."""
    element = element_type_of(value).name
    if element in {"float", "double"}:
        return format_floats(value)
    if element in INTEGER_NAMES:
        return list(map(str, value.reshape(-1).tolist()))
    if element == "bool":
        return ["true" if flag else "false" for flag in value.reshape(-1).tolist()]
    if element == "string":
        return _strings(name, value, depth)
    raise InvalidArgument(f"Failed to write JSON value for tensor type: {element}")


def _strings(name: str, value: Array, depth: int) -> list[str]:
    as_bytes = name.endswith(BYTES_SUFFIX)
    texts = []
    for element in value.reshape(-1).tolist():
        text = None if as_bytes else _text(element)
        if text is None:
            encoded = base64.b64encode(element).decode()
            texts.append(f'{{\n{INDENT * (depth + 1)}"b64": "{encoded}"\n{INDENT * depth}}}')
        else:
            texts.append(quote_string(text))
    return texts


def _text(value: bytes) -> str | None:
    """The bytes as text; None if they are not UTF-8."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None
