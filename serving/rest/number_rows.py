"""Bodies with rows of numbers only, read without a list for every bracket: images, sequences, tables.

Nested lists cost more than their numbers: a 16 by 16 image of one channel is 256 numbers in 273 lists, each of which is
allocated by the parser, visited to find the shape, and freed. Here the shape is read from the brackets alone, and the
numbers are parsed as one flat list. Any other body is left to the general parsers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, final

import orjson

from serving.transport.json_parsing import parse_object

HEAD = re.compile(
    rb"""
    [ ]* \{ [ ]* (?: "signature_name" [ ]* : [ ]* "(\w*)" [ ]* , [ ]* )? "instances" [ ]* :
    """.replace(b"[ ]", rb"[ \t\n\r]"),
    re.VERBOSE | re.ASCII,
)
SPACE = b" \t\n\r"
DIGIT = b"0"
# The characters of numbers as one letter; brackets as spaces.
AS_DIGITS = bytes.maketrans(b"123456789.eE+-", DIGIT * 14)
WITHOUT_BRACKETS = bytes.maketrans(b"[]", b"  ")
# Between two commas there are brackets that open, a number, and brackets that close, in this order exactly if the
# number is nowhere missing. Numbers outside of their brackets leave one of these.
EMPTY = (b"[]", b"[,", b",]")
# This reader is faster than the general parser where lists are short: where at least MIN_LISTS brackets open within the
# first HEAD_BYTES.
HEAD_BYTES, MIN_LISTS = 256, 8
MAX_RANK = 32
#: Shapes of longer bracket texts are not cached.
CACHED_BYTES = 8192


@final
class NumberRows:
    """The rows of one request: their numbers in row-major order, and their shape, the rows its first dimension."""

    __slots__ = ("_body", "numbers", "shape", "signature")

    def __init__(self, body: bytes, signature: str, numbers: list[Any], shape: tuple[int, ...]) -> None:
        self._body = body
        self.signature = signature
        """The signature's name in the request; empty if there is none."""
        self.numbers = numbers
        self.shape = shape

    def __len__(self) -> int:
        return self.shape[0]

    def as_lists(self) -> Sequence[Any]:
        """The rows as the general parser gives them."""
        rows: Sequence[Any] = parse_object(self._body)["instances"]
        return rows


def as_lists(rows: Sequence[Any] | NumberRows) -> Sequence[Any]:
    """Rows as nested lists."""
    return rows.as_lists() if isinstance(rows, NumberRows) else rows


def has_many_lists(body: bytes) -> bool:
    """Check whether `read_number_rows` can be faster than the general parser.

    >>> (
    ...     has_many_lists(b'{"instances": [[[1], [2], [3], [4], [5], [6]]]}'),
    ...     has_many_lists(b'{"instances": [[1, 2, 3, 4]]}'),
    ... )
    (True, False)
    """
    return body.count(b"[", 0, HEAD_BYTES) >= MIN_LISTS


def read_number_rows(body: bytes) -> NumberRows | None:
    """Read a body ``{"instances": numbers}``, with or without a ``signature_name`` before them.

    Cost: about 3 µs and 40 ns a number, on an idle machine.

    >>> rows = read_number_rows(b'{"instances": [[[1, 2.5]], [[3, 4]]]}')
    >>> rows.shape, rows.numbers
    ((2, 1, 2), [1, 2.5, 3, 4])
    >>> read_number_rows(b'{"instances": [[1, 2], [3]]}') is None
    True

    Returns:
        The rows; None for any other body.
    """
    head = HEAD.match(body)
    if head is None:
        return None
    end = len(body) if body[-1:] == b"}" else len(body.rstrip(SPACE))
    text = body[head.end() : end - 1]
    tokens = text.translate(AS_DIGITS, SPACE)
    if body[end - 1 : end] != b"}" or any(empty in tokens for empty in EMPTY):
        return None
    brackets = tokens.translate(None, DIGIT)
    shape = _shape_of(brackets) if len(brackets) <= CACHED_BYTES else shape_of_brackets(brackets)
    numbers = None if shape is None else _flat(text)
    if shape is None or numbers is None or len(numbers) != math.prod(shape):
        return None
    return NumberRows(body, (head[1] or b"").decode(), numbers, shape)


def _flat(text: bytes) -> list[Any] | None:
    """The numbers of a text with one between any two commas; None for any other text."""
    try:
        numbers: list[Any] = orjson.loads(b"[%b]" % text.translate(WITHOUT_BRACKETS))
    except orjson.JSONDecodeError:
        return None
    return numbers


def shape_of_brackets(brackets: bytes) -> tuple[int, ...] | None:
    """Find the shape of nested lists, given their brackets and commas.

    >>> shape_of_brackets(b"[[,,],[,,]]")
    (2, 3)

    Returns:
        The sizes, outermost first; None if the lists are not regular.
    """
    rank = len(brackets) - len(brackets.lstrip(b"["))
    if not 0 < rank <= MAX_RANK:
        return None
    sizes: list[int] = []
    leaves = 1
    for depth in range(1, rank + 1):  # the first list of each depth, from the innermost out
        end = brackets.find(b"]" * depth)
        inside = brackets.count(b",", rank - depth, end) + 1
        sizes.append(inside // leaves)
        leaves = inside
    expected = b""
    for size in sizes:
        if len(expected) * size > len(brackets):
            return None
        expected = b"[%b]" % b",".join([expected] * size)
    return tuple(reversed(sizes)) if expected == brackets else None


_shape_of = lru_cache(maxsize=256)(shape_of_brackets)
