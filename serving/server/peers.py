"""Who else serves at a server's addresses: nobody, or the other workers of a supervisor."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol, final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from serving.models.reloading import Reload, Reloader
    from serving.models.version_folders import ModelSource

    Gather = Callable[[str], Awaitable[str]]
    """Takes a process's own metrics page; gives the sum over all processes."""


class PeerWorkers(Protocol):
    """What a server needs of those who serve beside it."""

    @property
    def is_shared(self) -> bool:
        """Whether others listen at the same addresses."""

    @property
    def gather(self) -> Gather | None:
        """Adds the others' metrics to one's own; None if there are no others."""

    def sent(self) -> Sequence[ModelSource] | None:
        """The list of models that a client has sent to any of them, if it is in force."""

    def forget(self) -> None:
        """The list that a client has sent is no longer in force."""

    def working(
        self, reloader: Reloader, *, page: Callable[[], str], leave: Callable[[], None]
    ) -> AbstractAsyncContextManager[Reload]:
        """Be there for the others while the block runs; gives what reloads all of them.

        ``page`` gives the process's own metrics; ``leave`` begins the end of this server.
        """


@final
class SingleProcess:
    """Nobody else."""

    is_shared = False
    gather: Gather | None = None

    def sent(self) -> Sequence[ModelSource] | None:
        """None: what was sent to this process is known to it."""
        return None

    def forget(self) -> None:
        """Nothing is kept."""

    @asynccontextmanager
    async def working(
        self, reloader: Reloader, *, page: Callable[[], str], leave: Callable[[], None]
    ) -> AsyncIterator[Reload]:
        """A reload is this process's own."""
        del page, leave

        async def reload(config: Any) -> None:
            await asyncio.to_thread(reloader.apply, config)

        yield reload
