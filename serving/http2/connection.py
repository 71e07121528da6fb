"""One HTTP/2 connection of a gRPC client, in the event loop: the library h2 between a socket and the calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast, final

from h2.errors import ErrorCodes
from h2.events import DataReceived, RemoteSettingsChanged, RequestReceived, StreamEnded, StreamReset, TrailersReceived
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes
from hyperframe.frame import GoAwayFrame

from serving.access.identity import Identity, identity_of
from serving.http2.answers import AnswerSender, Progress
from serving.http2.call_head import CallHead, is_malformed
from serving.http2.connection_settings import ALPN, ConnectionSettings
from serving.http2.connection_state import SMALL_DATA, ConnectionState, FrameBudget
from serving.http2.header_blocks import Header
from serving.http2.server_call import TAKEN_BYTES, Method, ServerCall
from serving.transport.limits import ConnectionLimiter
from serving.transport.turns import TurnReader

#: Between a reason for the end and the end itself.
LINGER_S = 0.5
#: Windows of so many calls are changed at the cost of a frame.
CALLS_PER_FRAME = 60
#: While so many bytes have no room in the socket, nothing is read: acknowledgements and errors would add to them.
UNSENT_BYTES = 1 << 20
PING = b"pitfalls"


class CallServer(Protocol):
    """What handles the calls of all connections."""

    settings: ConnectionSettings
    limiter: ConnectionLimiter
    """Counts bytes that wait, and shares the event loop's time."""

    def budget_of(self, address: str) -> FrameBudget:
        """The budget of frames of all connections of a client's address together."""

    def read_head(self, headers: tuple[Header, ...]) -> CallHead[Method] | None:
        """Read the headers of a call, and find its method; None for headers that break HTTP/2's rules."""

    def opened(self, connection: Http2Connection) -> bool:
        """Count a new connection; False if there are too many."""

    def closed(self, connection: Http2Connection) -> None:
        """Forget a connection."""

    def begin(self, call: ServerCall) -> None:
        """Begin a new call, or refuse it."""

    def proceed(self, call: ServerCall) -> None:
        """Go on with a call whose message has come, or will not come."""

    def wait(self, call: ServerCall) -> None:
        """Wait for the message of a call that did not come with its headers."""


