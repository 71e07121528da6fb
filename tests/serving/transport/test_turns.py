"""Turns of the event loop: a burst of one connection lets the others in between."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.transport.limits import ConnectionLimiter
from serving.transport.turns import LEAST_PIECE, MOST_PIECE, PIECE_S, TURN_S, LoopTurns, TurnReader


class Loop:
    """What runs in the loop's next turn, and a processor's clock that goes on by what is read."""

    def __init__(self, s_per_byte: float, held_bytes: int = 1 << 24) -> None:
        self.now = 0.0
        self.s_per_byte = s_per_byte
        self._soon: deque[Callable[[], None]] = deque()
        self.limiter = ConnectionLimiter(max_connections=0, max_held_bytes=held_bytes)
        self.limiter.turns = LoopTurns(self._soon.append, lambda: self.now)

    def turn(self) -> bool:
        """Run what waits for the next turn; False if nothing does."""
        waiting = len(self._soon)
        for _ in range(waiting):
            self._soon.popleft()()
        return bool(waiting)

    def run(self) -> None:
        while self.turn():
            pass


class Client:
    """A connection, and the order in which all connections' pieces are read."""

    def __init__(self, loop: Loop, name: str, order: list[str]) -> None:
        self.loop, self.name, self.order = loop, name, order
        self.came = b""
        self.is_reading = True
        self.holds_after: int | None = None
        self.reader = TurnReader(loop.limiter, self.read)
        self.reader.connect(self)

    def read(self, piece: bytes) -> None:
        self.order.append(self.name)
        self.came += piece
        self.loop.now += len(piece) * self.loop.s_per_byte
        if self.holds_after is not None and len(self.came) >= self.holds_after:
            self.holds_after = None
            self.reader.hold()

    def pause_reading(self) -> None:
        self.is_reading = False

    def resume_reading(self) -> None:
        self.is_reading = True

    def is_closing(self) -> bool:
        return False


def free_bytes(loop: Loop) -> int:
    return loop.limiter.free_bytes


def test_a_short_request_is_read_before_the_rest_of_bursts_that_came_earlier() -> None:
    loop, order = Loop(s_per_byte=TURN_S / 4000), list[str]()
    for number in range(20):
        Client(loop, f"burst {number}", order).reader.feed(bytes(200_000))
    health = Client(loop, "health", order)
    health.reader.feed(b"GET")
    assert health.came == b""
    before_s = loop.now
    loop.turn()
    assert health.came == b"GET"
    assert loop.now - before_s <= TURN_S


def test_a_turn_reads_for_a_bounded_time_and_all_connections_go_on() -> None:
    loop, order = Loop(s_per_byte=TURN_S / 4000), list[str]()
    bursts = [Client(loop, str(number), order) for number in range(8)]
    for burst in bursts:
        burst.reader.feed(bytes(100_000))
    lasted = []
    while True:
        before_s = loop.now
        if not loop.turn():
            break
        lasted.append(loop.now - before_s)
    assert all(len(burst.came) == 100_000 for burst in bursts)
    assert max(lasted) <= TURN_S / 2 + 4 * PIECE_S
    places = [order.index(burst.name) for burst in bursts]
    assert max(places) < len(order) / 4
    assert all(burst.is_reading for burst in bursts)
    assert free_bytes(loop) == loop.limiter.max_held_bytes


def test_pieces_are_as_large_as_they_cost_little() -> None:
    loop, order = Loop(s_per_byte=0.0), list[str]()
    Client(loop, "cheap", order).reader.feed(bytes(MOST_PIECE * 40))
    loop.run()
    assert 40 <= len(order) < 60
    dear, order = Loop(s_per_byte=1.0), list[str]()
    Client(dear, "dear", order).reader.feed(bytes(LEAST_PIECE * 40))
    dear.run()
    assert 30 < len(order) <= 40


def test_nothing_is_read_while_the_connection_holds_and_nothing_is_lost() -> None:
    loop, order = Loop(s_per_byte=0.0), list[str]()
    client = Client(loop, "held", order)
    client.holds_after = 1
    client.reader.feed(bytes(100_000))
    client.reader.feed(b"more")
    loop.run()
    assert 0 < len(client.came) < 100_000
    assert (client.reader.is_behind, client.is_reading) == (True, False)
    client.reader.go_on()
    loop.run()
    assert client.came == bytes(100_000) + b"more"
    assert client.is_reading
    assert free_bytes(loop) == loop.limiter.max_held_bytes


@pytest.mark.parametrize(("cost_s", "read_at_once"), [(TURN_S / 10, 11), (TURN_S / 1000, 30)])
def test_requests_that_are_too_short_to_be_timed_end_a_turn_when_they_have_taken_it(
    cost_s: float, read_at_once: int
) -> None:
    loop, order = Loop(s_per_byte=cost_s / LEAST_PIECE), list[str]()
    clients = [Client(loop, str(number), order) for number in range(30)]
    for client in clients:
        client.reader.feed(bytes(LEAST_PIECE))
    assert len(order) == pytest.approx(read_at_once, abs=2)
    loop.run()
    assert len(order) == 30


def test_what_cannot_wait_within_the_bytes_of_all_is_read_at_once() -> None:
    loop, order = Loop(s_per_byte=1.0, held_bytes=1000), list[str]()
    client = Client(loop, "full", order)
    client.reader.feed(bytes(50_000))
    assert len(client.came) == 50_000


def test_a_connection_that_is_closed_gives_back_what_it_held() -> None:
    loop, order = Loop(s_per_byte=1.0), list[str]()
    client = Client(loop, "gone", order)
    client.reader.feed(bytes(50_000))
    assert free_bytes(loop) < loop.limiter.max_held_bytes
    client.reader.close()
    assert free_bytes(loop) == loop.limiter.max_held_bytes
    read = len(client.came)
    loop.run()
    assert len(client.came) == read


@given(st.lists(st.tuples(st.integers(0, 3), st.binary(max_size=5000), st.booleans()), max_size=30))
def test_bytes_are_read_in_their_order_whoever_else_sends(sent: list[tuple[int, bytes, bool]]) -> None:
    loop, order = Loop(s_per_byte=TURN_S / 2000), list[str]()
    clients = [Client(loop, str(number), order) for number in range(4)]
    expected = [b"", b"", b"", b""]
    for number, data, has_turn in sent:
        expected[number] += data
        clients[number].reader.feed(data)
        if has_turn:
            loop.turn()
    loop.run()
    assert [client.came for client in clients] == expected
    assert free_bytes(loop) == loop.limiter.max_held_bytes
