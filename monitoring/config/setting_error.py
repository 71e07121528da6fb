"""How a check of one setting says no: what, got, expected and fix, carried through pydantic to the message."""

from __future__ import annotations

import json

from pydantic_core import PydanticCustomError

#: pydantic's name for an error that was raised by `refusal`.
REFUSAL = "refusal"

_LONGEST = 60


def shown(value: object) -> str:
    """A value as it would stand in the file, cut to a line's worth.

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


def refusal(what: str, *, got: object, expected: str, fix: str) -> PydanticCustomError:
    """The error that a validator raises; `got` is shown as it would stand in the file."""
    return PydanticCustomError(REFUSAL, "{what}", {"what": what, "got": shown(got), "expected": expected, "fix": fix})
