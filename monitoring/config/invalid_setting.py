"""The error of one invalid setting: what, got, expected and fix, carried through pydantic to the message."""

from __future__ import annotations

import json
from typing import NoReturn

from pydantic_core import PydanticCustomError

#: pydantic's type of an error that `reject_setting` raised.
INVALID_SETTING = "invalid_setting"

_LONGEST = 60


def shown(value: object) -> str:
    """Show a value as it would stand in the file, cut to the length of a line.

    >>> shown("a day"), shown(True), shown(0.5)
    ('"a day"', 'true', '0.5')
    """
    if value is None:
        text = "nothing"
    elif isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)
    elif isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, dict):
        text = "a table"
    elif isinstance(value, (list, tuple)):
        text = f"[{', '.join(shown(item) for item in value[:10])}]"
    else:
        text = str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def reject_setting(what: str, *, got: object, expected: str, fix: str) -> NoReturn:
    """Refuse a setting, in a validator."""
    raise PydanticCustomError(
        INVALID_SETTING, "{what}", {"what": what, "got": shown(got), "expected": expected, "fix": fix}
    )
