"""What a log keeps, by age and by size; readers and writers are not disturbed."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import BadInput
from monitoring.timestamps import as_microseconds
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.log import retention as retention_module
from monitoring.traffic.log.listing import PartFile
from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.retention import RetentionLimit, RetentionThread, expired_parts, read_retention
from monitoring.traffic.log.writer import TrafficWriter

NOW = datetime(2024, 5, 1, tzinfo=UTC)


def part(hours_ago: int, place: int = 0) -> PartFile:
    segment = f"{as_microseconds(NOW - timedelta(hours=hours_ago)) * 1000:020d}-0000001-{place:06d}"
    return PartFile(model="m", version=1, day="2024-05-01", segment=segment, path=Path(segment))


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(1, 9)), max_size=9), st.integers(1, 30))
def test_by_size_the_newest_that_fit_are_kept(given: list[tuple[int, int]], limit: int) -> None:
    parts = [(part(hours, place), size) for place, (hours, size) in enumerate(given)]
    expired = expired_parts(parts, RetentionLimit(size_bytes=limit), NOW)
    kept = [one for one in parts if one[0] not in expired]
    assert sum(size for _, size in kept) <= limit
    if expired:
        assert max(one.segment for one in expired) <= min((one.segment for one, _ in kept), default="9")
        last = next(size for one, size in parts if one == expired[-1])
        assert sum(size for _, size in kept) + last > limit


def test_by_age_segments_that_were_begun_before_are_deleted() -> None:
    parts = [(part(hours), 1) for hours in (23, 25, 24, 48)]
    expired = expired_parts(parts, RetentionLimit(age=timedelta(days=1)), NOW)
    assert expired == [part(48), part(25)]


@pytest.mark.parametrize("text", ["", "90", "GB", "0GB", "0d", "5 parsecs", "-3d", "nan GB"])
def test_what_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="Invalid retention"):
        read_retention(text)


def test_old_rows_of_a_log_are_gone_and_the_rest_is_read(tmp_path: Path) -> None:
    for day in (1, 40, 80):
        at = NOW - timedelta(days=90 - day)
        writer = TrafficWriter(tmp_path, clock=partial(datetime.fromtimestamp, at.timestamp(), UTC))
        writer.append(
            AnsweredRows(
                model="m",
                version=1,
                signature="s",
                request_ids=[f"r{day}"],
                rows=np.zeros(1, np.int32),
                event_times_us=np.array([as_microseconds(at)]),
                answered_at_us=as_microseconds(at),
                latencies_us=np.ones(1, np.int64),
                inputs={"x": np.ones(1, np.float32)},
                outputs={"y": np.ones(1, np.float32)},
            )
        )
        writer.close()
    retention = RetentionThread(tmp_path, read_retention("60d"), clock=lambda: NOW)
    assert retention.delete_expired() == 1
    assert retention.delete_expired() == 0
    assert TrafficLog(tmp_path).table()["request_id"].to_pylist() == ["r40", "r80"]
    assert len(list(tmp_path.glob("model=*/version=*/date=*"))) == 2


def test_a_folder_that_cannot_be_read_does_not_end_the_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rounds = threading.Event()

    def unreadable(_: Path) -> list[PartFile]:
        if "cannot be found" in caplog.text:
            rounds.set()
        raise PermissionError("Permission denied")

    monkeypatch.setattr(retention_module, "closed_parts", unreadable)
    thread = RetentionThread(tmp_path, read_retention("1MB"), clock=lambda: NOW, every_s=0.01)
    thread.start()
    assert rounds.wait(30)
    thread.close()


def test_the_thread_deletes_at_once_and_ends_when_it_is_closed(tmp_path: Path) -> None:
    retention = RetentionThread(tmp_path, read_retention("1MB"), clock=lambda: NOW, every_s=3600)
    retention.start()
    retention.close()
    assert (tmp_path / "retention.lock").exists()
