"""One call: the messages that come, what handles it, and the answer that waits to be sent."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, final

from serving.http2.messages import ACCEPTED, PREFIX, MessageReader
from serving.status import Code, Failure, NoRoom

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from serving.access.identity import Identity
    from serving.http2.call_head import CallHead
    from serving.http2.connection_settings import ConnectionSettings
    from serving.http2.header_blocks import Header

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


FIRST_HEADERS: tuple[Header, ...] = ((b":status", b"200"), (b"content-type", b"application/grpc"))
NOT_GRPC: tuple[Header, ...] = ((b":status", b"415"),)
STATUS_OK: tuple[Header, ...] = ((b"grpc-status", b"0"),)
ACCEPTED_ENCODINGS: tuple[Header, ...] = ((b"grpc-accept-encoding", ACCEPTED),)


def status_headers(failure: Failure) -> tuple[Header, ...]:
    """Write an error's status: its message as gRPC has it, printable ASCII with other bytes as ``%XX``.

    A header's value must not end with a space (RFC 9113, 8.2.1), which is written as ``%20`` there.

    >>> from serving.status import InvalidArgument
    >>> status_headers(InvalidArgument("50 % off: "))
    ((b'grpc-status', b'3'), (b'grpc-message', b'50%20%25%20off:%20'))
    """
    if failure.code is Code.OK:
        return STATUS_OK
    text = "".join([_written(byte) for byte in failure.message.encode("utf-8", "replace")])
    if text != text.strip():
        text = text.replace(" ", "%20")
    return (b"grpc-status", str(int(failure.code)).encode()), (b"grpc-message", text.encode())


def _written(byte: int) -> str:
    return chr(byte) if 32 <= byte < 127 and byte != ord("%") else f"%{byte:02X}"


IDENTITY = "identity"
#: The client is told of room for more after so many bytes: most calls are over before.
TAKEN_BYTES = 1 << 14
#: What of a message goes into one frame with its prefix.
FIRST_BYTES = (1 << 14) - PREFIX.size
#: A handler that writes a stream of answers waits while so many bytes of them are not sent.
UNSENT_BYTES = 1 << 18


class CallConnection(Protocol):
    """A connection, as its calls see it."""

    identity: Identity
    """Who calls."""

    def hold(self, size: int) -> bool:
        """Count bytes that wait; False, and nothing is counted, if those of all calls would be too many."""

    def release(self, size: int) -> None:
        """Stop counting them."""

    def take(self, call: ServerCall, size: int) -> None:
        """Let the client send further bytes: so many have been read."""

    def send(self, call: ServerCall, message: bytes | None, trailers: Sequence[Header] | None) -> None:
        """Send a message of the answer, the end of it, or both."""

    def drop(self, call: ServerCall) -> None:
        """Reset a call: what waits of its answer is not sent any more."""


@final
class ServerCall:
    """The state of a call. Belongs to the event loop."""

    __slots__ = (
        "_connection",
        "_held",
        "_held_output",
        "_loop",
        "_messages",
        "_reader",
        "_untaken",
        "_waiter",
        "deadline_s",
        "fault",
        "has_begun_answer",
        "has_ended",
        "has_message",
        "head",
        "is_closed",
        "is_started",
        "is_stream",
        "is_waiting",
        "is_watched",
        "number",
        "on_cancel",
        "on_close",
        "output",
        "output_bytes",
        "sent_bytes",
        "timers",
        "trailers",
        "trailing",
    )

    def __init__(
        self, connection: CallConnection, number: int, head: CallHead[Method], settings: ConnectionSettings
    ) -> None:
        self._connection = connection
        self.number = number
        self.head = head
        self._loop = asyncio.get_running_loop()
        self.is_stream = isinstance(head.method, StreamMethod)
        """Whether its handler reads a stream of messages."""
        self._reader = MessageReader(head.encoding, max_bytes=settings.message_bytes, inflation=settings.inflation)
        self._messages: deque[bytes] = deque()
        self._untaken = 0
        self._held = 0
        self._held_output = 0
        self._waiter: asyncio.Future[None] | None = None
        self.deadline_s = None if head.timeout_s is None else self._loop.time() + head.timeout_s
        """When its caller stops to wait, by the loop's clock."""
        self.timers: list[asyncio.TimerHandle] = []
        """What ends it at some time; cancelled with it."""
        self.has_message = False
        """Whether a whole message has come."""
        self.has_ended = False
        """Whether the client sends no more."""
        self.fault: Failure | None = None
        """Why its messages are refused."""
        self.is_waiting = False
        """Whether it counts as one whose message has not come."""
        self.is_started = False
        """Whether its handler has its message."""
        self.is_closed = False
        self.on_cancel: Callable[[], object] | None = None
        """Called when nobody waits for the answer any more."""
        self.on_close: Callable[[ServerCall], None] | None = None
        """Called with it when it is over, in whatever way."""
        self.trailing: tuple[Header, ...] = ()
        """What its handler adds to the end of the answer."""
        self.has_begun_answer = False
        self.output: deque[memoryview] = deque()
        """What of the answer waits for room in the client's windows."""
        self.output_bytes = 0
        self.trailers: Sequence[Header] | None = None
        """The end of the answer, which waits with it."""
        self.sent_bytes = 0
        """Bytes of messages that were sent."""
        self.is_watched = False
        """Whether a timer looks at the progress of the answer, which waits or has waited."""

    # Called by handlers.

    @property
    def identity(self) -> Identity:
        """Who calls."""
        return self._connection.identity

    @property
    def metadata(self) -> tuple[Header, ...]:
        """What the caller adds to the call."""
        return self.head.metadata

    def time_remaining(self) -> float | None:
        """Seconds until the caller's deadline; None without one."""
        return None if self.deadline_s is None else self.deadline_s - self._loop.time()

    def hold(self, size: int) -> None:
        """Count further bytes that the call takes until it is over, such as those of its parsed message.

        Raises:
            Failure: RESOURCE_EXHAUSTED: the server holds as much as it can.
        """
        if not self.has_room(size):
            raise NoRoom

    def reply(self, message: bytes) -> None:
        """Send the answer to a call that has one; what was asked is not needed any more."""
        self._release(self._held)
        self._connection.send(self, message, STATUS_OK + self.trailing)

    def fail(self, failure: Failure) -> None:
        """End the call with an error."""
        self._connection.send(self, None, (*status_headers(failure), *self.trailing))

    def end(self, failure: Failure | None) -> None:
        """End a stream of answers, with an error if there is one."""
        if failure is not None:
            self.fail(failure)
        else:
            self._connection.send(self, None, STATUS_OK + self.trailing)

    async def read(self) -> bytes | None:
        """Wait for the next message. Returns the message; None if the client has sent all.

        Raises:
            Failure: The message is refused.
        """
        while not self._messages:
            if self.fault is not None:
                raise self.fault
            if self.has_ended:
                return None
            await self._wait()
        message = self._messages.popleft()
        self._release(min(self._held, len(message) + PREFIX.size))
        if not self._messages:
            self._take()
        return message

    async def write(self, message: bytes) -> None:
        """Send a message of a stream of answers, and wait until the client has taken most of those before it."""
        self._connection.send(self, message, None)
        while self.output_bytes > UNSENT_BYTES and not self.is_closed:
            await self._wait()

    # Called by the server.

    def refuse(self, headers: Sequence[Header]) -> None:
        """Answer what is no call of gRPC's, by the headers of HTTP."""
        self._connection.send(self, None, headers)

    def stop(self, failure: Failure) -> None:
        """End the call now, with an error; an answer that still waits for room is dropped."""
        if self.output:
            self._connection.drop(self)
        else:
            self.fail(failure)

    # Called by the connection.

    def has_room(self, size: int) -> bool:
        """Count further bytes that the call takes; False, and nothing is counted, if that is too much."""
        if self.is_closed or not self._connection.hold(size):
            return False
        self._held += size
        return True

    def feed(self, data: bytes, flow_size: int) -> bool:
        """Take bytes of the client's. `data`: the bytes."""
        self._untaken += flow_size
        if self.fault is not None or (self.has_message and not self.is_stream):
            self._take()
            return False
        try:
            self.hold(len(data))
            messages = self._reader.feed(data)
            if self.head.encoding != IDENTITY:
                self.hold(sum(map(len, messages)))
        except Failure as failure:
            self.fault = failure
            self._wake()
            return True
        if messages:
            self.has_message = True
            self._messages.extend(messages)
            self._wake()
        if not (self.is_stream and self._messages):
            self._take()
        return bool(messages)

    def take_message(self) -> bytes:
        """The message of a call that has one."""
        return self._messages.popleft()

    @property
    def is_within_message(self) -> bool:
        """Whether a part of a message has come, and not the rest."""
        return self._reader.is_within_message

    def finish_reading(self) -> None:
        """The client sends no more."""
        self.has_ended = True
        self._wake()

    def queue(self, message: bytes) -> bool:
        """Let a message of the answer wait for room; False if the server holds as much as it can."""
        if not self.has_room(len(message)):
            return False
        first = PREFIX.pack(False, len(message)) + message[:FIRST_BYTES]  # noqa: FBT003 - of the prefix's format
        self.output.append(memoryview(first))
        if len(message) > FIRST_BYTES:
            self.output.append(memoryview(message)[FIRST_BYTES:])
        self.output_bytes += len(message) + PREFIX.size
        self._held_output += len(message)
        return True

    def note_sent(self, size: int) -> None:
        """Count bytes of the answer that were sent out of those that wait."""
        self.output_bytes -= size
        if not self.output_bytes:
            self._release(self._held_output)
            self._held_output = 0
        if self.output_bytes <= UNSENT_BYTES:
            self._wake()

    def close(self) -> None:
        """The call is over: drop what is left of it."""
        self.is_closed = self.has_ended = True
        self._release(self._held)
        if self._untaken:
            self._connection.take(self, self._untaken)
        self._messages.clear()
        self.output.clear()
        for timer in self.timers:
            timer.cancel()
        self._wake()
        if self.on_close is not None:
            self.on_close(self)

    def _release(self, size: int) -> None:
        self._held -= size
        self._connection.release(size)

    def _take(self) -> None:
        """Let the client send as much again as has been read."""
        if self._untaken >= TAKEN_BYTES:
            untaken, self._untaken = self._untaken, 0
            self._connection.take(self, untaken)

    async def _wait(self) -> None:
        self._waiter = self._loop.create_future()
        await self._waiter

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


@dataclass(frozen=True, slots=True)
class UnaryMethod:
    """One message, one answer."""

    start: Callable[[ServerCall, bytes], None]
    """Starts a call with its message; sooner or later `ServerCall.reply` or `ServerCall.fail` is called."""
    limiter: CallLimiter
    """Counts its calls, perhaps with those of other methods."""


@dataclass(frozen=True, slots=True)
class StreamMethod:
    """A stream of messages, a stream of answers."""

    run: Callable[[ServerCall], Coroutine[Any, Any, None]]
    """Reads and writes until the call is over; a `Failure` that it raises ends the call."""
    limiter: CallLimiter


Method = UnaryMethod | StreamMethod
