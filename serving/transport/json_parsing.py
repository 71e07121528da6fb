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
SURROGATE = re.compile("[\ud800-\udfff]")
ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def parse_object(body: bytes) -> dict[str, Any]:
    """Parse a body that must be an object.

    >>> parse_object(b'{"instances": [1.5, NaN]}')
    {'instances': [1.5, nan]}
    """
    value = parse(body)
    if not isinstance(value, dict):
        raise InvalidArgument(f"JSON Value: {quote(value)} Is not object")
    return value


def parse(body: bytes) -> Any:
    """Parse a body.

    >>> parse(b"[NaN, -Infinity]")
    [nan, -inf]
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
    if b"NaN" in body or b"Infinity" in body or ESCAPED_SURROGATE.search(body):
        try:
            value = json.loads(body, parse_float=_finite)
        except (ValueError, RecursionError):
            pass  # the first parser's error is given
        else:
            place = place_of_surrogate(value)
            if place is None:
                return value
            raise InvalidArgument(
                f"JSON Parse error: Invalid value. {place} has half a surrogate pair, which is no text"
            )
    raise InvalidArgument(f"JSON Parse error: Invalid value. {refusal.msg} at offset: {refusal.pos}")


def place_of_surrogate(value: Any) -> str | None:
    r"""Where a value has a text with half of a surrogate pair. Returns the first place; None if there is none.

    >>> place_of_surrogate({"labels": [{"prediction_id": "a:0", "label": "\ud800"}]})
    'labels[0].label'
    """
    left: list[tuple[str, Any]] = [("", value)]
    while left:
        place, part = left.pop()
        if isinstance(part, str):
            if SURROGATE.search(part):
                return place or "The document"
        elif isinstance(part, list):
            left += [(f"{place}[{index}]", each) for index, each in reversed(list(enumerate(part)))]
        elif isinstance(part, dict):
            if any(map(SURROGATE.search, part)):
                return f"A name in {place}" if place else "A name"
            left += [(f"{place}.{name}" if place else name, each) for name, each in reversed(part.items())]
    return None


def _shortened(text: re.Match[bytes]) -> bytes:
    """A string as it is, a row of brackets cut to `LONGEST_ROW`."""
    token = text.group()
    return token if token.startswith(b'"') else token[:LONGEST_ROW]


def _finite(text: str) -> float:
    """A number that is written with digits. Raises ValueError where it is too large for a double."""
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number beyond a double")
    return number
