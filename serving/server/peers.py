"""The other processes that serve at a server's addresses: none, or the other workers of a supervisor."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol, final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from serving.models.reloading import Reload, Reloader
    from serving.models.version_folders import ModelSource

    MergeMetrics = Callable[[str], Awaitable[str]]
    """Takes a process's own Prometheus page; gives the sum of the pages of all processes."""


class PeerWorkers(Protocol):
    """What a server needs of the other processes at its addresses."""

    @property
    def is_shared(self) -> bool:
        """Whether other processes listen at the same addresses."""

    @property
    def merge_metrics(self) -> MergeMetrics | None:
        """Adds the peers' metrics to this process's own; None without peers."""

    def client_model_list(self) -> Sequence[ModelSource] | None:
        """The list of models that a client has sent to any of them; None if none is in force."""

    def discard_client_model_list(self) -> None:
        """The list that a client has sent is no longer in force."""

    def joined(
        self, reloader: Reloader, *, page: Callable[[], str], stop: Callable[[], None]
    ) -> AbstractAsyncContextManager[Reload]:
        """Answer the peers while the block runs.

        Args:
            reloader: Applies a list of models that a peer sends.
            page: Gives this process's own Prometheus page.
            stop: Drains and stops this server; called when the supervisor is gone.

        Returns:
            A context manager that gives the function which reloads all processes.
        """


@final
class SingleProcess:
    """A server without peers; implements `PeerWorkers`."""

    is_shared = False
    merge_metrics: MergeMetrics | None = None

    def client_model_list(self) -> Sequence[ModelSource] | None:
        """None: this process knows itself what it was sent."""
        return None

    def discard_client_model_list(self) -> None:
        """Nothing is kept."""

    @asynccontextmanager
    async def joined(
        self, reloader: Reloader, *, page: Callable[[], str], stop: Callable[[], None]
    ) -> AsyncIterator[Reload]:
        """Gives a function that reloads this process.

        Yields:
            The function; it raises `Failure` if the list is not applied.
        """
        del page, stop

        async def reload(config: Any) -> None:
            await asyncio.to_thread(reloader.apply, config)

        yield reload
