"""Parses JSON bodies: by a fast parser first, by the exact one where that fails.

`orjson` parses nearly every body. Bodies with NaN or Infinity go to the standard library's parser. What both refuse
goes to `serving.transport.json_grammar`, which parses it as TensorFlow Serving does or gives its error. Unlike in
TensorFlow Serving, the last of two equal keys counts wherever a fast parser was enough.
"""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from serving.status import InvalidArgument
from serving.transport import json_grammar
from serving.transport.json_quoting import quote

# The exact parser is slow (up to 1.4 µs a byte) and runs in the event loop: so many take at most 20 ms.
EXACT_BYTES = 12 << 10
# Brackets in a row beyond which a longer row means the same: no tensor has so many dimensions, and `orjson` reads no
# more than 1,024. Strings are matched too, so that brackets in them stay.
LONGEST_ROW = 300
BRACKETS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|\[++|\]++', re.DOTALL)
# What the standard library accepts and TensorFlow Serving does not: numbers beyond a double, half a surrogate pair.
LAX = (re.compile(rb"[eE]\+?[0-9]{3}"), re.compile(rb"\\u[dD][89a-fA-F]"))


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

    Returns:
        The JSON value.

    Raises:
        InvalidArgument: with TensorFlow Serving's text.
    """
    if not body:
        raise InvalidArgument("JSON Parse error: The document is empty")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        position = error.pos
    if (b"NaN" in body or b"Infinity" in body) and not any(lax.search(body) for lax in LAX):
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            pass  # the exact parser gives the error, or reads what is nested too deep
    if len(body) > EXACT_BYTES >= len(body.translate(None, b"[]")) + body.count(b"[]") + body.count(b"]["):
        body = BRACKETS.sub(_shortened, body)
    if len(body) > EXACT_BYTES:
        raise InvalidArgument(f"JSON Parse error: Invalid value. at offset: {position}")
    try:
        return json_grammar.parse(body)
    except json_grammar.JsonSyntaxError as error:
        raise InvalidArgument(f"JSON Parse error: {error}") from error


def _shortened(found: re.Match[bytes]) -> bytes:
    """A string as it is, a row of brackets cut to `LONGEST_ROW`."""
    text = found.group()
    return text if text.startswith(b'"') else text[:LONGEST_ROW]
