from __future__ import annotations

from benchmarks.stopwatch import Stopwatch


def test_stages_of_one_name_are_summed_and_others_are_separate() -> None:
    watch = Stopwatch()
    with watch.stage("read"):
        pass
    first = watch.wall["read"]
    with watch.stage("read"), watch.stage("decode"):
        pass
    assert list(watch.wall) == ["read", "decode"]
    assert watch.wall["read"] > first > 0.0
    assert watch.cpu.keys() == watch.wall.keys()
