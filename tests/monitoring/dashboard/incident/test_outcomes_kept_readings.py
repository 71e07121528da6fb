from __future__ import annotations

from functools import partial

import pytest

from monitoring.dashboard.incident import outcomes
from monitoring.dashboard.incident.outcomes import LEAST_SECONDS, KeptReadings
from monitoring.dashboard.stores.stores import Stores


def test_a_reading_is_kept_for_many_times_what_it_took() -> None:
    now, reads = [0.0], list[str]()
    kept = KeptReadings(lambda: now[0])

    def read(name: str, seconds: float) -> str:
        reads.append(name)
        now[0] += seconds
        return name

    assert kept.get("fast", lambda: read("fast", 0.5)) == "fast"
    assert kept.get("slow", lambda: read("slow", 10.0)) == "slow"
    now[0] += LEAST_SECONDS
    assert kept.get("fast", lambda: read("fast", 0.5)) == kept.get("fast", lambda: read("fast", 0.5)) == "fast"
    assert kept.get("slow", lambda: read("slow", 10.0)) == "slow"
    assert reads == ["fast", "slow", "fast"]
    now[0] += 200.0
    kept.get("slow", lambda: read("slow", 10.0))
    assert reads[-1] == "slow"


def test_so_many_are_kept_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "MOST_KEPT", 2)
    kept, reads = KeptReadings(), list[int]()

    def read(number: int) -> int:
        reads.append(number)
        return number

    for number in (1, 2, 3, 3, 1):
        assert kept.get(number, partial(read, number)) == number
    assert reads == [1, 2, 3, 1]


def test_an_error_is_not_kept(stores: Stores) -> None:
    kept = KeptReadings()
    with pytest.raises(ZeroDivisionError):
        kept.get("a", lambda: 1 // 0)
    assert kept.get("a", lambda: len(stores.stores)) == 1
