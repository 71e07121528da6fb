"""Groups of options that a verb receives as one record."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

VerbFunction = Callable[..., int | None]
Option = Callable[[VerbFunction], VerbFunction]


def option_group(argument: str, record: type, options: Sequence[Option]) -> Callable[[VerbFunction], VerbFunction]:
    """Decorator: add options to a verb, and pass it their values as one record.

    Groups can be stacked, so that each group of flags has its own file and the verb's signature stays short.

    Args:
        record: dataclass with one field per option, named like the option.

    Returns:
        The decorator.
    """
    names = [field.name for field in fields(record)]

    def decorator(verb: VerbFunction) -> VerbFunction:
        @functools.wraps(verb)
        def with_record(*arguments: Any, **options: Any) -> int | None:
            values = {name: options.pop(name) for name in names}
            return verb(*arguments, **{argument: record(**values)}, **options)

        decorated: VerbFunction = with_record
        for option in reversed(options):
            decorated = option(decorated)
        return decorated

    return decorator
