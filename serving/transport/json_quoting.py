"""JSON text: strings as RapidJSON escapes them, and values as error messages quote them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from serving.transport.number_format import format_float

SHOWN_BYTES = 256
TYPE_NAMES: dict[type, str] = {dict: "Object", list: "Array", str: "String"}
WORDS = {None: "null", True: "true", False: "false"}
ESCAPES = {code: f"\\u{code:04X}" for code in range(0x20)} | {
    ord(character): f"\\{letter}" for character, letter in zip('"\\\b\f\n\r\t', '"\\bfnrt', strict=True)
}


def quote_string(text: str) -> str:
    r"""Write a JSON string.

    >>> print(quote_string('a "b"\n'))
    "a \"b\"\n"
    """
    return f'"{text.translate(ESCAPES)}"'


def quote(value: Any, limit: int = SHOWN_BYTES) -> str:
    r"""Write a value, nested to any depth, as pretty-printed JSON. Returns the text, cut after ``limit`` characters.

    >>> quote([1, 2.0, None])
    '[\n    1,\n    2.0,\n    null\n]'
    """
    text = ""
    for part in _parts(value):
        text += part
        if len(text) >= limit:
            return text[:limit]
    return text


def type_name(value: Any) -> str:
    """Name the type of a value as RapidJSON does.

    >>> [type_name(value) for value in (None, True, {}, [], "a", 1.5)]
    ['Null', 'True', 'Object', 'Array', 'String', 'Number']
    """
    if value is None or isinstance(value, bool):
        return "Null" if value is None else str(value)
    return next((name for kind, name in TYPE_NAMES.items() if isinstance(value, kind)), "Number")


def _parts(value: Any) -> Iterator[str]:
    """The text in pieces, without recursion; the caller stops when it has enough."""
    rest: list[tuple[Iterator[Any], str, bool]] = []
    pending: Any = value
    while True:
        if isinstance(pending, dict | list) and pending:
            is_object = isinstance(pending, dict)
            members = iter(pending.items()) if isinstance(pending, dict) else iter(pending)
            rest.append((members, "}" if is_object else "]", is_object))
            yield "{" if is_object else "["
            separator = ""
        else:
            yield _scalar(pending)
            separator = ","
        while rest:
            members, close, is_object = rest[-1]
            try:
                pending = next(members)
            except StopIteration:
                rest.pop()
                yield "\n" + "    " * len(rest) + close
                separator = ","
                continue
            yield separator + "\n" + "    " * len(rest)
            if is_object:
                name, pending = pending
                yield quote_string(name) + ": "
            break
        else:
            return


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return quote_string(value)
    if isinstance(value, float):
        return format_float(value)
    if isinstance(value, dict | list):
        return "{}" if isinstance(value, dict) else "[]"
    return WORDS[value] if value is None or isinstance(value, bool) else str(value)
