"""Tables of the reference that are made while the site is built: flags from click, settings from the config's records.

Two directives. Their body has a line for an entry only where there is more to say than the program does::

    :::{flags} pitfalls compare
    - `--better` [as known]: `larger` or `smaller`
    :::

    :::{settings} windows
    - `every`: length of a window
    :::

A name that does not exist, a verb that does not exist, and a setting without a line fail the build.
"""

from __future__ import annotations

import json
import re
import typing
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo
from sphinx.util.docutils import SphinxDirective

from monitoring.config.routes import RouteSection, section_of_route
from monitoring.config.sections import SECTIONS
from pitfalls_tf.cli import pitfalls
from pitfalls_tf.cli.group import LazyGroup

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sphinx.application import Sphinx

ENTRY = re.compile(r"^- `([\w.-]+)`(?: \[(.*?)\])?: (.+)$")
FLAG = re.compile(r"(?<!\S)(--[a-z][\w-]*)")
HELP_DEFAULT = re.compile(r"\s*\[default: (.*)\]$")
KINDS = {
    bool: "true or false",
    int: "whole number",
    float: "number",
    str: "text",
    Path: "path",
    timedelta: "duration",
    datetime: "time",
    date: "day",
    tuple: "list",
    dict: "table",
}


class Entry(NamedTuple):
    """What a page says about a flag or a key beside what is generated."""

    default: str | None
    text: str


def entries(lines: Sequence[str]) -> dict[str, Entry]:
    """The entries in the body of a directive, by name.

    Raises:
        ValueError: A line is not an entry, or a name has two.

    >>> entries(["- `--better` [as known]: which way"])
    {'--better': Entry(default='as known', text='which way')}
    """
    result: dict[str, Entry] = {}
    for line in filter(None, map(str.strip, lines)):
        match = ENTRY.match(line)
        if match is None or match[1] in result:
            raise ValueError(f"a line is not an entry, or its name has two: {line[:60]}")
        result[match[1]] = Entry(match[2], match[3])
    return result


def verbs(group: LazyGroup = pitfalls, path: str = "pitfalls") -> Iterator[tuple[str, click.Command]]:
    """Every verb that does something, by its full name."""
    context = click.Context(group)
    for name in group.verbs:
        command = group.get_command(context, name)
        if isinstance(command, LazyGroup):
            yield from verbs(command, f"{path} {name}")
        elif command is not None:
            yield f"{path} {name}", command


def options(command: click.Command) -> dict[str, click.Option]:
    """The options that a verb shows in its help, by their first long name."""
    shown = [option for option in command.params if isinstance(option, click.Option) and not option.hidden]
    return {next(name for name in option.opts if name.startswith("--")): option for option in shown}


def flag_rows(verb: str, details: dict[str, Entry]) -> list[tuple[str, str, str]]:
    """Flag, default and description of each option of a verb.

    Raises:
        ValueError: There is no such verb, or `details` name a flag that it does not have.
    """
    command = dict(verbs()).get(verb)
    if command is None:
        raise ValueError(f"there is no verb {verb}")
    flags = options(command)
    if unknown := sorted(set(details) - set(flags)):
        raise ValueError(f"{verb} has no {', '.join(unknown)}")
    context = click.Context(command)
    rows = []
    for name, option in flags.items():
        entry = details.get(name, Entry(None, FLAG.sub(r"`\1`", HELP_DEFAULT.sub("", option.help or ""))))
        value = "" if option.is_flag or option.count else f" {option.make_metavar(context)}"
        spelled = f"`{' / '.join((name, *option.secondary_opts))}{value}`"
        default = flag_default(option) if entry.default is None else entry.default
        rows.append((spelled, default, sentence(entry.text)))
    return rows


def sentence(text: str) -> str:
    """A description as the tables have them: a capital letter first, and no full stop behind the last word.

    >>> sentence("port; 0 for a free one.")
    'Port; 0 for a free one'
    """
    return text[:1].upper() + text[1:].strip().removesuffix(".")


def flag_default(option: click.Option) -> str:
    """The default of a flag as its help shows it; empty where it has none."""
    if option.required:
        return "required"
    stated = HELP_DEFAULT.search(option.help or "")
    if stated:
        return stated[1]
    if isinstance(option.show_default, str):
        return option.show_default
    default = option.default
    if option.is_flag:
        return "on" if default is True else ""
    if isinstance(default, list | tuple):
        return f"`{' '.join(map(str, default))}`" if default else ""
    absent = default is None or callable(default) or type(default).__name__ == "Sentinel" or default == ""
    return "" if absent else f"`{default}`"


