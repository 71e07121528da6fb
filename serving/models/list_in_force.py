"""The list of models in force, and where the processes of a server keep it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol, final

from serving.models.version_folders import ModelSource
from serving.status import Failure

WaitForOthers = Callable[[], tuple[Failure, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListInForce:
    """Which models are served, and which list it is."""

    generation: int = 1
    """Larger than that of each list that was in force before."""
    sources: tuple[ModelSource, ...] | None = None
    """None: the models that are in the server's folder of models, at any time."""
    last_read: tuple[ModelSource, ...] | None = None
    """What the server's own source said when it was last read. A list that a client sends does not change it."""
    hangups: int = 0
    """How many SIGHUPs have been answered."""
    unloaded: tuple[str, ...] = ()
    """The models of the list that clients have unloaded."""
    switched: str = ""
    """The model that a client has loaded or unloaded, which made this list; empty for a list that replaced another."""


class ListStore(Protocol):
    """Keeps the list in force for all processes of a server."""

    def newest(self) -> ListInForce:
        """The list in force."""

    def exclusive(self) -> AbstractContextManager[None]:
        """While the block runs, no other process changes the list, or begins to serve."""

    def put(self, in_force: ListInForce) -> None:
        """Put a list in force; within `exclusive` only."""

    def hangups(self) -> int:
        """How many SIGHUPs have come."""

    def update_others(self) -> WaitForOthers:
        """Have the other processes that serve take the newest list."""


@final
class OwnListStore:
    """The list of a process that has no others; implements `ListStore`."""

    def __init__(self, first: ListInForce) -> None:
        self._newest = first
        self._lock = threading.Lock()

    def newest(self) -> ListInForce:
        """The list in force."""
        return self._newest

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """One thread at a time."""
        with self._lock:
            yield

    def put(self, in_force: ListInForce) -> None:
        """Put a list in force."""
        self._newest = in_force

    def hangups(self) -> int:
        """One more than have been answered: this is asked only when one has come."""
        return self._newest.hangups + 1

    def update_others(self) -> WaitForOthers:
        """There are none."""
        return tuple
