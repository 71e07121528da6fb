"""One window of a traffic log: read when it is asked for, and not held."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from monitoring.config import load_config
from monitoring.runs.run import run_due_windows
from monitoring.sentences.finding_text import finding_text
from monitoring.sources import log_source
from monitoring.sources.log_source import STREAM_BYTES, LogSource
from monitoring.sources.read_scope import Reading, ReadScope
from monitoring.store.store import Store
from monitoring.timestamps import as_microseconds
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.id_keys import IdSet
from monitoring.traffic.log import scans
from monitoring.traffic.log.gaps import Gap, GapFile, LostRows
from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.writer import TrafficWriter
from monitoring.traffic.windows import Window
from tests.small_deployment import LATER, SPEC, Days

Send = Callable[..., None]
FIRST = Window(start=datetime(2013, 4, 1, tzinfo=UTC), end=datetime(2013, 4, 2, tzinfo=UTC))
SECOND = Window(start=FIRST.end, end=datetime(2013, 4, 3, tzinfo=UTC))


@pytest.fixture
def source(deployed: Path, send: Send) -> LogSource:
    """Two days; of the first, one request was logged twice, and eight rows of the second were lost."""
    send(deployed, Days(days=2))
    writer = TrafficWriter(deployed / "traffic", clock=lambda: LATER)
    writer.append(
        AnsweredRows(
            model="flights",
            version=1,
            signature="serving_default",
            request_ids=["20130401-0-5"],
            rows=[0],
            event_times_us=np.array([as_microseconds(FIRST.start) + 1]),
            answered_at_us=0,
            latencies_us=np.zeros(1, dtype=np.int64),
            inputs={"origin": np.array([b"JFK"], object)},
            outputs={"probabilities": np.full((1, 2), 0.5, np.float32)},
        )
    )
    writer.close()
    noon = as_microseconds(SECOND.start) + 43_200_000_000
    lost = LostRows(model="flights", version=1, rows=8, first_event_us=noon, last_event_us=noon)
    gaps = GapFile(deployed / "traffic", SECOND.start)
    gaps.write(Gap(first_us=noon, last_us=noon, reason="no space", lost=(lost,)))
    gaps.close()
    return LogSource(deployed / "traffic", load_config(deployed / "monitor.toml").model, SPEC, version=1)


def test_batches_are_the_rows_of_the_window_whose_labels_are_all_in_the_log(source: LogSource) -> None:
    window = source.rows(FIRST)
    ids = [batch.ids(np.arange(len(batch))).to_pylist() for batch in window.batches()]
    assert sorted(ids[0]) == sorted(f"20130401-0-{place}:0" for place in range(60))
    assert not window.inline_labels


def test_the_lease_is_renewed_after_each_batch(deployed: Path, send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    send(deployed, Days(days=1))
    monkeypatch.setattr(log_source, "STREAM_BYTES", -1)
    monkeypatch.setattr(scans, "BATCH_ROWS", 7)
    renewed: list[int] = []
    scope = ReadScope(reading=Reading(meanwhile=lambda: renewed.append(1)))
    model = load_config(deployed / "monitor.toml").model
    source = LogSource(deployed / "traffic", model, SPEC, version=1, scope=scope)
    batches = list(source.rows(FIRST).batches())
    assert len(renewed) == len(batches) > 1


def test_the_summary_counts_repeats_and_tells_lost_rows(source: LogSource) -> None:
    first = source.rows(FIRST).summary()
    assert (first.repeats, [finding.kind for finding in first.findings]) == (1, ["ids repeated"])
    found = source.rows(SECOND).summary()
    assert found.repeats == 0
    assert [(finding.kind, finding_text(finding)) for finding in found.findings] == [
        ("capture gap", "8 rows were answered and are not in the traffic log.")
    ]


def test_the_rows_of_one_window_are_kept_and_no_others(source: LogSource, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[datetime] = []
    read = TrafficLog.read

    def noted(self: TrafficLog, **query: Any) -> pa.Table:
        reads.append(query["start"])
        return read(self, **query)

    monkeypatch.setattr(TrafficLog, "read", noted)
    first, second = source.rows(FIRST), source.rows(SECOND)
    assert reads == []
    for window in (first, first, second, second, first):
        list(window.batches())
        window.summary()
        window.select(IdSet(pa.array(["20130401-0-5:0"])))
    assert reads == [FIRST.start, SECOND.start, FIRST.start]


def test_a_window_that_is_read_some_rows_at_a_time_is_judged_as_one_that_is_held(
    deployed: Path, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(deployed, Days(days=4, broken_from=2))
    send(deployed, Days(days=1), labels=False)
    config = load_config(deployed / "monitor.toml")
    records = []
    for limit in (STREAM_BYTES, -1):
        monkeypatch.setattr(log_source, "STREAM_BYTES", limit)
        monkeypatch.setattr(scans, "BATCH_ROWS", 7)
        with Store.open(f"sqlite:///{deployed}/{limit}.db") as store:
            done = run_due_windows(config, store, clock=lambda: LATER)
            records.append((store.windows.read(done.deployment), store.incidents.tracked(done.deployment)))
    assert len(records[0][0]) >= 4
    assert records[0] == records[1]


def test_of_a_window_that_is_read_some_rows_at_a_time_no_row_is_held(
    source: LogSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = source.read(FIRST)[0]
    monkeypatch.setattr(log_source, "STREAM_BYTES", -1)
    source.forget()
    window, ids = source.rows(FIRST), IdSet(pa.array(["20130401-0-5:0", "20130402-0-5:0"]))
    assert sum(map(len, window.batches())) == len(expected) == 60
    assert [finding.kind for finding in window.summary().findings] == ["ids repeated"]
    rows, newest = window.select(ids)
    assert rows.ids.to_pylist() == ["20130401-0-5:0"]
    assert newest == int(expected.event_times.max())
    assert source.rows(SECOND).summary().repeats == 0
    assert source._latest is None
