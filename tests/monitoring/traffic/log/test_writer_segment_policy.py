"""SegmentPolicy: segments that grow old, disks that are slow or fail, and rows that stand for others."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from monitoring.traffic.format.layout import OPEN
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.format.segments import SegmentFile, segments_in
from monitoring.traffic.log.conversion import convert_in_steps, recover
from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.writer import MaintenanceThread, SegmentPolicy, Sync, TrafficWriter

Answer = Callable[..., AnsweredRows]
NOON = datetime(2013, 4, 1, 12, tzinfo=UTC)
DAY_US = 86_400_000_000
HOUR = timedelta(hours=1)


class Clock:
    """Stands still until it is put on."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the files that were synced."""
    sizes: list[int] = []
    real = os.fdatasync

    def fdatasync(descriptor: int) -> None:
        sizes.append(os.fstat(descriptor).st_size)
        real(descriptor)

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    return sizes


def open_sizes(root: Path) -> list[int]:
    return [path.stat().st_size for path in segments_in(root / OPEN)]


def test_an_old_segment_becomes_parquet_though_nothing_more_is_written(tmp_path: Path, answer: Answer) -> None:
    clock = Clock()
    writer = TrafficWriter(tmp_path, clock=clock, policy=SegmentPolicy(max_age=HOUR))
    writer.append(answer("a"))
    clock.now += HOUR - timedelta(microseconds=1)
    writer.maintain()
    assert len(open_sizes(tmp_path)) == 1
    clock.now += timedelta(microseconds=1)
    writer.maintain()
    writer._converter.submit(lambda: None).result()  # the conversion stands before it in the queue
    assert open_sizes(tmp_path) == []
    writer.append(answer("b"))
    assert len(open_sizes(tmp_path)) == 1
    writer.close()
    writer.maintain()  # a last call that comes too late does nothing
    assert TrafficLog(tmp_path).summary().rows == 4


def test_the_keeper_calls_until_it_is_stopped() -> None:
    calls = threading.Semaphore(0)
    keeper = MaintenanceThread(calls.release, 0.001)
    assert all(calls.acquire(timeout=30) for _ in range(3))
    keeper.stop()
    keeper.stop()
    assert not keeper._thread.is_alive()


@pytest.mark.parametrize(
    ("policy", "seconds"),
    [
        (SegmentPolicy(), None),
        (SegmentPolicy(sync=Sync.ALWAYS), None),
        (SegmentPolicy(sync=Sync.INTERVAL, sync_every=timedelta(seconds=2)), 2),
        (SegmentPolicy(max_age=HOUR), 60),
        (SegmentPolicy(max_age=timedelta(seconds=8)), 2),
    ],
)
def test_how_often_there_is_something_to_look_after(policy: SegmentPolicy, seconds: float | None) -> None:
    assert policy.every_s == seconds


def test_always_syncs_each_batch_before_append_returns(tmp_path: Path, answer: Answer, synced: list[int]) -> None:
    writer = TrafficWriter(tmp_path, clock=Clock(), policy=SegmentPolicy(sync=Sync.ALWAYS))
    for request in "abc":
        writer.append(answer(request))
        assert synced[-1:] == open_sizes(tmp_path)
    assert len(synced) == 3
    writer.close()


def test_an_interval_syncs_what_has_grown_and_nothing_twice(tmp_path: Path, answer: Answer, synced: list[int]) -> None:
    every = timedelta(days=1)  # so that only the test tends
    writer = TrafficWriter(tmp_path, clock=Clock(), policy=SegmentPolicy(sync=Sync.INTERVAL, sync_every=every))
    writer.append(answer("a"))
    writer.append(answer("b"))
    assert synced == []
    writer.maintain()
    writer.maintain()
    assert synced == open_sizes(tmp_path)
    writer.append(answer("c"))
    writer.maintain()
    assert synced[1:] == open_sizes(tmp_path)
    writer.close()


def test_never_leaves_it_to_the_operating_system(tmp_path: Path, answer: Answer, synced: list[int]) -> None:
    writer = TrafficWriter(tmp_path, clock=Clock())
    writer.append(answer("a"))
    writer.maintain()
    assert synced == []
    writer.close()


