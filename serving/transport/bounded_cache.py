"""A cache whose memory is bounded although clients choose its keys: long texts are not cached."""

from __future__ import annotations

from functools import lru_cache, update_wrapper
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

if TYPE_CHECKING:
    from collections.abc import Callable

Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")

ENTRIES = 1024
LONGEST = 512


def bounded_cache(function: Callable[[*Arguments], Result]) -> Callable[[*Arguments], Result]:
    """As `functools.lru_cache`, for a function whose last argument is a text: results for long texts are not cached.

    >>> bounded_cache(len)("abc")
    3

    Args:
        function: Its last argument is a str or bytes; texts of at most 512 are cached.

    Returns:
        The cached function.
    """
    cached = lru_cache(maxsize=ENTRIES)(function)

    def call(*arguments: *Arguments) -> Result:
        text: Any = arguments[-1]  # type: ignore[misc]  # the last of at least one
        return (cached if len(text) <= LONGEST else function)(*arguments)

    update_wrapper(call, function)
    return call
