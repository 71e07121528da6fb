"""JSON as TensorFlow Serving's parser reads it, for bodies that the fast parsers refuse.

Differs from RFC 8259 as RapidJSON does with its NaN flag: ``NaN``, ``Inf`` and ``Infinity`` are numbers, of two equal
keys the first counts, what follows the first value is ignored, there is no limit to nesting, and bytes that are not
UTF-8 are accepted (they become surrogate escapes). Errors carry RapidJSON's text and offset. About 1 µs a token.
"""

from __future__ import annotations

import math
import re
from typing import Any, NoReturn

SPACE = re.compile(rb"[ \t\n\r]*")
NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)")
FRACTION = re.compile(rb"\.([0-9]*)")
EXPONENT = re.compile(rb"[eE][+-]?([0-9]*)")
SPECIAL = re.compile(rb"(-?)(NaN|Inf(?:inity)?)")
PLAIN = re.compile(rb'[^"\\\x00-\x1f]*')
HEX = re.compile(rb"[0-9a-fA-F]{4}")
WORDS: dict[int | None, tuple[bytes, bool | None]] = {
    ord("t"): (b"true", True),
    ord("f"): (b"false", False),
    ord("n"): (b"null", None),
}
ESCAPES = {b'"': '"', b"\\": "\\", b"/": "/", b"b": "\b", b"f": "\f", b"n": "\n", b"r": "\r", b"t": "\t"}
OPEN_OBJECT, OPEN_LIST, CLOSE_OBJECT, CLOSE_LIST, QUOTE, COMMA, COLON = b'{[}]",:'


class JsonSyntaxError(ValueError):
    """A body is not JSON; the message is RapidJSON's."""

    def __init__(self, text: str, offset: int) -> None:
        super().__init__(f"{text} at offset: {offset}")


def parse(body: bytes) -> Any:
    """Parse the first value of a body.

    >>> parse(b'{"a": [NaN, 1e2], "a": 0} and more')
    {'a': [nan, 100.0]}
    >>> parse(b"instances = [1]")
    Traceback (most recent call last):
    serving.transport.json_grammar.JsonSyntaxError: Invalid value. at offset: 0

    Args:
        body: What follows the first value is ignored.

    Returns:
        A dict, list, str, int, float, bool or None. An integer beyond 64 bits is a float.

    Raises:
        JsonSyntaxError: With RapidJSON's text and the offset in bytes.
    """
    return _Reader(body.split(b"\0", 1)[0]).read()


