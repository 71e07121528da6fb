"""Options that belong together, and reach the verb as one record."""

from __future__ import annotations

import functools
from dataclasses import fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Verb = Callable[..., int | None]
    Option = Callable[[Verb], Verb]


def option_group(argument: str, record: type, options: Sequence[Option]) -> Callable[[Verb], Verb]:
    """Give a verb these options and, as its keyword argument ``argument``, a ``record`` made of their values.

    ``record`` is a dataclass with one field for each option, of the option's name. Above a group and below it may stand
    others: a concern's flags live in a file of their own, and the verb's signature does not grow with them.
    """
    names = [one.name for one in fields(record)]

    def grouped(verb: Verb) -> Verb:
        @functools.wraps(verb)
        def with_record(*arguments: Any, **given: Any) -> int | None:
            values = {name: given.pop(name) for name in names}
            return verb(*arguments, **{argument: record(**values)}, **given)

        whole: Verb = with_record
        for option in reversed(options):
            whole = option(whole)
        return whole

    return grouped
