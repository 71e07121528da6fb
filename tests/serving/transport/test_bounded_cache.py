"""Results for short texts are cached, and those for long ones are not."""

from __future__ import annotations

import pytest

from serving.transport.bounded_cache import ENTRIES, LONGEST, bounded_cache


class Counted:
    """Counts its calls."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def __call__(self, method: str, text: str) -> int:
        """Doc."""
        self.calls.append(text)
        if not text:
            raise ValueError(method)
        return len(text)


def test_a_short_text_is_looked_up_once() -> None:
    counted = Counted()
    cached = bounded_cache(counted)
    assert [cached("GET", "a" * LONGEST) for _ in range(3)] == [LONGEST] * 3
    assert len(counted.calls) == 1


def test_a_long_text_is_not_kept() -> None:
    counted = Counted()
    cached = bounded_cache(counted)
    assert [cached("GET", "a" * (LONGEST + 1)) for _ in range(2)] == [LONGEST + 1] * 2
    assert len(counted.calls) == 2


def test_every_argument_belongs_to_the_key() -> None:
    counted = Counted()
    cached = bounded_cache(counted)
    for method in ("GET", "POST", "GET"):
        cached(method, "a")
    assert len(counted.calls) == 2


def test_the_number_of_entries_is_bounded() -> None:
    counted = Counted()
    cached = bounded_cache(counted)
    for number in range(ENTRIES + 1):
        cached("GET", f"{number}")
    cached("GET", "0")
    assert len(counted.calls) == ENTRIES + 2, "a full cache is emptied"


def test_errors_are_raised_and_not_kept() -> None:
    counted = Counted()
    cached = bounded_cache(counted)
    for _ in range(2):
        with pytest.raises(ValueError, match="GET"):
            cached("GET", "")
    assert len(counted.calls) == 2


def test_the_function_keeps_its_name() -> None:
    def measure(text: str) -> int:
        """Doc."""
        return len(text)

    assert (bounded_cache(measure).__name__, bounded_cache(measure).__doc__) == ("measure", "Doc.")
