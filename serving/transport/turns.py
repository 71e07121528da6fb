"""Shares the event loop's time between connections: one that has sent much is read in turns with the others.

Without it a connection is read to the end of what has come, and whoever comes meanwhile, a probe of the server's health
among them, waits for the bursts of all others.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol, final

#: Seconds of processor time for what connections have sent, in one turn of the loop; half of it for what they had sent
#: before it, so that those that have sent little are answered in the turn in which it comes.
TURN_S: Final = 0.004
#: Bytes that are read at once: as many as take about a tenth of a turn.
LEAST_PIECE, FIRST_PIECE, MOST_PIECE = 1 << 10, 1 << 11, 1 << 16
PIECE_S: Final = TURN_S / 10
#: What is taken for the cost of bytes that are too few to be timed, until these guesses make up a turn.
S_PER_BYTE, LEAST_S = PIECE_S / LEAST_PIECE, PIECE_S / 16
#: So little spares the loop a look at the end of the turn: it counts in the next one.
QUIET_S: Final = TURN_S / 4


def _soon(function: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_soon(function)


@final
class LoopTurns:
    """The turns of all connections of a server. Belongs to the event loop.

    Args:
        call_soon: Runs a function in the loop's next turn, between two looks at its sockets.
        clock: Seconds of processor time of the loop's thread.
    """

    def __init__(
        self, call_soon: Callable[[Callable[[], None]], None] = _soon, clock: Callable[[], float] = time.thread_time
    ) -> None:
        self._call_soon = call_soon
        self.clock = clock
        self._spent_s = self._begun_s = 0.0
        self._first: deque[Callable[[], None]] = deque()
        self._waiting: deque[Callable[[], None]] = deque()
        self._is_scheduled = False

    @property
    def is_over(self) -> bool:
        """Whether nothing more is read in this turn."""
        return self._spent_s >= TURN_S

    @property
    def has_waiting(self) -> bool:
        """Whether connections wait for their turn."""
        return bool(self._first or self._waiting)

    def spend(self, seconds: float) -> None:
        """Count the time that reading has taken."""
        self._spent_s += seconds
        if self._spent_s >= QUIET_S:
            self._schedule()

    def spend_on(self, size: int) -> None:
        """Count the time of reading so many bytes, which is guessed; the clock says once the turn would be over."""
        self.spend(max(LEAST_S, size * S_PER_BYTE))
        if self._spent_s >= TURN_S:
            self._spent_s = min(self._spent_s, self.clock() - self._begun_s)

    def wait(self, go_on: Callable[[], None], *, is_short: bool) -> None:
        """Go on with a connection when it is its turn: those that have sent little come before the others."""
        (self._first if is_short else self._waiting).append(go_on)
        self._schedule()

    def _schedule(self) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            self._begun_s = self.clock() - self._spent_s
            self._call_soon(self._begin)

    def _begin(self) -> None:
        """Begin a turn with those that wait."""
        self._is_scheduled = False
        self._spent_s = 0.0
        while self._first and not self.is_over:
            self._first.popleft()()
        for _ in range(len(self._waiting)):
            self._waiting.popleft()()
            if self._spent_s >= TURN_S / 2:
                break
        if self.has_waiting:
            self._schedule()


class PausableTransport(Protocol):
    """What a connection's bytes come from."""

    def pause_reading(self) -> None:
        """Let the socket's buffer fill up."""

    def resume_reading(self) -> None:
        """Go on."""

    def is_closing(self) -> bool:
        """Whether it is closed, or will be."""


class HeldBytes(Protocol):
    """What counts the bytes of all connections, and has the turns of all."""

    turns: LoopTurns

    def hold_bytes(self, size: int) -> bool:
        """Count bytes; False, and nothing is counted, if they are too many."""

    def release_bytes(self, size: int) -> None:
        """Stop counting them."""


