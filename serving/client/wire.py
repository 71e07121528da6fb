"""Arrays as the two transports carry them, and times as the server reads them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias

import numpy as np

from monitoring.errors import BadInput
from monitoring.timestamps import as_microseconds
from serving.models.signatures import ELEMENT_TYPES

Array: TypeAlias = np.ndarray[Any, Any]
#: A time with an offset, or seconds since 1970.
Time: TypeAlias = datetime | float

_BY_PROTO = {kind.proto: kind for kind in ELEMENT_TYPES.values()}
_TEXT = np.dtype(object)


def typed(name: str, values: Any, element: str) -> Array:
    """Values as an array of the element type that the model takes.

    >>> typed("km", [3, None], "DT_FLOAT")
    array([ 3., nan], dtype=float32)

    Args:
        element: The name in protobuf's enum, such as ``DT_FLOAT``; ``DT_STRING`` gives objects.

    Returns:
        The array; texts are objects of text or bytes.

    Raises:
        BadInput: A value is not of that type, or would be another after the conversion.
    """
    kind = _BY_PROTO.get(element)
    dtype = None if kind is None else kind.numpy
    try:
        if dtype == _TEXT:
            return _texts(np.asarray(values, dtype=object))  # a type of numpy's own would make text of numbers
        given = np.asarray(values)
        if dtype is None or given.dtype == dtype:
            return given
        with np.errstate(invalid="ignore", over="ignore"):
            cast = given.astype(dtype)
    except (TypeError, ValueError) as error:
        raise _unfit(name, str(error), element) from None
    if dtype.kind in "iub" and not np.array_equal(given, cast):
        raise _unfit(name, f"{given.reshape(-1)[:5].tolist()}, type {given.dtype}", element)
    return cast


def _texts(given: Array) -> Array:
    """The objects, all of them text or bytes. Raises TypeError for any other value."""
    for value in given.flat:
        if not isinstance(value, str | bytes):
            raise TypeError(f"{value!r} is no text")
    return given


def _unfit(name: str, got: str, element: str) -> BadInput:
    return BadInput(
        f"The values of {name} are not of the model's type.",
        got=got,
        expected=f"an array of {element.removeprefix('DT_').lower()}, or what becomes one without a loss",
        fix=f"Correct {name}.",
    )


def plain(array: Array) -> Any:
    """An array as nested lists for JSON; bytes as ``{"b64": …}``.

    >>> plain(np.array([b"a", "b"], dtype=object))
    [{'b64': 'YQ=='}, 'b']
    """
    values: Any = array.tolist()
    return _marked(values) if array.dtype == _TEXT else values


def _marked(values: Any) -> Any:
    if isinstance(values, list):
        return [_marked(value) for value in values]
    return {"b64": base64.b64encode(values).decode()} if isinstance(values, bytes) else values


def from_json(value: Any, element: str) -> Array:
    r"""An output of a JSON answer as an array of the model's type; texts are objects.

    >>> from_json([[0.5], [1.5]], "DT_FLOAT").shape, from_json(["a", {"b64": "/w=="}], "DT_STRING").tolist()
    ((2, 1), ['a', b'\xff'])
    """
    kind = _BY_PROTO.get(element)
    if kind is not None and kind.numpy == _TEXT:
        return decoded(np.array(_unmarked(value), dtype=object))
    return np.array(value, dtype=None if kind is None else kind.numpy)


def _unmarked(value: Any) -> Any:
    if isinstance(value, list):
        return [_unmarked(one) for one in value]
    return base64.b64decode(value["b64"]) if isinstance(value, dict) else value


def decoded(array: Array) -> Array:
    """Texts as text where they are UTF-8, else as bytes; any other array as it is."""
    if array.dtype != _TEXT:
        return array
    texts = np.empty(array.shape, dtype=object)
    for place, value in np.ndenumerate(array):
        try:
            texts[place] = value.decode() if isinstance(value, bytes) else value
        except UnicodeDecodeError:
            texts[place] = value
    return texts


def encoded(array: Array) -> Array:
    """Texts as bytes, as gRPC carries them; any other array as it is."""
    if array.dtype != _TEXT:
        return array
    texts = np.empty(array.shape, dtype=object)
    for place, value in np.ndenumerate(array):
        texts[place] = value.encode() if isinstance(value, str) else value
    return texts


def time_text(time: Time) -> str:
    """A time as seconds since 1970.

    >>> from datetime import timezone
    >>> time_text(datetime(2013, 4, 1, 9, tzinfo=timezone.utc)), time_text(1364793300.25)
    ('1364806800.000000', '1364793300.250000')

    Raises:
        BadInput: A time without an offset.
    """
    if not isinstance(time, datetime):
        return f"{time:.6f}"
    if time.tzinfo is None:
        raise BadInput(
            "The time has no offset, so it may be of any zone.",
            got=repr(time),
            expected="a datetime with a time zone, or seconds since 1970",
            fix="For UTC: time.replace(tzinfo=datetime.UTC).",
        )
    seconds, micros = divmod(as_microseconds(time), 1_000_000)
    return f"{seconds}.{micros:06d}" if seconds >= 0 else f"{as_microseconds(time) / 1e6:.6f}"


def rows_of(inputs: Mapping[str, Array]) -> int:
    """The rows of a request: the first dimension that all tensors have, else 1."""
    sizes = {array.shape[0] if array.ndim else None for array in inputs.values()}
    size = sizes.pop() if len(sizes) == 1 else None
    return 1 if size is None else size
