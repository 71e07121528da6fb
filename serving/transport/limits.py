"""How much of the server its clients may take together: connections, memory for their bodies, and time to say it.

What one client takes is bounded in `serving.transport.http_connection`; many of them could still fill the process's
open files, which the traffic log and new versions need too, or its memory.
"""

from __future__ import annotations

import heapq
import resource
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, final

if TYPE_CHECKING:
    from collections.abc import Collection

#: Of all requests together.
HELD_BYTES = 256 << 20
#: Open files that are left to the traffic log, the models and gRPC.
FILES_KEPT = 256
FEWEST = 64
#: 3.3 KB each while they are idle.
MOST = 20_000
#: Of the idle connections, how many give way at once when there is no room: looking for them costs a look at all.
SHARE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionTimeouts:
    """How long a connection may take."""

    idle_s: float = 75.0
    """Nothing moves for so long, and the connection is closed."""
    request_s: float = 30.0
    """A request is whole after so long, and more for its size; otherwise 408."""
    bytes_per_s: float = 4096.0
    """What a slow client still sends or reads."""


class EvictableConnection(Protocol):
    """A connection, as far as the crowd knows it."""

    @property
    def heard(self) -> float:
        """When it last moved."""

    @property
    def is_idle(self) -> bool:
        """Whether no answer is owed to it."""

    def give_way(self) -> None:
        """Close now."""


@final
class ConnectionLimiter:
    """All connections of one server. Belongs to the event loop."""

    def __init__(self, *, most: int, most_held: int) -> None:
        self.most = most
        self._most_held = most_held
        self._held = 0

    def admit(self, newcomer: EvictableConnection, everybody: Collection[EvictableConnection]) -> bool:
        """Whether there is room for one more, ``newcomer`` being counted; the longest idle give way."""
        if len(everybody) <= self.most:
            return True
        idle = [one for one in everybody if one.is_idle and one is not newcomer]
        for one in heapq.nsmallest(max(1, self.most // SHARE), idle, key=lambda guest: guest.heard):
            one.give_way()
        return bool(idle)

    def hold(self, size: int) -> bool:
        """Count bytes of a body, read or being read; False, and not counted, if that is too much for all together."""
        if self._held + size > self._most_held:
            return False
        self._held += size
        return True

    def release(self, size: int) -> None:
        """Bytes that were held are so no more."""
        self._held -= size


def room_for_connections() -> int:
    """As many as the process may have open files, less what else needs some."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else min(MOST, max(FEWEST, soft - FILES_KEPT))


def room_for_grpc() -> int:
    """Connections of gRPC: what HTTP's leave of the open files, and at least half of what is kept for others."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else min(MOST, max(FILES_KEPT // 2, soft - FILES_KEPT - MOST))


def raise_open_files() -> None:
    """Let the process have as many open files as it may; systems start it with 1024, for programs older than epoll."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
