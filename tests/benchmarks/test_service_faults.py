from __future__ import annotations

from pathlib import Path

from benchmarks.fault_fleet import NO_ANSWER, Fault, Fleet, Receiver, Service


def test_windows_of_stores_that_are_not_made_yet_count_as_none(tmp_path: Path) -> None:
    (tmp_path / "monitors" / "000").mkdir(parents=True)
    assert Fleet(tmp_path, 1, Receiver()).count() == 0


def test_a_service_that_is_gone_looks_so_and_another_light_does_not_show_it(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, 1, Receiver())
    gone = Service(tmp_path, "first", url="http://127.0.0.1:9")
    dead, other = (
        Fault(name="kill", begin=int, end=int, lights=frozenset({light}), services=(gone,))
        for light in (NO_ANSWER, "pitfalls_missing_configs")
    )
    assert (fleet.is_lit(dead), fleet.is_lit(other)) == (True, False)
