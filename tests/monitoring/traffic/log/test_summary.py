"""A log's summary counts each prediction once, and what is missing, torn or left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from monitoring.traffic.format.layout import OPEN
from monitoring.traffic.format.rows import AnsweredRows, ModelKey
from monitoring.traffic.labels.label_log import LabelSummary
from monitoring.traffic.labels.label_writer import LabelWriter
from monitoring.traffic.log.gaps import Gap, GapFile, LostRows
from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.summary import ModelSummary, summarise
from monitoring.traffic.log.writer import TrafficWriter
from tests.monitoring.traffic.conftest import NOON

Answer = Callable[..., AnsweredRows]
NO_LABELS = LabelSummary(rows=0, distinct=0, repeats=0, conflicts=0, torn_bytes=0)


def test_an_empty_log_has_no_times() -> None:
    summary = summarise([], [], NO_LABELS, [])
    assert (summary.rows, summary.segments, summary.models, summary.lost_rows) == (0, 0, (), 0)
    assert summary.first is summary.last is None


@pytest.mark.parametrize("converted", [False, True])
def test_rows_repeats_samples_labels_gaps_and_torn_bytes(
    tmp_path: Path, clock: Callable[[], datetime], answer: Answer, converted: bool
) -> None:
    writer = TrafficWriter(tmp_path, clock=clock)
    writer.append(answer("a", 3))
    writer.append(answer("a", 2))  # again
    writer.append(replace(answer("b", 2, at=NOON + timedelta(hours=1)), sampling_rate=0.25))
    writer.append(answer("c", 1, version=2, signature="explain"))
    if converted:
        writer.close()
    (tmp_path / OPEN / "00000000000000000001-0000001-000000.arrows").write_bytes(b"torn")
    labels = LabelWriter(tmp_path, clock=clock)
    labels.append(["a:0", "a:0"], ["late", "on_time"], [0, 1])
    labels.close()
    lost = LostRows(model="flights", version=1, rows=7, first_event_us=0, last_event_us=0)
    gap = Gap(first_us=0, last_us=0, reason="full", lost=(lost,))
    file = GapFile(tmp_path, clock())
    file.write(gap)
    file.close()
    summary = TrafficLog(tmp_path).summary()
    assert (summary.rows, summary.repeats, summary.torn_bytes, summary.segments) == (6, 2, 4, 4)
    assert summary.models == (
        ModelSummary(
            key=ModelKey("flights", 1, "serving_default"),
            rows=5,
            answered=3 + 8,
            first=NOON,
            last=NOON + timedelta(hours=1, microseconds=1),
        ),
        ModelSummary(key=ModelKey("flights", 2, "explain"), rows=1, answered=1, first=NOON, last=NOON),
    )
    assert (summary.first, summary.last) == (NOON, NOON + timedelta(hours=1, microseconds=1))
    assert (summary.gaps, summary.lost_rows) == ((gap,), 7)
    assert (summary.labels.rows, summary.labels.conflicts) == (2, 1)
    writer.close()
