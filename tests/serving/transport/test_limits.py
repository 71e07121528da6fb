"""Connections and bodies of all clients together are bounded."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from serving.transport.limits import ConnectionLimiter


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
def test_room_is_made_by_the_longest_idle(max_connections: int, connections: list[tuple[float, bool]]) -> None:
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


@given(st.lists(st.integers(0, 100), max_size=30))
def test_what_is_held_never_exceeds_the_limit(sizes: list[int]) -> None:
    limiter = ConnectionLimiter(max_connections=1, max_held_bytes=200)
    held = [size for size in sizes if limiter.hold_bytes(size)]
    assert sum(held) <= 200
    for size in held:
        limiter.release_bytes(size)
    assert limiter.hold_bytes(200)
    assert not limiter.hold_bytes(1)
