"""One state of a database for all statements of a run."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Self, TypeVar

T = TypeVar("T")


class Snapshot:
    """What a run keeps open so that all of its statements read the same rows: a transaction for each database.

    >>> from contextlib import nullcontext
    >>> with Snapshot() as snapshot:
    ...     snapshot.enter("url", lambda: nullcontext(1)), snapshot.enter("url", lambda: nullcontext(2))
    (1, 1)
    """

    def __init__(self) -> None:
        """Opens nothing yet."""
        self._held = ExitStack()
        self._entered: dict[Hashable, Any] = {}

    def enter(self, key: Hashable, opened: Callable[[], AbstractContextManager[T]]) -> T:
        """What was opened for a key, which is done once and stays until the run ends."""
        if key not in self._entered:
            self._entered[key] = self._held.enter_context(opened())
        entered: T = self._entered[key]
        return entered

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close what was opened."""
        self._entered.clear()
        self._held.close()
