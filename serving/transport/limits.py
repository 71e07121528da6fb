"""Limits of all clients of a server together: connections, memory for their bodies, and time.

A single client is limited by `serving.transport.http_connection`; many of them could still use up the process's open
files, which the traffic log and new versions need too, or its memory.
"""

from __future__ import annotations

import heapq
import resource
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol, final

from serving.transport.turns import LoopTurns

#: Default bound on the bodies of all requests together.
HELD_BYTES = 256 << 20
#: Open files that are kept for the traffic log, the models and gRPC.
RESERVED_FILES = 256
MIN_CONNECTIONS = 64
#: An idle connection takes 3.3 KB.
MAX_CONNECTIONS = 20_000
#: Half of the requests that may wait for their batch: no client fills the queue alone.
MAX_CLIENT_REQUESTS = 2048
#: While more than one half of all bytes are held, freed memory is given back for each sixteenth that is released:
#: kept by one thread for itself, it would add to what others hold.
PRESSURE, GIVEN_BACK = 2, 16
#: A full server evicts a twentieth of its connections at once, as finding those that are idle visits all of them.
EVICTED_SHARE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionTimeouts:
    """How long a connection may take."""

    idle_s: float = 75.0
    """A connection on which no bytes moved for so long is closed."""
    request_s: float = 30.0
    """A request must be complete after so long, and longer for its size; otherwise 408."""
    bytes_per_s: float = 4096.0
    """The slowest rate at which a client may send or read."""


class EvictableConnection(Protocol):
    """A connection, as `ConnectionLimiter` sees it."""

    @property
    def last_activity_s(self) -> float:
        """When bytes last moved, in seconds of the event loop's clock."""

    @property
    def is_idle(self) -> bool:
        """Whether no request waits for its response."""

    def evict(self) -> None:
        """Close the connection now."""


@dataclass(slots=True, eq=False)
class ClientAddress:
    """A client, by its address: its connections, and those of its requests that are being answered."""

    address: str
    connections: int = 0
    answering: int = 0


@final
class ConnectionLimiter:
    """Admits connections and counts the bytes of bodies. Belongs to the event loop.

    Args:
        give_back: Gives freed memory back to the operating system.
    """

    def __init__(
        self,
        *,
        max_connections: int,
        max_held_bytes: int,
        max_client_requests: int = MAX_CLIENT_REQUESTS,
        give_back: Callable[[], object] = lambda: None,
    ) -> None:
        self._max_connections = max_connections
        self.max_held_bytes = max_held_bytes
        self.max_client_requests = max_client_requests
        self._held_bytes = 0
        self._released_bytes = 0
        self._give_back = give_back
        self._clients: dict[str, ClientAddress] = {}
        self.turns = LoopTurns()
        """Share the event loop's time between the connections."""

    def enter(self, address: str) -> ClientAddress:
        """Count a new connection of a client."""
        client = self._clients.get(address)
        if client is None:
            client = self._clients[address] = ClientAddress(address)
        client.connections += 1
        return client

    def leave(self, client: ClientAddress) -> None:
        """A connection is closed, and its last request has been answered."""
        client.connections -= 1
        if not client.connections:
            del self._clients[client.address]

    def admit(self, new: EvictableConnection, connections: Collection[EvictableConnection]) -> bool:
        """Admit a connection; if the server is full, evict those that have been idle longest.

        Returns:
            False if the server is full and no other connection is idle.
        """
        if len(connections) <= self._max_connections:
            return True
        idle = [connection for connection in connections if connection.is_idle and connection is not new]
        count = max(1, self._max_connections // EVICTED_SHARE)
        for connection in heapq.nsmallest(count, idle, key=lambda each: each.last_activity_s):
            connection.evict()
        return bool(idle)

    @property
    def free_bytes(self) -> int:
        """How many bytes may be held beside those that are."""
        return self.max_held_bytes - self._held_bytes

    def hold_bytes(self, size: int) -> bool:
        """Count bytes of a body that is read or answered.

        Returns:
            False, and nothing is counted, if the bodies of all requests would exceed the limit.
        """
        if self._held_bytes + size > self.max_held_bytes:
            return False
        self._held_bytes += size
        return True

    def hold_parsed(self, size: int) -> int | None:
        """Count the bytes of a parsed body, or of a run. One never counts for more than half of what may be held.

        Returns:
            The bytes that were counted; None, and nothing is counted, if all would exceed the limit.
        """
        counted = min(size, self.max_held_bytes // 2)
        return counted if self.hold_bytes(counted) else None

    def release_bytes(self, size: int) -> None:
        """Stop counting bytes that `hold_bytes` has counted."""
        if self._held_bytes * PRESSURE > self.max_held_bytes:
            self._released_bytes += size
            if self._released_bytes * GIVEN_BACK > self.max_held_bytes:
                self._released_bytes = 0
                self._give_back()
        self._held_bytes -= size


def default_max_connections() -> int:
    """The process's limit of open files less those that are reserved, from 64 to 20,000."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return min(MAX_CONNECTIONS, max(MIN_CONNECTIONS, soft - RESERVED_FILES))


def default_max_grpc_connections() -> int:
    """The open files that HTTP connections leave over, at least half of the reserved ones and at most 20,000."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return min(MAX_CONNECTIONS, max(RESERVED_FILES // 2, soft - RESERVED_FILES - MAX_CONNECTIONS))


def raise_open_file_limit() -> None:
    """Raise the process's limit of open files to the maximum; the usual default of 1024 suits programs before epoll."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
