"""JSON values into tensors, by TensorFlow Serving's rules.

Two roads. The fast one flattens lists level by level and checks types in bulk; where it meets anything out of the
ordinary it says so by None. Then `serving.rest.element_reader` reads the value as TensorFlow Serving's own code does,
element by element, and either finds the tensor or the error with its text.
"""

from __future__ import annotations

from array import array
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from serving.rest.element_reader import INTEGERS, walk
from serving.status import Failure, invalid

if TYPE_CHECKING:
    from serving.models.signatures import TensorSpec

    Array = np.ndarray[Any, Any]

NUMBERS = {int, float}
MAX_RANK = 32


def decode(value: Any, spec: TensorSpec) -> Array:
    """The tensor that a JSON value stands for; a bare value is a scalar. Floats beyond float32 become infinite.

    Raises:
        Failure: wrong element type, ragged lists, bad base64; UNIMPLEMENTED for types that JSON cannot carry.
    """
    found = decode_plain(value, spec)
    if found is None:
        elements, shape = walk(value, spec.element)
        found = make_array(elements, shape, spec.element.name)
    return found


def decode_plain(value: Any, spec: TensorSpec) -> Array | None:
    """The tensor, if the value is regular and of the right type throughout; None if it needs a closer look."""
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
        except UnicodeEncodeError:  # text that stands for bytes that are no UTF-8
            return None
    try:
        return make_array(level, tuple(shape), spec.element.name)
    except Failure:  # one request's: these may be the rows of several
        return None


def make_numbers(numbers: list[Any], shape: tuple[int, ...], element: str) -> Array | None:
    """Numbers of JSON, known to be that, as an array; None if they are not of the element type, or beyond it."""
    if len(shape) > MAX_RANK or not (element in {"float", "double"} or _fits(numbers, element)):
        return None
    try:
        return make_array(numbers, shape, element)
    except Failure:
        return None


def make_array(elements: list[Any], shape: tuple[int, ...], element: str) -> Array:
    """Elements that were checked before, as an array; those of strings are bytes."""
    if element == "string":
        strings = np.empty(len(elements), object)
        strings[:] = elements
        return strings.reshape(shape)
    if element in {"float", "double"}:
        try:
            return make_floats(elements, "f" if element == "float" else "d").reshape(shape)
        except OverflowError as error:  # a whole number of more than 308 digits
            raise invalid("JSON Parse error: Number too big to be stored in double.") from error
    if element in {"int8", "uint8", "int16"}:
        return np.array(elements, np.int32).astype(element).reshape(shape)
    return np.array(elements, element).reshape(shape)


def make_floats(elements: list[Any], code: str) -> Array:
    """Numbers as a flat array of C's floats ("f") or doubles ("d"); those beyond a float become infinite.

    By way of the standard library's array, at half of numpy's cost for few numbers: it rounds once, as a cast does, and
    says nothing of what overflows.

    >>> make_floats([0.1, 1e300, 7], "f")
    array([0.1, inf, 7. ], dtype=float32)

    Raises:
        OverflowError: a whole number beyond a double.
    """
    return np.frombuffer(array(code, elements), code)


def _all_lists(level: list[Any], size: int) -> bool:
    return len(level) == 1 or (set(map(type, level)) == {list} and set(map(len, level)) == {size})


def _fits(elements: list[Any], element: str) -> bool:
    """Whether every element is of a type, and in the range, that the tensor takes as it is."""
    kinds = set(map(type, elements))
    if element in {"float", "double"}:
        return kinds <= NUMBERS
    if element == "string":
        return kinds == {str}
    if element == "bool":
        return kinds == {bool}
    limits = INTEGERS.get(element)
    return limits is not None and kinds == {int} and limits[0] <= min(elements) and max(elements) <= limits[1]