class _Reader:
    """A cursor over the text, and the containers that are open at it."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.at = 3 if text.startswith(b"\xef\xbb\xbf") else 0
        self.open: list[dict[str, Any] | list[Any]] = []
        self.keys: list[str] = []

    def read(self) -> Any:
        if self.peek() is None:
            self.fail("The document is empty.")
        while True:
            if self.descend():
                continue
            value = self.leaf()
            while self.open:
                self.place(value)
                if self.another():
                    break
                self.at += 1
                value = self.open.pop()
            else:
                return value

    def descend(self) -> bool:
        """Open the container that begins here; False if none does, or it is empty."""
        byte, start = self.peek(), self.at
        if byte not in {OPEN_OBJECT, OPEN_LIST}:
            return False
        self.at += 1
        if self.peek() == (CLOSE_OBJECT if byte == OPEN_OBJECT else CLOSE_LIST):
            self.at = start
            return False
        self.open.append({} if byte == OPEN_OBJECT else [])
        if byte == OPEN_OBJECT:
            self.key()
        return True

    def leaf(self) -> Any:
        """Read a scalar or an empty container."""
        byte = self.peek()
        if byte not in {OPEN_OBJECT, OPEN_LIST}:
            return self.scalar(byte)
        self.at += 1
        self.peek()
        self.at += 1
        return {} if byte == OPEN_OBJECT else []

    def peek(self) -> int | None:
        """Skip white space; the next byte, or None at the end."""
        match = SPACE.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.text[self.at] if self.at < len(self.text) else None

    def place(self, value: Any) -> None:
        """Put a value into the innermost open container."""
        container = self.open[-1]
        if isinstance(container, list):
            container.append(value)
        else:
            container.setdefault(self.keys.pop(), value)

    def another(self) -> bool:
        """Whether the innermost container has another value; False leaves the cursor on its closing bracket."""
        byte = self.peek()
        in_list = isinstance(self.open[-1], list)
        if byte == COMMA:
            self.at += 1
            if not in_list:
                self.key()
            return True
        if byte != (CLOSE_LIST if in_list else CLOSE_OBJECT):
            self.fail(
                "Missing a comma or ] after an array element."
                if in_list
                else "Missing a comma or } after an object member."
            )
        return False

    def key(self) -> None:
        """Read a name and its colon."""
        if self.peek() != QUOTE:
            self.fail("Missing a name for object member.")
        self.keys.append(self.string())
        if self.peek() != COLON:
            self.fail("Missing a colon after a name of object member.")
        self.at += 1

    def scalar(self, byte: int | None) -> str | int | float | bool | None:
        if byte == QUOTE:
            return self.string()
        if byte in WORDS:
            word, value = WORDS[byte]
            for letter in word:
                if self.text[self.at : self.at + 1] != bytes((letter,)):
                    self.fail("Invalid value.")
                self.at += 1
            return value
        return self.number()

    def number(self) -> int | float:
        start = self.at
        match = NUMBER.match(self.text, start)
        if match is None:
            special = SPECIAL.match(self.text, start)
            if special is None:
                self.at += self.text[start : start + 1] == b"-"
                self.fail("Invalid value.")
            self.at = special.end()
            value = math.nan if special[2] == b"NaN" else math.inf
            return -value if special[1] else value
        self.at = match.end()
        is_whole = True
        for part, name in ((FRACTION, "fraction part"), (EXPONENT, "exponent")):
            found = part.match(self.text, self.at)
            if found is not None:
                is_whole = False
                self.at = found.end()
                if not found[1]:
                    self.fail(f"Miss {name} in number.")
        written = self.text[start : self.at]
        if is_whole and len(written) <= 20:
            whole = int(written)
            if -(2**63) <= whole < 2**64:
                return whole
        real = float(written)
        if math.isinf(real):
            self.at = start
            self.fail("Number too big to be stored in double.")
        return real

    def string(self) -> str:
        self.at += 1
        parts: list[str] = []
        while True:
            match = PLAIN.match(self.text, self.at)
            if match and match.end() > self.at:
                parts.append(match[0].decode("utf-8", "surrogateescape"))
                self.at = match.end()
            byte = self.text[self.at : self.at + 1]
            if byte == b'"':
                self.at += 1
                return "".join(parts)
            if byte != b"\\":
                self.fail("Invalid encoding in string." if byte else "Missing a closing quotation mark in string.")
            parts.append(self.escape())

    def escape(self) -> str:
        start = self.at
        letter = self.text[start + 1 : start + 2]
        self.at += 2
        if letter in ESCAPES:
            return ESCAPES[letter]
        if letter != b"u":
            self.at = start
            self.fail("Invalid escape character in string.")
        point = self.hexadecimal(start)
        if 0xD800 <= point <= 0xDFFF:
            followed = point <= 0xDBFF and self.text[self.at : self.at + 2] == b"\\u"
            self.at += 2
            second = self.hexadecimal(start) if followed else 0
            if not 0xDC00 <= second <= 0xDFFF:
                self.at = start
                self.fail("The surrogate pair in string is invalid.")
            point = 0x10000 + ((point - 0xD800) << 10) + (second - 0xDC00)
        return chr(point)

    def hexadecimal(self, start: int) -> int:
        match = HEX.match(self.text, self.at)
        if match is None:
            self.at = start
            self.fail("Incorrect hex digit after \\u escape in string.")
        self.at = match.end()
        return int(match[0], 16)

    def fail(self, text: str) -> NoReturn:
        raise JsonSyntaxError(text, self.at)
