"""Parses JSON bodies by `orjson`; those with NaN or Infinity by the standard library's parser.

Errors are `orjson`'s, behind the words of TensorFlow Serving that clients look for. Of two equal keys the last counts.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

import orjson

from serving.status import InvalidArgument
from serving.transport.json_quoting import quote

#: Brackets in a row beyond which a longer row means the same: no tensor has so many dimensions, and `orjson` reads no
#: more than 1,024. Strings are matched too, so that brackets in them stay.
LONGEST_ROW = 300
BRACKETS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|\[++|\]++', re.DOTALL)

#: What the standard library accepts although it is no text: half a surrogate pair.
SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def parse_object(body: bytes) -> dict[str, Any]:
    """Parse a body that must be an object.

    >>> parse_object(b'{"instances": [1.5, NaN]}')
    {'instances': [1.5, nan]}

    Returns:
        The object's members.

    Raises:
        InvalidArgument: with TensorFlow Serving's text.
    """
    value = parse(body)
    if not isinstance(value, dict):
        raise InvalidArgument(f"JSON Value: {quote(value)} Is not object")
    return value


def parse(body: bytes) -> Any:
    """Parse a body.

    >>> parse(b"[NaN, -Infinity]")
    [nan, -inf]

    Returns:
        The JSON value.

    Raises:
        InvalidArgument: The body is not JSON; with TensorFlow Serving's text, the parser's reason and its place.
    """
    if not body:
        raise InvalidArgument("JSON Parse error: The document is empty")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        refusal = error
    if refusal.msg == "depth limit exceeded":
        try:
            return orjson.loads(BRACKETS.sub(_shortened, body))
        except orjson.JSONDecodeError:
            pass  # the place in the body itself is given
    if (b"NaN" in body or b"Infinity" in body) and not SURROGATE.search(body):
        try:
            return json.loads(body, parse_float=_finite)
        except (ValueError, RecursionError):
            pass  # the first parser's error is given
    raise InvalidArgument(f"JSON Parse error: Invalid value. {refusal.msg} at offset: {refusal.pos}")


def _shortened(text: re.Match[bytes]) -> bytes:
    """A string as it is, a row of brackets cut to `LONGEST_ROW`."""
    found = text.group()
    return found if found.startswith(b'"') else found[:LONGEST_ROW]


def _finite(text: str) -> float:
    """A number that is written with digits. Raises ValueError where it is too large for a double."""
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number beyond a double")
    return number
