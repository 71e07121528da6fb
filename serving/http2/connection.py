"""One HTTP/2 connection of a gRPC client, in the event loop."""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING, Protocol, cast, final

from serving.access.identity import identity_of
from serving.http2 import frames
from serving.http2.answers import AnswerSender
from serving.http2.call_head import CallHead
from serving.http2.frame_budget import FrameBudget
from serving.http2.frames import ConnectionFault, ErrorCode, frame, number_frame
from serving.http2.header_decoder import LIST_BYTES, HeaderDecoder, HeaderError
from serving.http2.peer import peer_of
from serving.http2.stream import STREAM_WINDOW, CallStream

if TYPE_CHECKING:
    from collections.abc import Callable

    from serving.http2.connection_settings import ConnectionSettings
    from serving.http2.header_tables import Header

#: What all calls of a connection may send before the client is told that there is room for more.
CONNECTION_WINDOW = 16 << 20
#: The most frames that one block of headers comes in.
CONTINUATIONS = 16
#: DATA of fewer bytes that does not end a message costs more than it brings.
SMALL_DATA = 64
#: Between a reason for the end and the end itself.
LINGER_S = 0.5
SETTING = struct.Struct(">HI")


class CallServer(Protocol):
    """What handles the calls of all connections."""

    settings: ConnectionSettings

    def read_head(self, headers: tuple[Header, ...]) -> CallHead:
        """Read the headers of a call, and find what handles it."""

    def opened(self, connection: Http2Connection) -> bool:
        """Count a new connection; False if there are too many."""

    def closed(self, connection: Http2Connection) -> None:
        """Forget a connection."""

    def begin(self, connection: Http2Connection, stream: CallStream) -> None:
        """Begin to handle a call."""

    def hold(self, size: int) -> bool:
        """Count the bytes of messages that nobody has read yet; False if they are too many."""

    def release(self, size: int) -> None:
        """Stop counting them."""


