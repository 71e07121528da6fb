from __future__ import annotations

from itertools import count

import pytest

from benchmarks.response_profile import timed


class Calculator:
    """Two stages, one of which contains the other."""

    def double(self, value: int) -> int:
        return self.add(value, value)

    def add(self, first: int, second: int) -> int:
        if second < 0:
            raise ValueError("negative")
        return first + second


STAGES = ((Calculator, "double", "outer"), (Calculator, "add", "inner"))


def test_every_call_of_a_stage_is_timed_and_the_functions_are_restored() -> None:
    original, ticks = Calculator.add, count()
    with timed(STAGES, lambda: next(ticks)) as times:
        assert Calculator().double(3) == 6
        assert Calculator().add(1, 2) == 3
    # The outer stage spans the two ticks of the inner one.
    assert dict(times) == {"outer": [3], "inner": [1, 1]}
    assert Calculator.add is original


def test_a_call_that_raises_is_timed_too_and_the_functions_are_restored() -> None:
    original = Calculator.double
    with pytest.raises(ValueError, match="negative"), timed(STAGES) as times:
        Calculator().double(-1)
    assert {stage: len(found) for stage, found in times.items()} == {"outer": 1, "inner": 1}
    assert Calculator.double is original
