"""Functions of short texts that remember what they found; of long ones they do not, since clients choose them."""

from __future__ import annotations

from functools import lru_cache, update_wrapper
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple, cast

if TYPE_CHECKING:
    from collections.abc import Callable

Given = TypeVarTuple("Given")
Found = TypeVar("Found")

ENTRIES = 1024
LONGEST = 512


def bounded_cache(function: Callable[[*Given], Found]) -> Callable[[*Given], Found]:
    """As `functools.lru_cache`, for a function whose last argument is a text: one of at most 512 is remembered.

    >>> bounded_cache(len)("abc")
    3
    """
    remembered = lru_cache(maxsize=ENTRIES)(function)

    def found(*given: *Given) -> Found:
        text = cast("str | bytes", given[-1])  # type: ignore[misc]  # the last of at least one
        return (remembered if len(text) <= LONGEST else function)(*given)

    update_wrapper(found, function)
    return found
