"""What serves a page is asked over HTTP, and its own processor time is counted."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from benchmarks.dashboard_peers import cpu_seconds, serving
from benchmarks.dashboard_speed import TEMPLATE, fill


def test_processor_time_is_that_of_the_process() -> None:
    before = cpu_seconds(os.getpid())
    assert sum(number * number for number in range(2_000_000)) > 0
    assert cpu_seconds(os.getpid()) > before


@pytest.mark.slow
def test_a_page_is_asked_for_over_http(tmp_path: Path) -> None:
    fill(tmp_path / "store.db", 1, TEMPLATE, 3)
    with serving([sys.executable, "-m", "benchmarks.dashboard_peers", str(tmp_path / "store.db")]) as server:
        milliseconds, kilobytes = server.get("/d/shop/1")
        assert milliseconds >= 0.0
        assert kilobytes > 10.0
