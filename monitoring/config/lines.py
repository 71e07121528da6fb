"""The line of each section and key of a TOML text, which `tomllib` does not report."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import TypeAlias

KeyPath: TypeAlias = tuple[str | int, ...]

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


def line_numbers(text: str) -> dict[KeyPath, int]:
    r"""Find the line of each section header and key of a valid TOML text.

    Cost: linear in the text.

    Returns:
        Lines, from 1, by key path; the n-th ``[[notify]]`` and its keys are at ``("notify", n - 1, ...)``. What is
        inside an inline table or an array has no line of its own: see `line_of`.

    >>> line_numbers('[windows]\nevery = "1d"\n[[notify]]\nlevel = "page"\n')[("notify", 0, "level")]
    4
    """
    lines: dict[KeyPath, int] = {}
    counts: dict[KeyPath, int] = {}
    section: KeyPath = ()
    start, line = 0, 1
    while start < len(text):
        statement = _STATEMENT.match(text, start)
        if statement is None:
            place: KeyPath | None = None
        elif statement["array"]:
            name = _key_path(statement["array"])
            counts[name] = counts.get(name, -1) + 1
            place = section = (*name, counts[name])
            lines.setdefault(name, line)
        elif statement["table"]:
            place = section = _key_path(statement["table"])
        else:
            place = (*section, *_key_path(statement["key"]))
        if place is not None:
            for length in range(1, len(place) + 1):
                lines.setdefault(place[:length], line)
        end = _end_of_statement(text, statement.end() if statement else start)
        line += text.count("\n", start, end)
        start = end
    return lines


def line_of(path: KeyPath, lines: Mapping[KeyPath, int]) -> int | None:
    """The line of a key, or of the nearest section around it; None if not even the section is in the file."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


def _key_path(dotted: str) -> KeyPath:
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