def test_rows_that_could_not_be_synced_are_not_in_the_log(
    tmp_path: Path, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = TrafficWriter(tmp_path, clock=Clock(), policy=SegmentPolicy(sync=Sync.ALWAYS))
    writer.append(answer("a"))

    def broken(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", broken)
        with pytest.raises(OSError, match="Input/output error"):
            writer.append(answer("b"))
    writer.append(answer("c"))
    writer.close()
    assert set(TrafficLog(tmp_path).read(model="flights")["request_id"].to_pylist()) == {"a", "c"}


def test_a_failed_conversion_is_tried_again_after_a_while(
    tmp_path: Path, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    writer = TrafficWriter(tmp_path, clock=clock, policy=SegmentPolicy(max_age=HOUR))
    writer.append(answer("a"))
    clock.now += HOUR

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("monitoring.traffic.log.conversion.write_parquet", full)
        writer.maintain()
        writer._converter.submit(lambda: None).result()
    assert (writer.unconverted, TrafficLog(tmp_path).summary().rows) == (1, 2)
    assert recover(tmp_path).segments == 0  # it is still its owner's
    clock.now += HOUR
    writer.maintain()
    writer._converter.submit(lambda: None).result()
    assert (writer.unconverted, open_sizes(tmp_path)) == (0, [])
    assert TrafficLog(tmp_path).summary().rows == 2
    writer.close()


@pytest.mark.parametrize("stop", range(8))
def test_stopped_between_any_two_steps_of_a_conversion_no_row_is_lost_or_doubled(
    tmp_path: Path, answer: Answer, stop: int
) -> None:
    writer = TrafficWriter(tmp_path, clock=Clock())
    batch = answer("a", 4)
    times = np.asarray(batch.event_times_us)
    writer.append(replace(batch, event_times_us=times + DAY_US * (times % 3)))
    [open_segment] = writer._open.values()
    open_segment.file.release()
    log = TrafficLog(tmp_path)
    before = log.read(model="flights")
    [path] = segments_in(tmp_path / OPEN)
    segment = SegmentFile.claim(path)
    assert segment is not None
    steps = convert_in_steps(tmp_path, segment)
    names = [name for _, name in zip(range(stop), steps, strict=False)]
    whole = ["read", "date=2013-04-01", "date=2013-04-02", "date=2013-04-03", "synced", "removed"]
    assert names == whole[:stop]
    steps.close()
    segment.release()  # so far, and then the process died
    assert log.read(model="flights").equals(before)
    assert log.extent("flights") is not None
    recover(tmp_path)
    assert log.read(model="flights").equals(before)
    assert (log.summary().rows, log.summary().repeats, open_sizes(tmp_path)) == (4, 0, [])


def test_a_sample_knows_what_it_is_a_sample_of(tmp_path: Path, answer: Answer) -> None:
    writer = TrafficWriter(tmp_path, clock=Clock())
    writer.append(replace(answer("a", 2), sampling_rate=0.25))
    log = TrafficLog(tmp_path)
    assert log.read(model="flights")["sampling_rate"].to_pylist() == [0.25, 0.25]
    writer.append(answer("b", 1))  # from now on everything is logged
    for _ in range(2):  # in open segments, and in Parquet
        assert log.read(model="flights")["sampling_rate"].to_pylist() == [0.25, 1.0, 0.25]
        [summary] = log.summary().models
        assert (summary.rows, summary.answered) == (3, 9)
        assert log.table()["sampling_rate"].to_pylist() == [0.25, 1.0, 0.25]
        writer.close()


def test_whole_traffic_has_a_rate_only_when_it_is_asked_for(tmp_path: Path, answer: Answer) -> None:
    writer = TrafficWriter(tmp_path, clock=Clock())
    writer.append(answer("a", 2))
    writer.close()
    log = TrafficLog(tmp_path)
    assert "sampling_rate" not in log.read(model="flights").column_names
    assert log.read(model="flights", columns=["sampling_rate"]).to_pydict() == {"sampling_rate": [1.0, 1.0]}
