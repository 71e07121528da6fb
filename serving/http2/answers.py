"""Sends the answers of one connection: as far as the client's windows and its socket have room, in turns."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, final

from serving.http2.messages import PREFIX, prefixed
from serving.http2.server_call import FIRST_HEADERS, status_headers
from serving.status import NoRoom

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from serving.http2.connection_settings import ConnectionSettings
    from serving.http2.connection_state import ConnectionState
    from serving.http2.header_blocks import Header
    from serving.http2.server_call import ServerCall


class Moved(NamedTuple):
    """Bytes since the last check."""

    taken_bytes: float
    """Those that the client took."""
    needed_bytes: float
    """Those that it should have taken, if there were any."""

    @property
    def is_too_slow(self) -> bool:
        """Whether it took fewer."""
        return self.taken_bytes < self.needed_bytes


@final
class Progress:
    """Compares a connection with itself at the last check.

    >>> from serving.http2.connection_settings import ConnectionSettings
    >>> settings = ConnectionSettings(message_bytes=1, streams=1, idle_s=60.0, stall_s=30.0, bytes_per_s=4096.0)
    >>> Progress(settings, 0.0).check(30.0, sent_bytes=100_000, unsent_bytes=0)
    Moved(taken_bytes=100000, needed_bytes=122880.0)
    """

    def __init__(self, settings: ConnectionSettings, now_s: float) -> None:
        self._bytes_per_s = settings.bytes_per_s
        self._checked_s = now_s
        self._taken_bytes = 0
        times = (settings.stall_s, settings.idle_s, settings.keepalive_s, settings.age_s, settings.age_grace_s)
        self.every_s = min(time_s for time_s in times if time_s is not None)
        """Seconds between two checks."""
        if settings.keepalive_s is not None:
            self.every_s = min(self.every_s, settings.keepalive_timeout_s)

    def check(self, now_s: float, *, sent_bytes: int, unsent_bytes: int) -> Moved:
        """What moved since the last check. Returns the bytes."""
        elapsed_s, self._checked_s = now_s - self._checked_s, now_s
        taken_bytes = sent_bytes - unsent_bytes
        moved = Moved(taken_bytes - self._taken_bytes, elapsed_s * self._bytes_per_s)
        self._taken_bytes = taken_bytes
        return moved


STATUS = b":status"
#: The most bytes of one frame, and of one answer before the next has its turn.
FRAME_BYTES, PART_BYTES = 1 << 14, 1 << 16
#: The most bytes at a time; then the event loop goes on with something else.
TURN_BYTES = 1 << 18


@final
class AnswerSender:
    """Writes answers, and keeps what there is no room for."""

    def __init__(
        self,
        h2: ConnectionState,
        flush: Callable[[], None],
        on_sent: Callable[[ServerCall], None],
        soon: Callable[[Callable[[], None]], object],
        on_wait: Callable[[ServerCall], None],
    ) -> None:
        self._h2 = h2
        self._flush = flush
        self._on_sent = on_sent
        self._soon = soon
        self._on_wait = on_wait
        self._sendable: dict[int, ServerCall] = {}
        self._blocked: dict[int, ServerCall] = {}  # their own window has no room
        self._is_paused = False
        self._is_scheduled = False
        self.sent_bytes = 0
        """Bytes of all answers that went to the socket."""

    def send(self, call: ServerCall, message: bytes | None, trailers: Sequence[Header] | None) -> None:
        """Send a message of an answer, its end, or both; what has no room waits. The caller flushes.

        Args:
            trailers: The last headers, after which the call is over; together with its first ones if it has no message.
        """
        h2, number = self._h2, call.number
        data = prefixed(message) if message is not None and len(message) <= FRAME_BYTES - PREFIX.size else b""
        if data and not self._has_room(call, len(data)):
            data = b""
        if data and trailers is not None and not call.has_begun_answer:
            h2.send_answer(number, FIRST_HEADERS, data, trailers)
            self._count(call, len(data))
            self._on_sent(call)
            return
        if message is None and trailers is not None and not call.has_begun_answer:
            first = () if trailers[0][0] == STATUS else FIRST_HEADERS
            h2.send_headers(number, (*first, *trailers), end_stream=True)
            self._on_sent(call)
            return
        if not call.has_begun_answer:
            call.has_begun_answer = True
            h2.send_headers(number, FIRST_HEADERS)
        if data:
            h2.send_data(number, data)
            self._count(call, len(data))
        elif message is not None and not call.queue(message):
            trailers = status_headers(NoRoom())
        if trailers is not None and not call.output:
            h2.send_headers(number, trailers, end_stream=True)
            self._on_sent(call)
            return
        call.trailers = trailers
        if call.output and not call.is_watched:
            call.is_watched = True
            self._on_wait(call)
        if call.output and number not in self._blocked:
            self._sendable[number] = call
            self.send_waiting()

    def send_waiting(self) -> None:
        """Send what there is room for now, a part of each answer in turn, and the rest in later turns of the loop."""
        left = TURN_BYTES
        while self._sendable and left > 0 and not self._is_paused and self._h2.outbound_flow_control_window > 0:
            number = next(iter(self._sendable))
            call = self._sendable.pop(number)
            left -= self._send_part(call)
            if call.is_closed or not call.output:
                pass
            elif self._h2.streams[number].outbound_flow_control_window > 0:
                self._sendable[number] = call
            else:
                self._blocked[number] = call
            self._flush()
        if left <= 0 and self._sendable and not self._is_scheduled:
            self._is_scheduled = True
            self._soon(self._go_on)

    def window_opened(self, number: int) -> None:
        """The client takes further bytes of a call; 0: of all together."""
        call = self._blocked.pop(number, None)
        if call is not None:
            self._sendable[number] = call

    def windows_changed(self) -> int:
        """The client's settings have changed the windows of all calls. Gives the number of calls that wait."""
        self._sendable |= self._blocked
        self._blocked.clear()
        return len(self._sendable)

    def pause(self) -> None:
        """The socket has no room."""
        self._is_paused = True

    def resume(self) -> None:
        """The socket has room again."""
        self._is_paused = False
        self.send_waiting()

    def forget(self, call: ServerCall) -> None:
        """Drop what waits of a call that is over."""
        self._sendable.pop(call.number, None)
        self._blocked.pop(call.number, None)

    def is_blocked(self, call: ServerCall) -> bool:
        """Whether a call waits for its own window, so that its own bytes say whether it moves."""
        return call.number in self._blocked

    def _has_room(self, call: ServerCall, size: int) -> bool:
        if call.output or self._is_paused:
            return False
        return size <= min(self._h2.local_flow_control_window(call.number), self._h2.max_outbound_frame_size)

    def _send_part(self, call: ServerCall) -> int:
        """Send as much of a waiting answer as it may have in one turn. Returns the bytes that were sent."""
        h2, number, output = self._h2, call.number, call.output
        frame_bytes = min(FRAME_BYTES, h2.max_outbound_frame_size)
        room = min(PART_BYTES, h2.local_flow_control_window(number))
        sent = 0
        while output and sent < room:
            chunk = output[0]
            size = min(len(chunk), frame_bytes, room - sent)
            h2.send_data(number, chunk[:size])
            sent += size
            if size < len(chunk):
                output[0] = chunk[size:]
            else:
                output.popleft()
        self._count(call, sent)
        call.note_sent(sent)
        if not output and call.trailers is not None:
            h2.send_headers(number, call.trailers, end_stream=True)
            self._on_sent(call)
        return sent

    def _count(self, call: ServerCall, size: int) -> None:
        call.sent_bytes += size
        self.sent_bytes += size

    def _go_on(self) -> None:
        self._is_scheduled = False
        self.send_waiting()
