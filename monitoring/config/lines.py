"""On which line of a TOML text each section and key stands, which `tomllib` does not say."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import TypeAlias

Place: TypeAlias = tuple[str | int, ...]

_KEY = r"""(?:"(?:\\.|[^"\\\n])*"|'[^'\n]*'|[A-Za-z0-9_-]+)"""
_PART = re.compile(_KEY)
_DOTTED = rf"{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*"
_STATEMENT = re.compile(
    rf"""[ \t]*(?:
        \[\[[ \t]*(?P<array>{_DOTTED})[ \t]*\]\]
        | \[[ \t]*(?P<table>{_DOTTED})[ \t]*\]
        | (?P<key>{_DOTTED})[ \t]*=
    )""",
    re.VERBOSE,
)
_TOKEN = re.compile(
    r'''"""(?:\\.|[^\\])*?"""(?!")|\'\'\'.*?\'\'\'(?!')|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|\#[^\n]*|[\[{]|[\]}]|\n''',
    re.DOTALL,
)


def line_numbers(text: str) -> dict[Place, int]:
    r"""The line, from 1, of each section header and key of a valid TOML text.

    The n-th ``[[notify]]`` and its keys stand at ``("notify", n - 1, ...)``. What is inside an inline table or an array
    has no line of its own: see `line_of`. Cost: linear in the text.

    >>> line_numbers('[windows]\nevery = "1d"\n[[notify]]\nlevel = "page"\n')[("notify", 0, "level")]
    4
    """
    lines: dict[Place, int] = {}
    counts: dict[Place, int] = {}
    section: Place = ()
    start, line = 0, 1
    while start < len(text):
        statement = _STATEMENT.match(text, start)
        if statement is None:
            place: Place | None = None
        elif statement["array"]:
            name = _place(statement["array"])
            counts[name] = counts.get(name, -1) + 1
            place = section = (*name, counts[name])
            lines.setdefault(name, line)
        elif statement["table"]:
            place = section = _place(statement["table"])
        else:
            place = (*section, *_place(statement["key"]))
        if place is not None:
            for length in range(1, len(place) + 1):
                lines.setdefault(place[:length], line)
        end = _end_of_statement(text, statement.end() if statement else start)
        line += text.count("\n", start, end)
        start = end
    return lines


def line_of(place: Place, lines: Mapping[Place, int]) -> int | None:
    """The line of a place, or of what it stands in; None if not even its section is in the file."""
    for length in range(len(place), 0, -1):
        if place[:length] in lines:
            return lines[place[:length]]
    return None


def _place(dotted: str) -> Place:
    parts = _PART.findall(dotted)
    return tuple(tomllib.loads(f"x = {part}")["x"] if part[0] in "\"'" else part for part in parts)


def _end_of_statement(text: str, start: int) -> int:
    """Where the next statement begins: after the first line end outside of strings and brackets."""
    depth = 0
    for token in _TOKEN.finditer(text, start):
        if token[0] in {"[", "{"}:
            depth += 1
        elif token[0] in {"]", "}"}:
            depth -= 1
        elif token[0] == "\n" and depth <= 0:
            return token.end()
    return len(text)
