"""Keys and values as they stand in a TOML file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

from monitoring.errors import BadInput


def toml_key(name: str) -> str:
    """A key as it stands in a file: quoted where it must be."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else toml_value(name)


def toml_value(value: Any) -> str:
    """A value as it stands in a file, in one line.

    >>> toml_value({"scores": ("p_a", "p_b"), "label": "was"})
    '{ scores = ["p_a", "p_b"], label = "was" }'
    """
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{toml_key(name)} = {toml_value(part)}' for name, part in value.items())} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str | Path):  # as in JSON, and one more escaped character
        return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    if not isinstance(value, bool | int | float):
        reject_value(value)
    return json.dumps(value)


def reject_value(value: object, cause: Exception | None = None) -> NoReturn:
    """Refuse a value that TOML does not have."""
    raise BadInput(
        "A setting's value cannot be written.",
        got=f"{value!r:.60}, of type {type(value).__name__}",
        expected="text, a number, true or false, a date, or a list of them",
        fix="Write durations as text, such as '14d'.",
    ) from cause
