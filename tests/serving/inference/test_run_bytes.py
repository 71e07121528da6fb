"""What a run takes is reserved before it begins, and given back when it is over."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.inference.run_bytes import (
    BATCH_SHARE,
    REQUEST_SHARE,
    UNCOUNTED_BYTES,
    UNKNOWN_BYTES,
    RunBytes,
    RunKey,
    RunMemory,
)
from serving.models.signatures import ELEMENT_TYPES_BY_NAME, Signature, TensorSpec
from serving.status import NoRoom
from serving.transport.limits import ConnectionLimiter

MIB = 1 << 20


def tensor(name: str, shape: tuple[int, ...] | None, element: str = "float") -> TensorSpec:
    return TensorSpec(name=name, graph_name=f"{name}:0", element=ELEMENT_TYPES_BY_NAME[element], shape=shape)


def signature(*outputs: TensorSpec, inputs: tuple[TensorSpec, ...] = (tensor("x", (-1, 10)),)) -> Signature:
    return Signature(
        name="s", method="m", inputs={each.name: each for each in inputs}, outputs={each.name: each for each in outputs}
    )


def room(known: Signature, limit: int = 64 * MIB) -> tuple[RunBytes, ConnectionLimiter]:
    limiter = ConnectionLimiter(max_connections=0, max_held_bytes=limit)
    return RunBytes({known.name: known}, RunMemory(limiter)), limiter


ALL = RunKey("s", (), None)


def test_fixed_shapes_say_what_a_row_takes_at_most() -> None:
    runs, limiter = room(signature(tensor("y", (-1, 1000)), tensor("z", (-1, 2, 3), "double")))
    row = 40 + 4000 + 48 + 26 * 1006
    assert runs.rows(ALL) == 64 * MIB // BATCH_SHARE // row
    reserved = runs.reserve(ALL, 100)
    assert reserved == 100 * row == 64 * MIB - limiter.free_bytes
    runs.release(reserved)
    assert limiter.free_bytes == 64 * MIB
    only = RunKey("s", ("z",), None)
    assert runs.reserve(only, 1) == 40 + 48 + 26 * 6


def test_small_runs_reserve_nothing_and_are_measured_where_the_signature_leaves_them_open() -> None:
    closed, _ = room(signature(tensor("y", (-1, 10))))
    most = UNCOUNTED_BYTES // (40 + 40 + 260)
    assert (closed.is_small(ALL, most), closed.is_measured(ALL, most)) == (True, False)
    assert (closed.is_small(ALL, most + 1), closed.is_measured(ALL, most + 1)) == (False, True)
    opened, _ = room(signature(tensor("y", (-1, -1))))
    assert (opened.is_small(ALL, 1), opened.is_measured(ALL, 1)) == (False, True)
    opened.measured(ALL, 1, taken=UNCOUNTED_BYTES, written=0)
    assert (opened.is_small(ALL, 1), opened.is_measured(ALL, 1)) == (True, True)
    assert (opened.is_small(None, 1), opened.is_measured(None, 1)) == (False, True)


def test_inputs_of_open_shapes_take_what_they_have() -> None:
    runs, _ = room(signature(tensor("y", (-1,)), inputs=(tensor("x", (-1, -1)), tensor("t", (-1,), "string"))))
    types = (("x", np.dtype(np.float32), (7,)), ("t", np.dtype(object), ()))
    assert runs.reserve(RunKey("s", (), types), 2) == 2 * (28 + 49 + 4 + 26)
    assert runs.rows(ALL) == 0


@pytest.mark.parametrize(
    "unknown",
    [signature(tensor("y", (-1, -1))), signature(tensor("y", None)), signature(tensor("y", (-1, 3), "string"))],
)
def test_what_is_not_known_runs_alone_until_it_has_run_once(unknown: Signature) -> None:
    runs, _ = room(unknown)
    assert runs.rows(ALL) == 0
    assert runs.reserve(ALL, 7) == UNKNOWN_BYTES
    runs.measured(ALL, 10, taken=10 * 8_000_000, written=10 * 4_000_000)
    assert runs.rows(ALL) == 64 * MIB // BATCH_SHARE // 8_000_000
    other = RunKey("s", (), (("x", None, (5,)),))
    assert runs.rows(other) == 0, "rows of another shape take something else"
    assert runs.reserve(None, 1) == UNKNOWN_BYTES


def test_what_is_expected_rises_at_once_and_falls_slowly() -> None:
    runs, _ = room(signature(tensor("y", (-1, -1))), limit=1 << 40)
    for taken, expected in ((800, 800), (1600, 1600), (800, 1500), (1600, 1600)):
        runs.measured(ALL, 1, taken=taken, written=0)
        reserved = runs.reserve(ALL, 1)
        assert reserved == expected
        runs.release(reserved)


def test_an_answer_that_could_not_be_held_is_not_made() -> None:
    runs, limiter = room(signature(tensor("y", (-1, -1))), limit=8 * MIB)
    runs.measured(ALL, 1, taken=3 * MIB, written=MIB)
    assert limiter.hold_bytes(7 * MIB + 1)
    with pytest.raises(NoRoom):
        runs.reserve(ALL, 1)
    limiter.release_bytes(1)
    assert runs.reserve(ALL, 1) is not None, "its answer fits; what it takes beside that is the only run's"


def test_a_small_answer_is_made_though_nothing_more_can_be_held() -> None:
    runs, limiter = room(signature(tensor("y", (-1, -1))), limit=8 * MIB)
    runs.measured(ALL, 1, taken=UNCOUNTED_BYTES, written=UNCOUNTED_BYTES)
    assert limiter.hold_bytes(8 * MIB)
    assert runs.reserve(ALL, 1) == 0


def test_runs_for_which_there_is_no_room_wait_for_the_others() -> None:
    limiter = ConnectionLimiter(max_connections=0, max_held_bytes=100)
    memory, woken = RunMemory(limiter), list[str]()
    first, second = memory.reserve(1000), memory.reserve(40)
    assert (first, second) == (100 // REQUEST_SHARE, 40)
    assert memory.reserve(40) is None
    memory.wait(lambda: woken.append("a"))
    memory.wait(lambda: woken.append("b"))
    assert second is not None
    memory.release(second)
    assert woken == ["a", "b"]
    assert memory.reserve(40) == 40


@given(st.lists(st.tuples(st.integers(0, 300), st.booleans()), max_size=40), st.integers(0, 100))
def test_one_run_may_always_take_place_and_nothing_exceeds_the_limit(steps: list[tuple[int, bool]], held: int) -> None:
    limiter = ConnectionLimiter(max_connections=0, max_held_bytes=100)
    memory, running = RunMemory(limiter), list[int]()
    limiter.hold_bytes(held)
    for size, ends in steps:
        counted = memory.reserve(size)
        assert counted is not None or running
        running += [] if counted is None else [counted]
        if ends and running:
            memory.release(running.pop(0))
        assert 0 <= limiter.free_bytes <= 100 - held
    for counted in running:
        memory.release(counted)
    assert limiter.free_bytes == 100 - held
