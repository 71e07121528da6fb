"""A request's body as values: the fast parser first, the exact one for what it refuses.

`orjson` reads nearly every body. One with NaN or Infinity goes to the standard library's parser. What neither takes is
read by `serving.transport.json_grammar`, which either reads it as TensorFlow Serving would or says in its words what is
wrong. Unlike TensorFlow Serving, of two equal keys the last one counts wherever a fast parser was enough.
"""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from serving.status import invalid
from serving.transport import json_grammar
from serving.transport.json_quoting import quote

# The exact parser is slow (about 1 µs a token) and runs in the event loop, so what it reads is bounded.
EXACT_BYTES = 4 << 20
# Where the standard library is laxer than TensorFlow Serving: numbers beyond a double, half of a surrogate pair.
LAX = (re.compile(rb"[eE]\+?[0-9]{3}"), re.compile(rb"\\u[dD][89a-fA-F]"))


def parse_object(body: bytes) -> dict[str, Any]:
    """The JSON object in ``body``.

    >>> parse_object(b'{"instances": [1.5, NaN]}')
    {'instances': [1.5, nan]}

    Raises:
        Failure: INVALID_ARGUMENT, with TensorFlow Serving's text.
    """
    value = parse(body)
    if not isinstance(value, dict):
        raise invalid(f"JSON Value: {quote(value)} Is not object")
    return value


def parse(body: bytes) -> Any:
    """The JSON value in ``body``; errors as in `parse_object`."""
    if not body:
        raise invalid("JSON Parse error: The document is empty")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        position = error.pos
    if (b"NaN" in body or b"Infinity" in body) and not any(lax.search(body) for lax in LAX):
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            pass  # the exact parser says what is wrong, or reads what was nested too deep
    if len(body) > EXACT_BYTES:
        raise invalid(f"JSON Parse error: Invalid value. at offset: {position}")
    try:
        return json_grammar.parse(body)
    except json_grammar.JsonSyntaxError as error:
        raise invalid(f"JSON Parse error: {error}") from error
