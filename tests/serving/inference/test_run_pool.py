"""A bounded number of runs, one thread always left for those that are not slow, and turns in the order of asking."""

from __future__ import annotations

from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from serving.inference.run_pool import RunPool, default_runs


@given(runs=st.integers(1, 4), slow=st.lists(st.booleans(), max_size=30), ends=st.lists(st.integers(0, 9), max_size=30))
def test_places_are_bounded_and_given_in_order(runs: int, slow: list[bool], ends: list[int]) -> None:
    pool = RunPool(runs)
    running: list[tuple[int, bool]] = []
    began: list[tuple[int, bool]] = []

    def begin(number: int, *, is_slow: bool) -> None:
        running.append((number, is_slow))
        began.append((number, is_slow))
        assert len(running) <= runs + 1
        assert sum(each for _, each in running) <= runs

    def end_one(index: int) -> None:
        _, is_slow = running.pop(index % len(running))
        pool.release(is_slow=is_slow)

    for number, is_slow in enumerate(slow):
        if pool.acquire(is_slow=is_slow):
            begin(number, is_slow=is_slow)
        else:
            pool.wait(partial(begin, number, is_slow=is_slow), is_slow=is_slow)
        if ends and running and ends[-1] % 2:
            end_one(ends.pop())
    while running:
        end_one(ends.pop() if ends else 0)
    pool.close()
    for kind in (False, True):
        assert [number for number, each in began if each is kind] == [n for n, each in enumerate(slow) if each is kind]


def test_slow_runs_leave_a_place() -> None:
    pool = RunPool(2)
    assert [pool.acquire(is_slow=True) for _ in range(3)] == [True, True, False]
    assert pool.acquire(is_slow=False)
    assert not pool.acquire(is_slow=False)
    pool.close()
    assert default_runs() >= 1
