"""The other processes that serve at a server's addresses: none, or the other workers of a supervisor."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, final

from serving.models.list_in_force import OwnListStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from serving.inference_v2.descriptions import MergeStatistics
    from serving.metrics.merge import Statistics
    from serving.models.list_in_force import ListInForce, ListStore
    from serving.models.reloading import Reloader

    MergeMetrics = Callable[[str], Awaitable[str]]
    """Takes a process's own Prometheus page; gives the sum of the pages of all processes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerPages:
    """What a process tells its peers of itself."""

    metrics: Callable[[], str]
    """Gives its own Prometheus page."""
    statistics: Callable[[], Statistics]
    """Gives its own statistics of all versions."""


class PeerWorkers(Protocol):
    """What a server needs of the other processes at its addresses."""

    @property
    def number(self) -> int:
        """Of this process, from 0."""

    @property
    def folder(self) -> Path | None:
        """Where its sockets and those of its peers lie; None without peers."""

    @property
    def is_shared(self) -> bool:
        """Whether other processes listen at the same addresses."""

    @property
    def merge_metrics(self) -> MergeMetrics | None:
        """Adds the peers' metrics to this process's own; None without peers."""

    @property
    def merge_statistics(self) -> MergeStatistics | None:
        """Adds the peers' statistics of versions to this process's own; None without peers."""

    @property
    def store(self) -> ListStore:
        """Where the list of models in force is kept."""

    def joined(
        self, reloader: Reloader, *, pages: PeerPages, stop: Callable[[], None]
    ) -> AbstractAsyncContextManager[None]:
        """Answer the peers while the block runs, which begins when this process has the newest list of models."""


@final
class SingleProcess:
    """A server without peers; implements `PeerWorkers`."""

    number = 0
    folder: Path | None = None
    is_shared = False
    merge_metrics: MergeMetrics | None = None
    merge_statistics: MergeStatistics | None = None

    def __init__(self, first: ListInForce) -> None:
        self.store = OwnListStore(first)

    @asynccontextmanager
    async def joined(self, reloader: Reloader, *, pages: PeerPages, stop: Callable[[], None]) -> AsyncIterator[None]:
        """There is nobody to answer."""
        del reloader, pages, stop
        yield
