"""Reads a JSON value element by element, as TensorFlow Serving does: for exact errors, base64 and irregular values."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from serving.models.signatures import ElementType
from serving.status import Code, Failure, InvalidArgument
from serving.transport.json_quoting import quote, type_name

#: Of a tensor, in numpy's and TensorFlow's arrays.
MAX_RANK = 32
# The JSON numbers that an integer type takes: int32's range also for narrower types, which then wrap around.
INTEGERS = {
    "int8": (-(2**31), 2**31 - 1),
    "uint8": (-(2**31), 2**31 - 1),
    "int16": (-(2**31), 2**31 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "uint32": (0, 2**32 - 1),
    "uint64": (0, 2**64 - 1),
}


def read_elements(value: Any, element: ElementType) -> tuple[list[Any], tuple[int, ...]]:
    """Read nested lists.

    Returns:
        The elements in row-major order, strings as bytes; and the shape that the first element of every list gives.
    """
    shape = shape_of(value)
    if len(shape) > MAX_RANK:
        raise InvalidArgument(f"A tensor of {len(shape)} dimensions has more than {MAX_RANK}.")
    elements: list[Any] = []
    open_lists: list[Iterator[Any]] = [iter((value,))]
    while open_lists:
        for item in open_lists[-1]:
            level = len(open_lists) - 1
            if isinstance(item, list):
                _check_list(item, level, shape)
                open_lists.append(iter(item))
                break
            if level != len(shape):
                raise InvalidArgument(
                    f"JSON Value: {quote(item)} found at incorrect level: {level + 1} "
                    f"in the JSON DOM. Expected at level: {len(shape)}"
                )
            elements.append(_element(item, element))
        else:
            open_lists.pop()
    return elements, shape


def shape_of(value: Any) -> tuple[int, ...]:
    """Find the shape that the first element of every list gives.

    >>> shape_of([[1, 2], [3]])
    (2, 2)

    Returns:
        The sizes, outermost first; empty for a value that is not a list.
    """
    shape: list[int] = []
    while isinstance(value, list):
        shape.append(len(value))
        if not value:
            break
        value = value[0]
    return tuple(shape)


def is_base64(value: Any) -> bool:
    """Whether the value is bytes, written ``{"b64": "..."}``, and not an object of inputs."""
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get("b64"), str)


def _check_list(value: list[Any], level: int, shape: tuple[int, ...]) -> None:
    if level >= len(shape):
        raise InvalidArgument(f"Encountered list at unexpected level: {level} expected < {len(shape)}")
    if len(value) != shape[level]:
        raise InvalidArgument(
            f"Encountered list at unexpected size: {len(value)} at level: {level} expected size: {shape[level]}"
        )


def _element(value: Any, element: ElementType) -> Any:
    name = element.name
    if isinstance(value, dict):
        if name != "string":
            raise _wrong_type(value, element)
        return read_base64(value)
    if name in {"float", "double"}:
        fits = isinstance(value, int | float) and not isinstance(value, bool)
    elif name == "string":
        fits = isinstance(value, str)
    elif name == "bool":
        fits = isinstance(value, bool)
    elif name in INTEGERS:
        low, high = INTEGERS[name]
        fits = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
    else:
        raise Failure(Code.UNIMPLEMENTED, f"Conversion of JSON Value: {quote(value)} to type: {name}")
    if not fits:
        raise _wrong_type(value, element)
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value


def read_base64(value: dict[str, Any]) -> bytes:
    """Decode ``{"b64": "..."}``; padding may be missing. Returns the bytes."""
    if not is_base64(value):
        raise InvalidArgument(f"JSON Value: {quote(value)} not formatted correctly for base64 data")
    text = "".join(value["b64"].split()).rstrip("=.")
    if len(text) % 4 != 1:
        try:
            return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        except (binascii.Error, ValueError) as error:
            raise InvalidArgument("Unable to base64 decode") from error
    raise InvalidArgument("Unable to base64 decode")


def _wrong_type(value: Any, element: ElementType) -> Failure:
    return InvalidArgument(
        f"JSON Value: {quote(value)} Type: {type_name(value)} is not of expected type: {element.name}"
    )