@final
class Http2Connection(asyncio.Protocol):
    """Passes bytes to the library, and what they mean to the calls; sends their answers."""

    def __init__(self, server: CallServer) -> None:
        self._server = server
        self._settings = settings = server.settings
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._calls: dict[int, ServerCall] = {}
        self._budget = FrameBudget(self._loop.time, settings.streams)
        self._h2 = ConnectionState(self._budget, settings.streams, self._calls, self._on_window)
        self._answers = AnswerSender(self._h2, self._flush, self._finish, self._loop.call_soon, self._watch)
        self._new: list[ServerCall] = []
        self._ready: list[ServerCall] = []
        self._reader = TurnReader(server.limiter, self._read)
        self._untaken = 0
        self._is_draining = False
        self._is_deaf = False  # whether bytes that come are ignored
        self._has_begun = False  # whether the client has sent its settings
        self._debt_timer: asyncio.TimerHandle | None = None
        self._debt_s = 0.0  # for how long nothing was read because of debts, since the last answer
        self._progress = Progress(settings, self._loop.time())
        self._check_timer: asyncio.TimerHandle | None = None
        self._begun_s = self._active_s = self._received_s = self._loop.time()
        self._pinged_s: float | None = None
        self._paused_s: float | None = None  # since when the socket has no room
        self.identity: Identity = identity_of("", None)
        """Who calls."""
        self.hold, self.release = server.limiter.hold_bytes, server.limiter.release_bytes
        self._handlers: dict[type, Callable[[Any], None]] = {
            RequestReceived: self._on_request,
            DataReceived: self._on_data,
            StreamEnded: self._on_end,
            TrailersReceived: self._on_trailers,
            StreamReset: self._on_reset,
            RemoteSettingsChanged: self._on_settings,
        }

    # Called by the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say what the client may send."""
        self._transport = cast("asyncio.Transport", transport)
        self._reader.connect(self._transport)
        peer = transport.get_extra_info("peername")
        address = peer[0] if isinstance(peer, tuple) else ""
        self.identity = identity_of(address, transport.get_extra_info("peercert"))
        self._budget.shared = self._server.budget_of(address)
        encryption = transport.get_extra_info("ssl_object")
        is_http2 = encryption is None or encryption.selected_alpn_protocol() == ALPN
        if not self._server.opened(self) or not is_http2:
            self._transport.abort()
            return
        self._check_timer = self._loop.call_later(self._progress.every_s, self._check)
        self._h2.initiate_connection()
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Read frames, and go on with the calls whose messages came with them."""
        self._received_s = self._loop.time()
        if not self._is_deaf:
            self._reader.feed(data)

    def pause_writing(self) -> None:
        """The client does not read what it was sent."""
        self._paused_s = self._loop.time()
        self._answers.pause()

    def resume_writing(self) -> None:
        """The client has read most of what it was sent."""
        self._paused_s = None
        self._answers.resume()
        self._read_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone, and with it whoever waits for the answers."""
        self._transport = None
        self._is_deaf = True
        self._reader.close()
        self._budget.close()
        for timer in (self._check_timer, self._debt_timer):
            if timer is not None:
                timer.cancel()
        for call in list(self._calls.values()):
            self._cancel(call)
        self._server.closed(self)

    # Called by calls and by the server.

    def take(self, call: ServerCall, size: int) -> None:
        """Let the client send further bytes: so many of a call have been read."""
        if call.is_closed:  # then they count for all calls together, and need not be told one by one
            self._untaken += size
            if self._untaken < TAKEN_BYTES:
                return
            size, self._untaken = self._untaken, 0
        if not self._is_deaf:
            self._h2.acknowledge_received_data(size, call.number)

    def send(self, call: ServerCall, message: bytes | None, trailers: Sequence[Header] | None) -> None:
        """Send a message of an answer, its end, or both; arguments as of `AnswerSender.send`."""
        if not call.is_closed and call.trailers is None:
            self._answers.send(call, message, trailers)
            self._flush()

    def drop(self, call: ServerCall) -> None:
        """Reset a call: what waits of its answer is not sent any more."""
        self._h2.reset_if_open(call.number, ErrorCodes.CANCEL)
        self._cancel(call)
        self._flush()

    def drain(self) -> None:
        """Take no further calls, and close when those that there are have been answered."""
        if not self._is_draining:
            self._is_draining = True
            if not self._is_deaf:  # or the client has been told why, and nothing more can be written
                self._say_goodbye(ErrorCodes.NO_ERROR)
        if not self._calls:
            self._close()

    def abort(self) -> None:
        """End all calls."""
        self._end(ErrorCodes.NO_ERROR)

    # Reading.

    def _read(self, data: bytes) -> None:
        """Read a piece of what has come; then wait if the client has sent more than it may."""
        if self._is_deaf:
            return
        try:
            events = self._h2.receive_data(data)
        except ProtocolError as error:
            self._end(error.error_code)
            return
        for event in events:
            handler = self._handlers.get(type(event))
            if handler is not None:
                handler(event)
        self._settle()
        if self._must_wait():
            self._reader.hold()

    def _settle(self) -> None:
        """Go on with calls and answers, when all that came in a piece is known."""
        self._answers.send_waiting()
        (new, self._new), (ready, self._ready) = (self._new, []), (self._ready, [])
        for calls, step in ((new, self._server.begin), (ready, self._server.proceed), (new, self._server.wait)):
            for call in calls:
                if not call.is_closed:
                    step(call)
        self._flush()
        if self._h2.frames.is_client_leaving:
            self.drain()

    def _must_wait(self) -> bool:
        """Whether nothing is read for a while: the client has sent too much that brings nothing, or reads nothing."""
        transport = self._transport
        if transport is None or self._is_deaf:
            return False
        wait_s = self._budget.debt_s()
        if wait_s > 0:
            self._debt_s += wait_s
            if self._debt_s > self._settings.stall_s:
                self._end(ErrorCodes.ENHANCE_YOUR_CALM)
                return False
        others_s = self._budget.shared_debt_s()  # for which it only waits
        if max(wait_s, others_s) > 0:
            self._debt_timer = self._loop.call_later(max(wait_s, others_s), self._pay_debt)
            return True
        return self._paused_s is not None and transport.get_write_buffer_size() > UNSENT_BYTES

    def _pay_debt(self) -> None:
        self._debt_timer = None
        self._read_on()

    def _read_on(self) -> None:
        """Read what has come meanwhile, and further bytes."""
        if self._debt_timer is None and not self._is_deaf:
            self._reader.go_on()

    def _on_request(self, event: RequestReceived) -> None:
        number = event.stream_id
        if self._is_draining or len(self._calls) >= self._settings.streams:
            self._refuse(number, ErrorCodes.REFUSED_STREAM)
            return
        head = self._server.read_head(tuple(event.headers))
        if head is None:
            self._refuse(number, ErrorCodes.PROTOCOL_ERROR)
            return
        call = ServerCall(self, number, head, self._settings)
        self._calls[number] = call
        self._new.append(call)

    def _on_data(self, event: DataReceived) -> None:
        call = self._calls.get(event.stream_id)
        data, flow_size = event.data, event.flow_controlled_length
        if call is None:
            self._h2.acknowledge_received_data(flow_size, event.stream_id)
        elif call.feed(data, flow_size):
            self._ready.append(call)
        elif len(data) < SMALL_DATA and event.stream_ended is None:
            self._budget.spend()

    def _on_end(self, event: StreamEnded) -> None:
        call = self._calls.get(event.stream_id)
        if call is not None:
            call.finish_reading()
            self._ready.append(call)

    def _on_trailers(self, event: TrailersReceived) -> None:
        if is_malformed(event.headers, are_trailers=True):
            number = event.stream_id
            self._refuse(number, ErrorCodes.PROTOCOL_ERROR)
            if number in self._calls:
                self._cancel(self._calls[number])

    def _on_reset(self, event: StreamReset) -> None:
        call = self._calls.get(event.stream_id)
        if call is not None:
            is_late = call.deadline_s is not None and call.deadline_s <= self._loop.time()
            if event.remote_reset and is_late:
                self._budget.refill(1.0)  # nobody waits any more: what an honest client does
            self._cancel(call)
        if not event.remote_reset:
            self._budget.spend()

    def _on_window(self, number: int) -> None:
        self._answers.window_opened(number)

    def _on_settings(self, event: RemoteSettingsChanged) -> None:
        self._has_begun = True
        if SettingCodes.INITIAL_WINDOW_SIZE in event.changed_settings:
            self._answers.windows_changed()
            self._budget.spend(len(self._h2.streams) / CALLS_PER_FRAME)

    def _refuse(self, number: int, code: ErrorCodes) -> None:
        self._budget.spend()
        self._h2.reset_if_open(number, code)

    # Ends of calls.

    def _finish(self, call: ServerCall) -> None:
        """A call was answered; one whose message never came pays for no frames."""
        if call.has_message or call.has_ended:
            self._budget.refill()
            self._debt_s = 0.0
        if not call.has_ended:
            self._h2.reset_if_open(call.number, ErrorCodes.NO_ERROR)
        self._forget(call)

    def _cancel(self, call: ServerCall) -> None:
        """A call is over without an answer."""
        self._forget(call)
        if call.on_cancel is not None:
            call.on_cancel()

    def _forget(self, call: ServerCall) -> None:
        self._calls.pop(call.number, None)
        self._answers.forget(call)
        call.close()
        self._active_s = self._loop.time()
        if self._is_draining and not self._calls:
            self._loop.call_soon(self._close)

    # Ends of the connection.

    def _check(self) -> None:
        """End the connection if it does not move, and close it if it is idle."""
        transport, now, settings = self._transport, self._loop.time(), self._settings
        if transport is None:
            return
        unsent = transport.get_write_buffer_size()
        moved = self._progress.check(now, sent_bytes=self._answers.sent_bytes, unsent_bytes=unsent)
        is_stuck = self._paused_s is not None and now - self._paused_s >= settings.stall_s and moved.is_too_slow
        has_not_begun = not self._has_begun and now - self._begun_s >= settings.stall_s
        if is_stuck or has_not_begun or self._is_silent(now) or self._is_too_old(now):
            transport.abort()
            return
        if not self._calls and now - self._active_s >= settings.idle_s:
            self._end(ErrorCodes.NO_ERROR)
        else:
            self._check_timer = self._loop.call_later(self._progress.every_s, self._check)

    def _watch(self, call: ServerCall) -> None:
        """Look at an answer that waits after some seconds."""
        before = call.sent_bytes, self._taken_bytes()
        call.timers.append(self._loop.call_later(self._settings.stall_s, self._check_answer, call, *before))

    def _check_answer(self, call: ServerCall, sent_bytes: int, taken_bytes: int) -> None:
        """Drop an answer that has waited since then, and moved too slowly.

        Where a call's own window is in the way, its own bytes count; otherwise those of the whole connection, whose
        answers take turns.
        """
        if not call.output:
            call.is_watched = False
            return
        is_blocked = self._answers.is_blocked(call)
        moved = call.sent_bytes - sent_bytes if is_blocked else self._taken_bytes() - taken_bytes
        if moved < self._settings.stall_s * self._settings.bytes_per_s:
            self.drop(call)
        else:
            self._watch(call)

    def _taken_bytes(self) -> int:
        """Bytes of all answers that the client has taken."""
        return self._answers.sent_bytes - (0 if self._transport is None else self._transport.get_write_buffer_size())

    def _is_silent(self, now: float) -> bool:
        """Ask a client of which nothing was heard for long whether it is there; True if it has not answered."""
        settings = self._settings
        if settings.keepalive_s is None or self._is_deaf:
            return False
        if self._pinged_s is not None and self._received_s < self._pinged_s:
            return now - self._pinged_s >= settings.keepalive_timeout_s
        self._pinged_s = None
        if now - self._received_s >= settings.keepalive_s:
            self._pinged_s = now
            self._h2.ping(PING)
            self._flush()
        return False

    def _is_too_old(self, now: float) -> bool:
        """Ask a client to open another connection after some time; True if its calls have had time enough to end."""
        settings = self._settings
        if settings.age_s is None or now - self._begun_s < settings.age_s:
            return False
        self.drain()
        return settings.age_grace_s is not None and now - self._begun_s >= settings.age_s + settings.age_grace_s

    def _end(self, code: ErrorCodes) -> None:
        """Say why, read no more, and close, but not before the client has had time to read it.

        A connection that is closed with unread bytes is reset, and the client never sees the reason.
        """
        if self._is_deaf:
            return
        self._is_deaf = True
        self._reader.drop()
        self._budget.close()
        self._h2.clear_outbound_data_buffer()  # it may have written a reason, or not
        self._say_goodbye(code)
        for call in list(self._calls.values()):
            self._cancel(call)
        if self._transport is not None and self._transport.can_write_eof():
            self._transport.write_eof()
        self._loop.call_later(LINGER_S, self._close)

    def _say_goodbye(self, code: ErrorCodes) -> None:
        """Write a GOAWAY past the library, which would not answer the calls that are left."""
        goodbye = GoAwayFrame(0, last_stream_id=self._h2.highest_inbound_stream_id, error_code=code)
        self._write(goodbye.serialize())

    def _close(self) -> None:
        self._is_deaf = True
        if self._transport is not None:
            self._transport.close()
        self._reader.drop()

    def _flush(self) -> None:
        """Write what the library has to send."""
        data = self._h2.data_to_send()
        if data:
            self._write(data)

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)
