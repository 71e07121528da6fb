"""The errors of a config, one line each: where, what, got, expected, fix."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from monitoring.config.invalid_setting import INVALID_SETTING, shown
from monitoring.config.routes import ROUTES, known_routes, section_of_route
from monitoring.config.section import Section
from monitoring.config.sections import SECTIONS

#: pydantic's error types for which one phrase is enough. The rest carry their bounds or their choices.
_EXPECTED = {
    "string_type": "text in quotes",
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "date_type": "a date without quotes, such as 2026-11-27",
    "tuple_type": 'a list of texts, such as ["a", "b"]',
}
_HEADS = {name: f"[[{name}]]" for name in ("action", "expected", "metric", "notify", "rule")}
_ONE_EACH = {"action": "action", "expected": "event", "metric": "metric", "notify": "route", "rule": "rule"}
_BOUNDS = {"greater_than_equal": ("ge", "at least"), "less_than_equal": ("le", "at most")}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigProblem:
    """One error at one place of the file."""

    line: int
    place: str
    what: str
    got: str
    expected: str
    fix: str

    def __str__(self) -> str:
        return self.at(f"line {self.line}, {self.place}" if self.place else f"line {self.line}")

    def at(self, where: str) -> str:
        """The line of a message that begins with another name of the place."""
        return f"{where}: {self.what} Got {self.got}; expected {self.expected}. {self.fix}"


def problems_of(error: ValidationError, lines: Mapping[KeyPath, int], last_line: int) -> tuple[ConfigProblem, ...]:
    """Translate the errors that pydantic found. Returns the problems in the order of the file."""
    problems = []
    for detail in error.errors(include_url=False):
        place: KeyPath = detail["loc"]
        section = _section(place)
        if place[0] == "notify":  # pydantic puts the route's name between the section and its key
            place = (*place[:2], *place[3:])
        line = line_of(place, lines)
        problems.append(_problem(detail, place, section, last_line if line is None else line))
    return tuple(sorted(problems, key=lambda problem: problem.line))


def _section(place: KeyPath) -> type[Section] | None:
    """The kind of section that a place, as pydantic has it, lies in; None if there is none of that name."""
    if place[0] == "notify" and len(place) > 2:
        return section_of_route(str(place[2]))
    nested = ".".join(map(str, place[:2]))
    return SECTIONS[nested] if len(place) > 2 and nested in SECTIONS else SECTIONS.get(str(place[0]))


def _problem(detail: ErrorDetails, place: KeyPath, section: type[Section] | None, line: int) -> ConfigProblem:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == INVALID_SETTING:
        what, got, expected, fix = (str(context[part]) for part in ("what", "got", "expected", "fix"))
    elif kind == "extra_forbidden":
        what, got, expected, fix = _unknown(place, section)
    elif kind == "missing":
        what, got = "missing.", "nothing"
        expected, fix = (
            ("this section", f"Add [{place[0]}].") if len(place) == 1 else ("a value", _example(place, section))
        )
    elif kind == "union_tag_invalid":
        place = (*place, "route")
        what, got, expected = "unknown route.", shown(context["tag"]), f"one of: {', '.join(known_routes())}"
        fix = _did_you_mean(str(context["tag"]), list(known_routes())) or 'Write, for example, route = "slack".'
    else:
        what, got = "invalid value.", shown(detail["input"])
        expected, fix = _expected(kind, place, context, detail["msg"]), _example(place, section)
    return ConfigProblem(line=line, place=_named(place), what=what, got=got, expected=expected, fix=fix)


def _expected(kind: str, place: KeyPath, context: Mapping[str, Any], message: str) -> str:
    if len(place) == 1 and place[0] in _ONE_EACH:
        return f"a section of its own for each {_ONE_EACH[str(place[0])]}, headed {_HEADS[str(place[0])]}"
    if kind == "model_type" and place[0] == "columns":
        return "the column's keys in braces"
    if kind in {"model_type", "dict_type"}:
        return f"a section, headed [{place[0]}]"
    if kind in _BOUNDS:
        bound, phrase = _BOUNDS[kind]
        return f"{phrase} {context[bound]}"
    if kind == "literal_error":
        return str(context["expected"])
    return _EXPECTED.get(kind, message)


def _did_you_mean(name: str, choices: list[str]) -> str:
    near = difflib.get_close_matches(name, choices, n=1)
    return f"Did you mean {near[0]}?" if near else ""


def _unknown(place: KeyPath, section: type[Section] | None) -> tuple[str, str, str, str]:
    """What, got, expected and fix for a section or key that does not exist."""
    name = _key(place[-1])
    if len(place) == 1:
        choices, kind = sorted(SECTIONS), "section"
    else:
        choices, kind = sorted(section.model_fields if section else ()), "key"
    owners = [owner for owner, fields in SECTIONS.items() if name in fields.model_fields]
    routes = [route for route, fields in ROUTES.items() if name in fields.model_fields and place[0] == "notify"]
    fix = _did_you_mean(name, choices)
    if not fix and routes:
        fix = f"It is a key of the route {' or '.join(routes)}."
    elif not fix:
        fix = f"It belongs in {_HEADS.get(owners[0], f'[{owners[0]}]')}." if len(owners) == 1 else "Remove it."
    return f"unknown {kind}.", name, f"one of: {', '.join(choices)}", fix


def _example(place: KeyPath, section: type[Section] | None) -> str:
    names = [part for part in place if isinstance(part, str)]
    if names[0] == "columns" and len(names) == 2:
        return f'Write, for example, {_key(names[1])} = {{ kind = "number" }}.'
    names = [*names[:1], *names[2:]] if names[0] == "columns" else names
    names = names[1:] if len(names) > 2 and ".".join(names[:2]) in SECTIONS else names
    if len(names) < 2 or section is None:
        return f"Head it with {_HEADS.get(names[0], f'[{names[0]}]')}."
    examples = section.model_fields[names[1]].examples or ["…"]
    return f"Write, for example, {names[1]} = {shown(examples[0])}."


def _named(place: KeyPath) -> str:
    """A place in words, with items counted from 1: ``[windows] every``, ``[[notify]] 2 webhook``."""
    words = [_HEADS.get(str(place[0]), f"[{_key(place[0])}]")]
    words.extend(str(part + 1) if isinstance(part, int) else _key(part) for part in place[1:])
    return " ".join(words)


def _key(part: str | int) -> str:
    """A key as it stands in the file: quoted where it must be."""
    return str(part) if re.fullmatch(r"[A-Za-z0-9_-]{1,60}", str(part)) else shown(part)


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
