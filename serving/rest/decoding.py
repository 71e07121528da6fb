"""JSON values to tensors, by TensorFlow Serving's rules.

A fast path flattens lists level by level and checks types in bulk; it gives None for any value that is not regular.
Then `serving.rest.element_reader` reads the value as TensorFlow Serving's own code does, element by element, and gives
the tensor or the error with its text.
"""

from __future__ import annotations

from array import array
from itertools import chain
from typing import Any

import numpy as np

from serving.models.signatures import TensorSpec
from serving.rest.element_reader import INTEGERS, MAX_RANK, read_elements
from serving.status import Failure, InvalidArgument

Array = np.ndarray[Any, Any]

NUMBERS = {int, float}


def decode(value: Any, spec: TensorSpec) -> Array:
    """Decode a JSON value. Returns the tensor; a bare element is a scalar. Floats beyond float32 become infinite."""
    array = decode_regular(value, spec)
    if array is None:
        elements, shape = read_elements(value, spec.element)
        array = make_array(elements, shape, spec.element.name)
    return array


def decode_regular(value: Any, spec: TensorSpec) -> Array | None:
    """The tensor of a value that is regular and of the right type throughout; None for any other value."""
    shape: list[int] = []
    level: list[Any] = [value]
    while type(level[0]) is list:
        size = len(level[0])
        if len(shape) == MAX_RANK or not size or not _all_lists(level, size):
            return None
        shape.append(size)
        level = level[0] if len(level) == 1 else list(chain.from_iterable(level))
    if not _fits(level, spec.element.name):
        return None
    if spec.element.name == "string":
        try:
            level = list(map(str.encode, level))
        except UnicodeEncodeError:  # surrogates, which stand for bytes that are not UTF-8
            return None
    try:
        return make_array(level, tuple(shape), spec.element.name)
    except Failure:  # an error of one request; these may be the rows of several
        return None


def make_numbers(numbers: list[Any], shape: tuple[int, ...], element: str) -> Array | None:
    """The array of a flat list of JSON numbers; None if one is not of the element type, or beyond its range."""
    if len(shape) > MAX_RANK or not (element in {"float", "double"} or _fits(numbers, element)):
        return None
    try:
        return make_array(numbers, shape, element)
    except Failure:
        return None


def make_array(elements: list[Any], shape: tuple[int, ...], element: str) -> Array:
    """The array of a flat list of elements that were checked before; strings are bytes."""
    if element == "string":
        strings = np.empty(len(elements), object)
        strings[:] = elements
        return strings.reshape(shape)
    if element in {"float", "double"}:
        try:
            return make_floats(elements, "f" if element == "float" else "d").reshape(shape)
        except OverflowError as error:  # an integer of more than 308 digits
            raise InvalidArgument("JSON Parse error: Number too big to be stored in double.") from error
    if element in {"int8", "uint8", "int16"}:
        return np.array(elements, np.int32).astype(element).reshape(shape)
    return np.array(elements, element).reshape(shape)


def make_floats(elements: list[Any], code: str) -> Array:
    """Make a flat array of float32 (code "f") or float64 ("d").

    Made by the standard library's array, at half of numpy's cost for few numbers: it rounds once, as a cast does, and
    does not warn of overflows.

    >>> make_floats([0.1, 1e300, 7], "f")
    array([0.1, inf, 7. ], dtype=float32)

    Returns:
        The array; numbers beyond float32 become infinite.

    Raises:
        OverflowError: An integer beyond a double.
    """
    return np.frombuffer(array(code, elements), code)


def _all_lists(level: list[Any], size: int) -> bool:
    return len(level) == 1 or (set(map(type, level)) == {list} and set(map(len, level)) == {size})


def _fits(elements: list[Any], element: str) -> bool:
    """Whether every element is of the tensor's type and within its range."""
    kinds = set(map(type, elements))
    if element in {"float", "double"}:
        return kinds <= NUMBERS
    if element == "string":
        return kinds == {str}
    if element == "bool":
        return kinds == {bool}
    limits = INTEGERS.get(element)
    return limits is not None and kinds == {int} and limits[0] <= min(elements) and max(elements) <= limits[1]
