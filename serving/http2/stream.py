"""One call on a connection: the messages that come, and the bytes that leave within the client's windows."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Protocol, final

from serving.http2.frames import MAX_WINDOW, ConnectionFault, ErrorCode
from serving.status import Code, Failure

if TYPE_CHECKING:
    from serving.http2.call_head import CallHead

#: Before each message: whether it is compressed, and its length.
PREFIX_BYTES = 5
#: What a client may send of a call before it is told that there is room for more.
STREAM_WINDOW = 1 << 20


class StreamConnection(Protocol):
    """A connection, as its streams see it."""

    def allow(self, stream: CallStream, size: int) -> None:
        """Let the client send further bytes of a call."""

    def hold(self, size: int) -> bool:
        """Count the bytes of messages that nobody has read yet; False if they are too many."""

    def release(self, size: int) -> None:
        """Stop counting them."""


@final
class CallStream:
    """The state of a call. Belongs to the event loop.

    Args:
        number: The stream's.
        head: What its headers say.
        window: What the client takes of an answer at first.
        max_message: The most bytes of a message.
    """

    __slots__ = (
        "_chunks",
        "_connection",
        "_has_ended",
        "_have",
        "_held",
        "_max_message",
        "_messages",
        "_need",
        "_room",
        "_waiter",
        "blocked_s",
        "fault",
        "has_begun_answer",
        "head",
        "is_closed",
        "number",
        "output",
        "task",
        "timer",
        "trailers",
        "window",
    )

    def __init__(
        self, connection: StreamConnection, number: int, head: CallHead, *, window: int, max_message: int
    ) -> None:
        self._connection = connection
        self.number = number
        self.head = head
        self.window = window
        """What the client takes now; negative if it has made its windows smaller."""
        self.output: deque[bytes] = deque()
        """Messages, with their prefixes, for which the client has no room yet."""
        self.trailers: bytes | None = None
        """The last frame, which waits for them."""
        self.blocked_s = 0.0
        """Since when the output waits."""
        self.has_begun_answer = False
        self.is_closed = False
        self.task: asyncio.Task[bytes | None] | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.fault: Failure | None = None
        """Why the call is refused."""
        self._max_message = max_message
        self._messages: deque[bytes] = deque()
        self._chunks: list[bytes] = []
        self._have = 0
        self._need = PREFIX_BYTES
        self._held = 0
        self._room = STREAM_WINDOW
        self._has_ended = False
        self._waiter: asyncio.Future[None] | None = None

    @property
    def has_ended(self) -> bool:
        """Whether the client sends no more."""
        return self._has_ended

    def feed(self, data: bytes, flow_size: int) -> None:
        """Take bytes of the client's.

        Args:
            data: The bytes.
            flow_size: What they count for in the windows: padding counts, too.

        Raises:
            ConnectionFault: The client sends more than it may.
        """
        self._room -= flow_size
        if self._room < 0:
            raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "more bytes of a stream than its window has room for")
        if self.fault is not None:
            return
        if not self._connection.hold(len(data)):
            self._refuse("The server holds as many requests as it can.")
            return
        self._held += len(data)
        self._chunks.append(data)
        self._have += len(data)
        if self._have >= self._need:
            self._split()
        if not self._messages:
            self._make_room()

    def end(self) -> None:
        """The client sends no more."""
        self._has_ended = True
        self._wake()

    def close(self) -> None:
        """Drop what was not read: the call is over."""
        self.is_closed = True
        self._has_ended = True
        self._connection.release(self._held)
        self._held = 0
        self._messages.clear()
        self._chunks = []
        self.output.clear()
        if self.timer is not None:
            self.timer.cancel()
        self._wake()

    def take(self) -> bytes | None:
        """The next message; None if there is none yet, or no more."""
        if not self._messages:
            return None
        message = self._messages.popleft()
        size = len(message) + PREFIX_BYTES
        self._held -= size
        self._connection.release(size)
        if not self._has_ended:
            self._make_room()
        return message

    async def read(self) -> bytes | None:
        """Wait for the next message.

        Returns:
            The message; None if the client has sent all.

        Raises:
            Failure: The message is refused.
        """
        while True:
            message = self.take()
            if message is not None:
                return message
            if self.fault is not None:
                raise self.fault
            if self._has_ended:
                return None
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter

    def widen(self, size: int) -> None:
        """The client takes further bytes.

        Raises:
            ConnectionFault: The window is too large.
        """
        self.window += size
        if self.window > MAX_WINDOW:
            raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "a window that is too large")

    def _split(self) -> None:
        """Cut whole messages out of what has come."""
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        begin = 0
        while True:
            text = begin + PREFIX_BYTES
            self._need = PREFIX_BYTES
            if len(data) < text:
                break
            size = int.from_bytes(data[begin + 1 : text], "big")
            if data[begin]:
                self._refuse("Compressed messages are not taken.", Code.UNIMPLEMENTED)
                return
            if size > self._max_message:
                self._refuse(f"Received message larger than max ({size} vs. {self._max_message})")
                return
            self._need = size + PREFIX_BYTES
            if len(data) < text + size:
                break
            self._messages.append(data[text : text + size])
            begin = text + size
        rest = data[begin:]
        self._chunks = [rest] if rest else []
        self._have = len(rest)
        if self._messages:
            self._wake()

    def _refuse(self, why: str, code: Code = Code.RESOURCE_EXHAUSTED) -> None:
        self.fault = Failure(code, why)
        self._chunks = []
        self._wake()

    def _make_room(self) -> None:
        """Let the client send as much as at first, when half of it is used."""
        if self._room < STREAM_WINDOW // 2:
            self._connection.allow(self, STREAM_WINDOW - self._room)
            self._room = STREAM_WINDOW

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