def setting_rows(name: str, details: dict[str, Entry]) -> list[tuple[str, str, str, str]]:
    """Key, values, default and description of each setting of a section, or of a route: `notify.mail`.

    A route that is not built in is a plug-in's.

    Raises:
        ValueError: There is no such section, or the settings are not those of `details`.
    """
    kind, _, route = name.partition(".")
    section = section_of_route(route) if kind == "notify" and route else SECTIONS.get(name)
    if section is None:
        raise ValueError(f"there is no section {name}")
    fields = {
        key: field
        for key, field in section.model_fields.items()
        if not (kind == "notify" and route) or key not in RouteSection.model_fields
    }
    if set(fields) != set(details):
        different = ", ".join(sorted(set(fields) ^ set(details)))
        raise ValueError(f"[{name}] and its entries differ in {different}")
    return [
        (f"`{key}`", values_of(field.annotation, field.metadata), setting_default(field), sentence(details[key].text))
        for key, field in fields.items()
    ]


def setting_default(field: FieldInfo) -> str:
    """The default as TOML has it; of a setting without one an example."""
    if field.is_required() or field.default is None:
        word = "required" if field.is_required() else "none"
        return f"{word}, e.g. `{toml(field.examples[0])}`" if field.examples else word
    return f"`{toml(field.default)}`"


def toml(value: Any) -> str:
    """A value as a config has it, in one line.

    >>> toml(timedelta(hours=6)), toml((("a", 1.5),)), toml({"a": True})
    ('"6h"', '[["a", 1.5]]', '{ a = true }')
    """
    if isinstance(value, timedelta):
        seconds = int(value.total_seconds())
        unit, size = next((unit, size) for unit, size in _UNITS if not seconds % size)
        return f'"{seconds // size}{unit}"'
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, dict):
        inside = ", ".join(f"{key} = {toml(part)}" for key, part in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    return json.dumps(str(value) if isinstance(value, Path) else value, ensure_ascii=False)


_LIMITS = ((Ge, "ge", ">="), (Gt, "gt", ">"), (Le, "le", "<="), (Lt, "lt", "<"))
_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def values_of(annotation: Any, metadata: Sequence[Any] = ()) -> str:
    """What a setting may be, in words.

    >>> values_of(float, [Gt(0.0), Lt(1.0)])
    'number > 0, < 1'
    >>> values_of(typing.Literal["page", "notice"])
    '`"page"`, `"notice"`'
    """
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        bounds: list[Any] = []
        for extra in inner[1:]:
            bounds += extra.metadata if isinstance(extra, FieldInfo) else [extra]
        return values_of(inner[0], [*bounds, *metadata])
    if origin is typing.Literal:
        return ", ".join(f"`{toml(value)}`" for value in inner)
    if origin is typing.Union or type(annotation).__name__ == "UnionType":
        return " or ".join(dict.fromkeys(values_of(part, metadata) for part in inner if part is not type(None)))
    if origin is tuple:
        of_choices = typing.get_origin(inner[0]) is typing.Literal
        return f"list of {values_of(inner[0])}" if of_choices else "list"
    word = KINDS.get(origin or annotation, "section")
    limits = [
        f"{sign} {getattr(bound, limit):,.12g}"
        for bound in metadata
        for kind, limit, sign in _LIMITS
        if isinstance(bound, kind)
    ]
    return " ".join([word, ", ".join(limits)]) if limits else word


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; bars in cells are escaped."""
    lines = [heads, ["---"] * len(heads), *([cell.replace("|", r"\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


class FlagsTable(SphinxDirective):
    """`flags`: the flags of a verb."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self) -> list[Any]:
        """The table, as nodes."""
        try:
            rows = flag_rows(self.arguments[0], entries(list(self.content)))
        except ValueError as error:
            raise self.error(str(error)) from error
        return self.parse_text_to_nodes(table(("flag", "default", ""), rows))


class SettingsTable(SphinxDirective):
    """`settings`: the settings of a section of the config."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[Any]:
        """The table, as nodes."""
        try:
            rows = setting_rows(self.arguments[0], entries(list(self.content)))
        except ValueError as error:
            raise self.error(str(error)) from error
        return self.parse_text_to_nodes(table(("key", "values", "default", ""), rows))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives with Sphinx."""
    app.add_directive("flags", FlagsTable)
    app.add_directive("settings", SettingsTable)
    return {"parallel_read_safe": True}
