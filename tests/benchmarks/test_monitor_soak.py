from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.monitor_soak import Look, _remarks, measure
from benchmarks.results import Settings


def look(day: int, rss: float) -> Look:
    return Look(day=day, cpu=float(day), rss_mb=rss, files=6, store_mb=(1.0, 1.0))


def test_what_grows_is_missing_or_told_twice_is_remarked() -> None:
    looks = [look(0, 200.0), look(10, 210.0), look(20, 211.0)]
    assert _remarks(looks, [20, 20], 20, Counter({"a": 1, "b": 1})) == ("2 events were sent, each once.",)
    growing = [*looks[:2], look(20, 240.0)]
    assert _remarks(growing, [20, 19], 20, Counter({"a": 2})) == (
        "Not every deployment has 20 windows: [19, 20].",
        "Events were sent more than once: 1.",
        "Memory grows: 210 MB on day 10, 240 MB at the end.",
    )


@pytest.mark.slow
def test_every_window_is_judged(tmp_path: Path) -> None:
    result = measure(Settings(out=tmp_path, quick=True))
    assert [row[0] for row in result.tables[0].rows] == [10, 20, 30, 40]
    assert not any("Not every deployment" in remark for remark in result.remarks)
