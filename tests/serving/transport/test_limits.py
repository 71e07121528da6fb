"""Connections and bodies of all clients together are bounded."""

from __future__ import annotations

import resource
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.transport.limits import (
    ConnectionLimiter,
    default_max_connections,
    default_max_grpc_connections,
    raise_open_file_limit,
)


@dataclass
class FakeConnection:
    last_activity_s: float
    is_idle: bool
    gone: list[float] = field(default_factory=list)

    def evict(self) -> None:
        self.gone.append(self.last_activity_s)


@given(
    max_connections=st.integers(1, 50), connections=st.lists(st.tuples(st.floats(0, 100), st.booleans()), max_size=60)
)
def test_connections_that_are_idle_longest_are_evicted_first(
    max_connections: int, connections: list[tuple[float, bool]]
) -> None:
    everybody = [FakeConnection(last_activity_s, is_idle) for last_activity_s, is_idle in connections]
    newcomer = FakeConnection(101.0, True)
    admitted = ConnectionLimiter(max_connections=max_connections, max_held_bytes=0).admit(
        newcomer, [*everybody, newcomer]
    )
    gone = [one for one in everybody if one.gone]
    idle = [one for one in everybody if one.is_idle]
    assert not newcomer.gone
    assert all(one.is_idle for one in gone)
    if len(everybody) < max_connections:
        assert admitted
        assert not gone
    else:
        assert admitted == bool(idle) == bool(gone)
        assert all(one.last_activity_s <= other.last_activity_s for one in gone for other in idle if not other.gone)


def test_a_client_is_known_while_it_has_connections() -> None:
    limiter = ConnectionLimiter(max_connections=9, max_held_bytes=0)
    first, again, other = [limiter.enter(address) for address in ("a", "a", "b")]
    assert first is again is not other
    assert (first.connections, other.connections) == (2, 1)
    limiter.leave(first)
    assert limiter.enter("a") is first
    for _ in range(2):
        limiter.leave(first)
    assert limiter.enter("a") is not first


@given(st.lists(st.integers(0, 100), max_size=30))
def test_held_bytes_never_exceed_the_limit(sizes: list[int]) -> None:
    limiter = ConnectionLimiter(max_connections=1, max_held_bytes=200)
    held = [size for size in sizes if limiter.hold_bytes(size)]
    assert sum(held) <= 200
    for size in held:
        limiter.release_bytes(size)
    assert limiter.hold_bytes(200)
    assert not limiter.hold_bytes(1)


@pytest.mark.parametrize(
    ("soft", "http", "grpc"),
    [
        (100, 64, 128),
        (1024, 768, 128),
        (20_256, 20_000, 128),
        (30_000, 20_000, 9_744),
        (1_048_576, 20_000, 20_000),
        (resource.RLIM_INFINITY, 20_000, 20_000),
    ],
)
def test_default_numbers_of_connections_leave_open_files_for_others(
    monkeypatch: pytest.MonkeyPatch, soft: int, http: int, grpc: int
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, soft))
    assert (default_max_connections(), default_max_grpc_connections()) == (http, grpc)


def test_the_limit_of_open_files_is_raised_to_the_maximum() -> None:
    soft, hard = before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 512), hard))
        raise_open_file_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_parsed_body_counts_for_half_of_the_limit_at_most() -> None:
    limiter = ConnectionLimiter(max_connections=1, max_held_bytes=100)
    assert limiter.hold_parsed(1000) == 50
    assert limiter.hold_parsed(10) == 10
    assert limiter.hold_parsed(1000) is None
    limiter.release_bytes(50)
    assert limiter.hold_bytes(90)


def test_freed_memory_is_given_back_while_much_is_held() -> None:
    given_back: list[int] = []
    limiter = ConnectionLimiter(max_connections=1, max_held_bytes=800, give_back=lambda: given_back.append(1))
    for _ in range(100):
        assert limiter.hold_bytes(400)
        limiter.release_bytes(400)
    assert not given_back, "half of the limit is no pressure"
    assert limiter.hold_bytes(401)
    limiter.release_bytes(50)
    assert not given_back
    assert limiter.hold_bytes(50)
    limiter.release_bytes(1)
    assert len(given_back) == 1
    limiter.release_bytes(400)
