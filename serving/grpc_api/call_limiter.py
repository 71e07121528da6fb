"""Bounds of gRPC calls: of all together, of one peer, and of the time that a call may take to send its message."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, final

import grpc

from serving.http2.call_context import CallContext

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The share of all calls that one peer may have at a time, and of those the share that may wait for their message.
PEER_SHARE, WAITING_SHARE = 2, 4
FULL = "The server holds as many requests as it can."


@final
class CallLimiter:
    """Counts calls by peer. Belongs to the event loop.

    Args:
        calls: The most calls at a time.
        message_s: After so many seconds without its message a call is refused.
    """

    def __init__(self, calls: int, message_s: float) -> None:
        self._calls = calls
        self._peer_calls = max(1, calls // PEER_SHARE)
        self._peer_waiting = max(1, self._peer_calls // WAITING_SHARE)
        self._message_s = message_s
        self._count = 0
        self._by_peer: Counter[str] = Counter()
        self._waiting: Counter[str] = Counter()

    @contextmanager
    def counted(self, peer: str) -> Iterator[bool]:
        """Count a call while the block runs.

        Args:
            peer: The address of its client.

        Yields:
            Whether it may be answered.
        """
        self._count += 1
        self._by_peer[peer] += 1
        try:
            yield self._count <= self._calls and self._by_peer[peer] <= self._peer_calls
        finally:
            self._count -= 1
            _decrease(self._by_peer, peer)

    async def read(self, context: Any, peer: str) -> Any:
        """Wait for the message of a call.

        Returns:
            The message. A call without one, or with one that comes too late, is aborted, which raises.
        """
        if isinstance(context, CallContext):
            ready = context.take()
            if ready is not None:
                return ready
        if self._waiting[peer] >= self._peer_waiting:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, FULL)
        self._waiting[peer] += 1
        message: Any = grpc.aio.EOF
        is_late = False
        try:
            async with asyncio.timeout(self._message_s):
                message = await context.read()
        except TimeoutError:
            is_late = True
        finally:
            _decrease(self._waiting, peer)
        if is_late:
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "The request took too long to come.")
        if message is grpc.aio.EOF:
            await context.abort(grpc.StatusCode.INTERNAL, "The call has no message.")
        return message


def peer_of(context: Any) -> str:
    """The address of a call's client, without its port."""
    return str(context.peer()).rpartition(":")[0]


def _decrease(counts: Counter[str], peer: str) -> None:
    counts[peer] -= 1
    if counts[peer] <= 0:
        del counts[peer]
