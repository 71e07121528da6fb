"""A config's text with other settings or another section; every other line and comment stays as it was written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import tomlkit
from tomlkit.exceptions import ConvertError, TOMLKitError
from tomlkit.items import Comment, Item, Key, Table, Whitespace

from monitoring.config.toml_values import reject_value
from monitoring.errors import BadInput


def with_settings(text: str, settings: Mapping[str, Any]) -> str:
    r"""A config with other values of some settings.

    >>> print(with_settings("[windows]\nmin_rows = 200\n", {"windows": {"min_rows": 50}, "store": {"url": "s"}}))
    [windows]
    min_rows = 50
    <BLANKLINE>
    [store]
    url = "s"
    <BLANKLINE>

    Args:
        settings: By section, values by key; for `notify`, `metric`, `rule` and `expected` a list of such sections,
            which are added.
    """
    for name, values in settings.items():
        if isinstance(values, Mapping):
            text = with_section(text, name, _section(section_of(text, name), name, values))
        elif isinstance(values, Sequence) and all(isinstance(table, Mapping) for table in values):
            blocks = [f"\n[{_section('', name, table).replace(f'[{name}]', f'[{name}]]', 1)}" for table in values]
            text = text.rstrip("\n") + "\n" + "".join(blocks)
        else:
            raise BadInput(
                "Settings are values by section.",
                got=f"{name}={values!r:.60}",
                expected="a section's values by key, as in {'windows': {'min_rows': 50}}",
                fix="Write the section's name, and the key below it.",
            )
    return text


def section_of(text: str, name: str) -> str:
    r"""The lines of a section, its header first; empty where there is none.

    >>> section_of('[model]\nbundle = "m"\n\n[store]\nurl = "s"\n', "store")
    '[store]\nurl = "s"\n'
    """
    table = _parsed(text, name).get(name)
    if not isinstance(table, Table):
        return ""
    _cut_end(table)
    return tomlkit.dumps(tomlkit.document().append(name, table)).lstrip("\n")


def with_section(text: str, name: str, section: str) -> str:
    r"""A config with a section in the place of the one of that name, or at its end.

    >>> with_section('[model]\nbundle = "m"\n', "baseline", "[baseline]\nversion = 2\n")
    '[model]\nbundle = "m"\n\n[baseline]\nversion = 2\n'
    >>> with_section('[model]\nbundle = "m"\n\n[baseline]\nversion = 2\n', "baseline", "")
    '[model]\nbundle = "m"\n'

    Args:
        section: Its lines, the header first; empty: the section is removed.
    """
    document = _parsed(text, name)
    former = document.get(name)
    if former is None:
        return f"{text.rstrip()}\n\n{section}".lstrip("\n") if section else text
    if not isinstance(former, Table) or former.is_super_table():
        _reject(name)
    end = _cut_end(former)
    place = next(place for place, (key, _) in enumerate(document.body) if key is not None and key.key == name)
    following: Item | None = None
    if section:
        following = tomlkit.parse(section)[name]
        assert isinstance(following, Table)  # noqa: S101 - for the type checker: a section is one
        document.body[place] = (document.body[place][0], following)
    else:
        del document.body[place]
        if place:
            following = document.body[place - 1][1]
        if isinstance(following, Table):
            _cut_end(following)
    if isinstance(following, Table):
        following.value.body.extend(end)
    else:
        document.body[:0] = end
    return tomlkit.dumps(document)


def _parsed(text: str, name: str) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(text)
    except TOMLKitError as error:
        _reject(name, error)


def _reject(name: str, cause: Exception | None = None) -> NoReturn:
    raise BadInput(
        f"The [{name}] section of the config cannot be replaced.",
        got="one that is not lines below a header of its own",
        expected=f"[{name}], and a line for each key",
        fix="Write it so, or remove it.",
    ) from cause


def _section(text: str, name: str, values: Mapping[str, Any]) -> str:
    """The text of a section with other values of some of its keys."""
    document = tomlkit.parse(text or f"[{name}]\n")
    table = document[name]
    assert isinstance(table, Table)  # noqa: S101 - for the type checker: a section is one
    for key, value in values.items():
        try:
            table[key] = tomlkit.item(_plain(value))
        except ConvertError as error:
            reject_value(value, error)
    return tomlkit.dumps(document)


def _plain(value: Any) -> Any:
    """A value with paths as text, and tables within it on one line."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        table = tomlkit.inline_table()
        table.update({key: _plain(item) for key, item in value.items()})
        return table
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def _cut_end(table: Table) -> list[tuple[Key | None, Item]]:
    """Take the comments and blank lines at the end of a section off it: they belong to what follows."""
    body = table.value.body
    end: list[tuple[Key | None, Item]] = []
    while body and isinstance(body[-1][1], (Comment, Whitespace)):
        end.insert(0, body.pop())
    return end
