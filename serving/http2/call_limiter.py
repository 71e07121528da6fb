"""Bounds of calls: of all together, of one client, and of those of a client that wait for their message."""

from __future__ import annotations

from typing import final

#: The share of all calls that one client may have at a time, and of those the share that may wait for their message.
CLIENT_SHARE, WAITING_SHARE = 2, 4


@final
class CallLimiter:
    """Counts calls by the address of their client. Belongs to the event loop."""

    def __init__(self, calls: int) -> None:
        self._calls = calls
        self._client_calls = max(1, calls // CLIENT_SHARE)
        self._client_waiting = max(1, self._client_calls // WAITING_SHARE)
        self._count = 0
        self._by_client: dict[str, int] = {}
        self._waiting: dict[str, int] = {}

    def enter(self, client: str) -> bool:
        """Count a call of a client; False, and it is not counted, if there are too many."""
        calls = self._by_client.get(client, 0)
        if self._count >= self._calls or calls >= self._client_calls:
            return False
        self._count += 1
        self._by_client[client] = calls + 1
        return True

    def leave(self, client: str) -> None:
        """A call is over."""
        self._count -= 1
        _decrease(self._by_client, client)

    def begin_waiting(self, client: str) -> bool:
        """Count a call whose message has not come; False, and it is not counted, if the client has too many."""
        calls = self._waiting.get(client, 0)
        if calls >= self._client_waiting:
            return False
        self._waiting[client] = calls + 1
        return True

    def end_waiting(self, client: str) -> None:
        """Its message has come, or the call is over."""
        _decrease(self._waiting, client)


def _decrease(counts: dict[str, int], client: str) -> None:
    counts[client] -= 1
    if counts[client] <= 0:
        del counts[client]