@final
class Http2Connection(asyncio.Protocol):
    """Reads frames, and writes the answers' within the client's windows.

    Args:
        server: What handles the calls.
    """

    def __init__(self, server: CallServer) -> None:
        self._server = server
        self._settings = server.settings
        self._check_s = min(server.settings.stall_s, server.settings.idle_s)
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._budget = FrameBudget(self._loop.time)
        self._decoder: HeaderDecoder[CallHead] = HeaderDecoder(server.read_head)
        self._rest = b""
        self._needs_preface = True
        self._streams: dict[int, CallStream] = {}
        self._fresh: list[CallStream] = []
        self._last = 0
        self._block: tuple[int, int, list[bytes]] | None = None  # stream, flags, parts
        self._answers = AnswerSender(self._write, self._finish, self._loop.time)
        self._room = CONNECTION_WINDOW
        self._is_draining = False
        self._is_deaf = False  # whether bytes that come are ignored
        self._active_s = self._loop.time()
        self._paused_s: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.peer = ""
        """The client's address, as gRPC writes it."""
        self.principal = ""
        """The name of the client's certificate; empty if none was checked."""
        readers: tuple[Callable[[int, int, bytes], None], ...] = (
            self._on_data, self._on_headers, self._on_priority, self._on_reset, self._on_settings,
            self._on_push, self._on_ping, self._on_goaway, self._on_window, self._on_continuation,
        )  # fmt: skip
        self._readers = readers
        self.hold, self.release = server.hold, server.release

    # Called by the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say what the client may send."""
        self._transport = cast("asyncio.Transport", transport)
        self.peer = peer_of(transport.get_extra_info("peername"))
        self.principal = identity_of("", transport.get_extra_info("peercert")).principal
        encryption = transport.get_extra_info("ssl_object")
        is_http2 = encryption is None or encryption.selected_alpn_protocol() == frames.ALPN
        if not self._server.opened(self) or not is_http2:
            self._transport.abort()
            return
        self._timer = self._loop.call_later(self._check_s, self._check)
        settings = {
            frames.MAX_CONCURRENT_STREAMS: self._settings.streams,
            frames.INITIAL_WINDOW_SIZE: STREAM_WINDOW,
            frames.MAX_HEADER_LIST_SIZE: LIST_BYTES,
        }
        room = number_frame(frames.WINDOW_UPDATE, 0, CONNECTION_WINDOW - frames.FIRST_WINDOW)
        self._write(frames.settings_frame(settings) + room)

    def data_received(self, data: bytes) -> None:
        """Read frames, then begin the calls that came with them."""
        if self._transport is None or self._is_deaf:
            return
        data = self._rest + data if self._rest else data
        try:
            begin = self._read(data)
        except HeaderError as error:
            self._end(ErrorCode.COMPRESSION_ERROR, str(error))
            return
        except ConnectionFault as fault:
            self._end(fault.code, str(fault))
            return
        self._rest = data[begin:]
        fresh, self._fresh = self._fresh, []
        for stream in fresh:
            if not stream.is_closed:
                self._server.begin(self, stream)

    def pause_writing(self) -> None:
        """The client does not read what it was sent: nothing more is taken from it, not even pings."""
        self._paused_s = self._loop.time()
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """The client has read most of what it was sent."""
        self._paused_s = None
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone, and with it whoever waits for the answers."""
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()
        for stream in list(self._streams.values()):
            self._cancel(stream)
        self._server.closed(self)

    # Called by the server and by streams.

    def allow(self, stream: CallStream, size: int) -> None:
        """Let the client send further bytes of a call."""
        if not stream.is_closed:
            self._write(number_frame(frames.WINDOW_UPDATE, stream.number, size))

    def send(self, stream: CallStream, head: bytes, message: bytes | None, trailers: bytes | None) -> None:
        """Send a part of an answer, or all of it; arguments as of `AnswerSender.send`."""
        if not stream.is_closed:
            self._answers.send(stream, head, message, trailers)

    def drain(self) -> None:
        """Take no further calls, and close when those that there are have been answered."""
        if not self._is_draining:
            self._is_draining = True
            self._write(frames.goaway_frame(self._last, ErrorCode.NO_ERROR))
        if not self._streams:
            self._close()

    def abort(self) -> None:
        """End all calls."""
        self._end(ErrorCode.NO_ERROR, "")

    # Frames.

    def _read(self, data: bytes) -> int:
        begin, end = 0, len(data)
        if self._needs_preface:
            size = len(frames.PREFACE)
            if data[:size] != frames.PREFACE[:end]:
                raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "not HTTP/2")
            if end < size:
                return 0
            self._needs_preface, begin = False, size
        unpack = frames.HEAD.unpack_from
        while end - begin >= frames.HEAD_BYTES:
            high, low, kind, flags, number = unpack(data, begin)
            text = begin + frames.HEAD_BYTES
            begin = text + (high << 8 | low)
            if begin - text > frames.PAYLOAD_BYTES:
                raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "a frame that is too large")
            if begin > end:
                return text - frames.HEAD_BYTES
            if self._block is not None and kind != frames.CONTINUATION:
                raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a frame within a block of headers")
            if kind < len(self._readers):
                self._readers[kind](number & frames.NUMBER, flags, data[text:begin])
            else:
                self._budget.spend()
        return begin

    def _on_data(self, number: int, flags: int, payload: bytes) -> None:
        size = len(payload)
        self._room -= size
        if self._room < CONNECTION_WINDOW // 2:
            self._write(number_frame(frames.WINDOW_UPDATE, 0, CONNECTION_WINDOW - self._room))
            self._room = CONNECTION_WINDOW
        stream = self._streams.get(number)
        if size < SMALL_DATA and not (stream is not None and flags & frames.END_STREAM):
            self._budget.spend()
        if stream is None or stream.has_ended:
            self._check_known(number)
            return
        stream.feed(frames.unpadded(flags, payload), size)
        if flags & frames.END_STREAM:
            stream.end()

    def _on_headers(self, number: int, flags: int, payload: bytes) -> None:
        payload = frames.unpadded(flags, payload)
        if flags & frames.PRIORITIZED:
            payload = payload[5:]
        if not number % 2:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "headers of a stream that is not the client's")
        if flags & frames.END_HEADERS:
            self._on_block(number, flags, payload)
        else:
            self._block = (number, flags, [payload])

    def _on_continuation(self, number: int, flags: int, payload: bytes) -> None:
        if self._block is None or self._block[0] != number:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a continuation of nothing")
        _, first_flags, parts = self._block
        parts.append(payload)
        if len(parts) > CONTINUATIONS or sum(map(len, parts)) > LIST_BYTES:
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "headers that are too large")
        if flags & frames.END_HEADERS:
            self._block = None
            self._on_block(number, first_flags, b"".join(parts))

    def _on_block(self, number: int, flags: int, block: bytes) -> None:
        head = self._decoder.decode(block)
        ends = bool(flags & frames.END_STREAM)
        if number <= self._last:  # trailers, perhaps of a call that is over
            self._budget.spend()
            stream = self._streams.get(number)
            if stream is not None and ends:
                stream.end()
            return
        self._last = number
        if self._is_draining or len(self._streams) >= self._settings.streams:
            self._budget.spend()
            self._write(number_frame(frames.RST_STREAM, number, ErrorCode.REFUSED_STREAM))
            return
        stream = CallStream(
            self, number, head, window=self._answers.first_window, max_message=self._settings.message_bytes
        )
        self._streams[number] = stream
        self._fresh.append(stream)
        if ends:
            stream.end()

    def _on_priority(self, number: int, flags: int, payload: bytes) -> None:
        self._budget.spend()

    def _on_reset(self, number: int, flags: int, payload: bytes) -> None:
        self._check_size(payload, 4)
        self._budget.spend()
        stream = self._streams.get(number)
        if stream is None:
            self._check_known(number)
        else:
            self._cancel(stream)

    def _on_settings(self, number: int, flags: int, payload: bytes) -> None:
        self._budget.spend(1 + len(payload) // 60)
        if number:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "settings of a stream")
        if flags & frames.ACK:
            return
        if len(payload) % SETTING.size:
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "settings that are cut off")
        for name, value in SETTING.iter_unpack(payload):
            if name == frames.INITIAL_WINDOW_SIZE:
                self._budget.spend(1 + len(self._streams) // 60)
                self._answers.resize(value, self._streams.values())
        self._write(frame(frames.SETTINGS, frames.ACK, 0))
        self._answers.send_blocked()

    def _on_push(self, number: int, flags: int, payload: bytes) -> None:
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a promise of a client")

    def _on_ping(self, number: int, flags: int, payload: bytes) -> None:
        self._check_size(payload, 8)
        self._budget.spend()
        if not flags & frames.ACK:
            self._write(frame(frames.PING, frames.ACK, 0, payload))

    def _on_goaway(self, number: int, flags: int, payload: bytes) -> None:
        self._budget.spend()
        self.drain()

    def _on_window(self, number: int, flags: int, payload: bytes) -> None:
        self._check_size(payload, 4)
        self._budget.spend()
        size = int.from_bytes(payload, "big") & frames.NUMBER
        if not number:
            self._answers.widen(size)
        elif number in self._streams:
            self._streams[number].widen(size)
        else:
            self._check_known(number)
        self._answers.send_blocked()

    @staticmethod
    def _check_size(payload: bytes, size: int) -> None:
        if len(payload) != size:
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "a frame of another size than its kind has")

    def _check_known(self, number: int) -> None:
        """Frames of a call that is over may still come; of one that was never begun not."""
        if not 0 < number <= self._last or not number % 2:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a frame of a stream that does not exist")

    # Answers.

    def _finish(self, stream: CallStream) -> None:
        """A call was answered."""
        self._budget.earn()
        if not stream.has_ended:
            self._write(number_frame(frames.RST_STREAM, stream.number, ErrorCode.NO_ERROR))
        self._forget(stream)
        if self._is_draining and not self._streams:
            self._close()

    def _cancel(self, stream: CallStream) -> None:
        """A call is over without an answer."""
        self._forget(stream)
        if stream.task is not None:
            stream.task.cancel()
        if self._is_draining and not self._streams:
            self._close()

    def _forget(self, stream: CallStream) -> None:
        self._streams.pop(stream.number, None)
        self._answers.forget(stream)
        stream.close()
        self._active_s = self._loop.time()

    # Ends.

    def _check(self) -> None:
        """Close what is idle, and end what does not move."""
        now, stall_s = self._loop.time(), self._settings.stall_s
        for stream in self._answers.stalled(now - stall_s):
            self._write(number_frame(frames.RST_STREAM, stream.number, ErrorCode.CANCEL))
            self._cancel(stream)
        is_stuck = self._paused_s is not None and now - self._paused_s >= stall_s
        if (is_stuck or self._needs_preface) and self._transport is not None:
            self._transport.abort()
        elif not self._streams and now - self._active_s >= self._settings.idle_s:
            self._end(ErrorCode.NO_ERROR, "")
        else:
            self._timer = self._loop.call_later(self._check_s, self._check)

    def _end(self, code: ErrorCode, why: str) -> None:
        """Say why, read no more, and close, but not before the client has had time to read it.

        A connection that is closed with unread bytes is reset, and the client never sees the reason.
        """
        self._is_deaf, self._is_draining = True, False
        self._write(frames.goaway_frame(self._last, code, why))
        for stream in list(self._streams.values()):
            self._cancel(stream)
        if self._transport is not None and self._transport.can_write_eof():
            self._transport.write_eof()
        self._loop.call_later(LINGER_S, self._close)

    def _close(self) -> None:
        self._is_deaf = True
        if self._transport is not None:
            self._transport.close()

    def _write(self, data: bytes) -> None:
        if self._transport is not None and data and not self._transport.is_closing():
            self._transport.write(data)
