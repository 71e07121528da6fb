"""Settings of a config that are given as values, written into its text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from monitoring.config.section_text import section_of, with_section
from monitoring.errors import BadInput


def with_settings(text: str, settings: Mapping[str, Any]) -> str:
    r"""A config with other values of some settings; every other line stays.

    >>> print(with_settings("[windows]\nmin_rows = 200\n", {"windows": {"min_rows": 50}, "store": {"url": "s"}}))
    [windows]
    min_rows = 50
    <BLANKLINE>
    [store]
    url = "s"
    <BLANKLINE>

    Args:
        text: A config, each of whose values is on one line.
        settings: By section, values by key; for `notify`, `metric` and `expected` a list of such sections, which are
            added.

    Returns:
        The config's text; whether its values are allowed is not checked.

    Raises:
        BadInput: A value is of a type that TOML does not have, or settings are not by section.
    """
    for name, said in settings.items():
        if isinstance(said, Mapping):
            section = section_of(text, name) or f"[{name}]\n"
            for key, value in said.items():
                section = _with_line(section, key, f"{toml_key(key)} = {_toml(value)}")
            text = with_section(text, name, section)
        elif isinstance(said, Sequence) and all(isinstance(one, Mapping) for one in said):
            blocks = (
                f"\n[[{name}]]\n" + "".join(f"{toml_key(key)} = {_toml(value)}\n" for key, value in one.items())
                for one in said
            )
            text = text.rstrip("\n") + "\n" + "".join(blocks)
        else:
            raise BadInput(
                "Settings are values by section.",
                got=f"{name}={said!r:.60}",
                expected="a section's values by key, as in {'windows': {'min_rows': 50}}",
                fix="Write the section's name, and the key below it.",
            )
    return text


def _with_line(section: str, key: str, line: str) -> str:
    """A section with a line in place of the one of that key, or at its end."""
    known = re.compile(rf"^\s*{re.escape(toml_key(key))}\s*=.*$", re.MULTILINE)
    if known.search(section):
        return known.sub(lambda _: line, section, count=1)
    return f"{section.rstrip()}\n{line}\n"


def toml_key(key: str) -> str:
    """A key as it stands in a file: quoted where it must be."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _toml(key)


def _toml(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, (bool, str, Path)):
        text = json.dumps(str(value) if isinstance(value, Path) else value, ensure_ascii=False)
        return text.replace("\x7f", "\\u007f")  # which JSON does not escape
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, date):  # times too
        return value.isoformat()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{toml_key(key)} = {_toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_toml, value)) + "]"
    raise BadInput(
        "A setting's value cannot be written.",
        got=f"{value!r:.60}, of type {type(value).__name__}",
        expected="text, a number, true or false, a date, or a list of them",
        fix="Write durations as text, such as '14d'.",
    )
