from __future__ import annotations

from collections import Counter
from pathlib import Path

from benchmarks.service_faults import Fleet, Receiver


def test_windows_of_stores_that_are_not_made_yet_count_as_none(tmp_path: Path) -> None:
    (tmp_path / "monitors" / "000").mkdir(parents=True)
    assert Fleet(tmp_path, 1, Receiver()).judged() == Counter()


def test_a_service_that_is_gone_looks_so(tmp_path: Path) -> None:
    assert Fleet(tmp_path, 1, Receiver(), url="http://127.0.0.1:9").light() == "no answer"
