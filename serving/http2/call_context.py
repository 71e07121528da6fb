"""A call as gRPC's handlers see it: the methods of ``grpc.aio.ServicerContext`` that this server's handlers use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, final

import grpc

from serving.status import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from serving.http2.call_head import Metadata
    from serving.http2.stream import CallStream


class CallAborted(Exception):
    """A handler ends its call with an error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@final
class CallContext:
    """One call.

    Args:
        stream: Its messages.
        peer: The client's address, as gRPC writes it.
        principal: The name of its certificate; empty if none was checked.
        clock: Seconds.
        send: Sends a message of a stream of answers.
    """

    __slots__ = ("_clock", "_deadline_s", "_peer", "_principal", "_send", "stream", "trailing")

    def __init__(
        self,
        stream: CallStream,
        peer: str,
        principal: str,
        clock: Callable[[], float],
        send: Callable[[CallContext, bytes], None],
    ) -> None:
        self.stream = stream
        self._peer = peer
        self._principal = principal
        self._clock = clock
        self._send = send
        timeout_s = stream.head.timeout_s
        self._deadline_s = None if timeout_s is None else clock() + timeout_s
        self.trailing: Metadata = ()
        """What is sent at the end."""

    def peer(self) -> str:
        """The client's address."""
        return self._peer

    def peer_identities(self) -> tuple[bytes, ...] | None:
        """The name of the client's certificate; None if none was checked."""
        return (self._principal.encode(),) if self._principal else None

    def auth_context(self) -> Mapping[str, tuple[bytes, ...]]:
        """Nothing more than `peer_identities`."""
        return {}

    def invocation_metadata(self) -> Metadata:
        """What the caller adds to the call."""
        return self.stream.head.metadata

    def set_trailing_metadata(self, trailing: Metadata) -> None:
        """What is sent at the end."""
        self.trailing = trailing

    def time_remaining(self) -> float | None:
        """Seconds until the caller's deadline; None without one."""
        return None if self._deadline_s is None else self._deadline_s - self._clock()

    def take(self) -> object:
        """The next message, if it has come: a wait that is not needed costs a timer. None if it has not."""
        message = self.stream.take()
        return None if message is None else self._read(message)

    async def read(self) -> object:
        """Wait for the next message.

        Returns:
            Its bytes; ``grpc.aio.EOF`` if the client has sent all.

        Raises:
            CallAborted: The message is refused.
        """
        try:
            message = await self.stream.read()
        except Failure as failure:
            raise CallAborted(failure.code.value, failure.message) from failure
        if message is None:
            return grpc.aio.EOF
        return self._read(message)

    def _read(self, message: bytes) -> object:
        read = self.stream.head.handler.request_deserializer
        return message if read is None else read(message)

    async def write(self, message: object) -> None:
        """Send a message of a stream of answers."""
        self._send(self, self.written(message))

    def written(self, message: object) -> bytes:
        """The bytes of an answer."""
        write = self.stream.head.handler.response_serializer
        written: Any = message if write is None else write(message)
        return bytes(written)

    async def abort(self, code: grpc.StatusCode, message: str = "") -> NoReturn:
        """End the call with an error.

        Raises:
            CallAborted: Always.
        """
        raise CallAborted(int(code.value[0]), message)

    def __aiter__(self) -> CallContext:
        """The messages, one after another."""
        return self

    async def __anext__(self) -> object:
        """The next message.

        Returns:
            Its bytes.

        Raises:
            StopAsyncIteration: The client has sent all.
        """
        message = await self.read()
        if message is grpc.aio.EOF:
            raise StopAsyncIteration
        return message
