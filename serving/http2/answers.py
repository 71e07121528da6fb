"""Sends the answers of one connection, each as far as the client's windows have room."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from serving.http2 import frames
from serving.http2.frames import ConnectionFault, ErrorCode, frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from serving.http2.stream import CallStream


@final
class AnswerSender:
    """Writes answers, and keeps what there is no room for.

    Args:
        write: Sends bytes.
        on_sent: Called with a stream when the last of its answer was sent.
        clock: Seconds.
    """

    def __init__(
        self, write: Callable[[bytes], None], on_sent: Callable[[CallStream], None], clock: Callable[[], float]
    ) -> None:
        self._write = write
        self._on_sent = on_sent
        self._clock = clock
        self._window = self.first_window = frames.FIRST_WINDOW
        self._blocked: dict[int, CallStream] = {}

    def send(self, stream: CallStream, head: bytes, message: bytes | None, trailers: bytes | None) -> None:
        """Send a part of an answer, or all of it.

        Args:
            stream: The call.
            head: The block of its first headers; empty if they were sent.
            message: A message with its prefix.
            trailers: The block of its last headers, after which the call is over.
        """
        number = stream.number
        parts = [frame(frames.HEADERS, frames.END_HEADERS, number, head)] if head else []
        ends = frames.END_HEADERS | frames.END_STREAM
        last = b"" if trailers is None else frame(frames.HEADERS, ends, number, trailers)
        size = 0 if message is None else len(message)
        if stream.output or size > min(self._window, stream.window, frames.PAYLOAD_BYTES):
            self._write(b"".join(parts))
            if message is not None:
                stream.output.append(message)
            stream.trailers = last or None
            stream.blocked_s = self._clock()
            self._blocked[number] = stream
            self.send_blocked()
            return
        if message is not None:
            self._window -= size
            stream.window -= size
            parts.append(frame(frames.DATA, 0, number, message))
        if last:
            parts.append(last)
        self._write(b"".join(parts))
        if last:
            self._on_sent(stream)

    def send_blocked(self) -> None:
        """Send what there is room for now, of all calls in turn."""
        for stream in list(self._blocked.values()):
            self._send_output(stream)
            if not stream.output:
                del self._blocked[stream.number]
                if stream.trailers is not None:
                    self._write(stream.trailers)
                    self._on_sent(stream)

    def _send_output(self, stream: CallStream) -> None:
        while stream.output and min(self._window, stream.window) > 0:
            message = stream.output[0]
            part = message[: min(self._window, stream.window, frames.PAYLOAD_BYTES)]
            self._window -= len(part)
            stream.window -= len(part)
            self._write(frame(frames.DATA, 0, stream.number, part))
            stream.blocked_s = self._clock()
            if len(message) > len(part):
                stream.output[0] = message[len(part) :]
            else:
                stream.output.popleft()

    def widen(self, size: int) -> None:
        """The client takes further bytes of all calls together.

        Raises:
            ConnectionFault: The window is too large, or does not grow.
        """
        self._window += size
        if not size or self._window > frames.MAX_WINDOW:
            raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "a window that is too large, or does not grow")

    def resize(self, first_window: int, streams: Iterable[CallStream]) -> None:
        """The client takes another number of bytes of each call at first, those that there are included.

        Raises:
            ConnectionFault: A window is too large.
        """
        if first_window > frames.MAX_WINDOW:
            raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "a window that is too large")
        change, self.first_window = first_window - self.first_window, first_window
        for stream in streams:
            stream.widen(change)

    def forget(self, stream: CallStream) -> None:
        """Drop what waits of a call that is over."""
        self._blocked.pop(stream.number, None)

    def stalled(self, since_s: float) -> list[CallStream]:
        """The calls of whose answers nothing was taken since then."""
        return [stream for stream in self._blocked.values() if stream.blocked_s <= since_s]