@final
class TurnReader:
    """Hands what a connection has received on in pieces, in turns with other connections.

    Args:
        read: Reads a piece. It may call `hold` or `drop`.
    """

    def __init__(self, limiter: HeldBytes, read: Callable[[bytes], None]) -> None:
        self._limiter, self._turns = limiter, limiter.turns
        self._read = read
        self._transport: PausableTransport | None = None
        self._unread = b""
        self._place = 0  # up to which it was read
        self._held = 0
        self._is_held = self._is_queued = self._is_paused = False
        self._piece_bytes = FIRST_PIECE

    def connect(self, transport: PausableTransport) -> None:
        """The connection is open."""
        self._transport = transport

    @property
    def is_behind(self) -> bool:
        """Whether bytes have come that were not read."""
        return bool(self._unread)

    @property
    def is_held(self) -> bool:
        """Whether nothing is read until `go_on`."""
        return self._is_held

    def feed(self, data: bytes) -> None:
        """Bytes have come: read them now, or when it is their turn."""
        if self._unread:  # which a transport may notice late
            data = self._unread[self._place :] + data
            self._place = 0
        elif not self._is_held and len(data) <= self._piece_bytes and not self._turns.is_over:
            if len(data) > LEAST_PIECE:
                self._timed(data)
            else:  # as most requests, for which looking at the clock would cost more than it tells
                self._read(data)
                self._turns.spend_on(len(data))
            return
        is_new = not self._unread
        self._unread = data
        if not self._count(len(data)) and not self._is_held:
            self._go_on(is_alone=True)  # the server holds as much as it can: what has come cannot wait
        elif is_new and not self._is_held and not self._turns.is_over:
            self._go_on()
        else:
            self._wait()

    def hold(self) -> None:
        """Read nothing until `go_on`."""
        self._is_held = True
        self._pause()

    def go_on(self) -> None:
        """Read what has come meanwhile, and further bytes."""
        self._is_held = False
        if self._unread:
            self._wait()
        else:
            self._resume()

    def drop(self) -> None:
        """Drop what was not read; what comes from now on is taken from the socket."""
        self._unread, self._place = b"", 0
        self._count(0)
        self._is_held = False
        self._resume()

    def close(self) -> None:
        """The connection is closed."""
        self._transport = None
        self.drop()

    def _my_turn(self) -> None:
        self._is_queued = False
        if self._unread and not self._is_held:
            self._go_on()

    def _go_on(self, *, is_alone: bool = False) -> None:
        """Read a piece, and more if nobody waits."""
        turns = self._turns
        while True:
            begin, end = self._place, self._place + self._piece_bytes
            piece = self._unread[begin:end]
            if end < len(self._unread):
                self._place = end
            else:
                self._unread, self._place = b"", 0
            self._timed(piece)
            if self._is_held or not self._unread:
                break
            if not is_alone and (turns.has_waiting or turns.is_over):
                self._wait()
                return
        if not self._unread:
            self._count(0)
            if not self._is_held:
                self._resume()

    def _timed(self, piece: bytes) -> None:
        """Read a piece; the next ones are larger or smaller, by what it has cost."""
        turns = self._turns
        begun_s = turns.clock()
        self._read(piece)
        took_s = turns.clock() - begun_s
        turns.spend(took_s)
        if took_s > PIECE_S:
            self._piece_bytes = max(LEAST_PIECE, self._piece_bytes // 2)
        elif 4 * took_s < PIECE_S and len(piece) >= self._piece_bytes:
            self._piece_bytes = min(MOST_PIECE, 2 * self._piece_bytes)

    def _wait(self) -> None:
        if len(self._unread) > MOST_PIECE:
            self._pause()
        if not self._is_queued and not self._is_held:
            self._is_queued = True
            self._turns.wait(self._my_turn, is_short=len(self._unread) <= LEAST_PIECE)

    def _count(self, size: int) -> bool:
        """Count what is unread, as a part of what all connections hold."""
        more = size - self._held
        if more > 0 and not self._limiter.hold_bytes(more):
            return False
        if more < 0:
            self._limiter.release_bytes(-more)
        self._held = size
        return True

    def _pause(self) -> None:
        if self._transport is not None and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()

    def _resume(self) -> None:
        transport = self._transport
        if self._is_paused and transport is not None:
            self._is_paused = False
            if not transport.is_closing():
                transport.resume_reading()
