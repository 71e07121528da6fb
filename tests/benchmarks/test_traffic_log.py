from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.traffic_log import FIRST_DAY, batch, fastest_of, one_day, read_two
from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.writer import TrafficWriter


def test_a_day_of_the_log_has_the_rows_that_were_appended_on_it(tmp_path: Path) -> None:
    writer = TrafficWriter(tmp_path, clock=lambda: datetime.now(UTC))
    rng = np.random.default_rng(1)
    for day, rows in ((0, 3), (1, 4)):
        writer.append(batch(rng, rows, day=day, number=day))
    writer.close()
    log = TrafficLog(tmp_path)
    assert one_day(log, FIRST_DAY) == 3
    assert read_two(log) == 7


def test_the_fastest_of_several_calls_counts() -> None:
    calls: list[int] = []
    assert fastest_of(lambda: calls.append(1), rounds=4) >= 0.0
    assert len(calls) == 4
