"""Conversion changes where rows are kept, never which rows there are."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from monitoring.errors import BadInput
from monitoring.traffic.erased_ids import FOLDER, ErasedIds, log_key
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.format.segments import SegmentFile
from monitoring.traffic.log.conversion import convert_in_steps, recover
from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.writer import TrafficWriter

NOON = datetime(2013, 4, 1, 12, tzinfo=UTC)
DAY_US = 86_400_000_000
Answer = Callable[..., AnsweredRows]
Clock = Callable[[], datetime]


def dead_segment(root: Path, clock: Clock, *batches: AnsweredRows) -> Path:
    """A segment whose writer is gone."""
    writer = TrafficWriter(root, clock=clock)
    for batch in batches:
        writer.append(batch)
    [segment] = writer._open.values()
    segment.file.release()
    return segment.file.path


def over_dates(batch: AnsweredRows, dates: int, *, backwards: bool = False) -> AnsweredRows:
    days = np.arange(batch.count) % dates
    return replace(batch, event_times_us=batch.event_times_us + (days[::-1] if backwards else days) * DAY_US)


@pytest.mark.parametrize(("requests", "dates", "backwards"), [(20, 365, False), (2, 60, True)])
def test_a_year_of_rows_in_one_segment_becomes_a_part_per_date(
    tmp_path: Path, clock: Clock, answer: Answer, requests: int, dates: int, backwards: bool
) -> None:
    batches = [over_dates(answer(f"r{i}", 5000), dates, backwards=backwards) for i in range(requests)]
    dead_segment(tmp_path, clock, *batches)
    log = TrafficLog(tmp_path)
    before = log.read(model="flights")
    done = recover(tmp_path)
    assert (done.segments, done.rows, done.parts, done.torn_bytes) == (1, requests * 5000, dates, 0)
    assert log.read(model="flights").equals(before)
    for path in list(tmp_path.rglob("*.parquet"))[::50]:
        days = pq.read_table(path, columns=["event_time"])["event_time"].to_pylist()
        assert {f"date={day.date()}" for day in days} == {path.parent.name}


def test_event_times_out_of_range_make_one_part_whatever_their_dates(
    tmp_path: Path, clock: Clock, answer: Answer
) -> None:
    """A client that names a day of its own with each request would make a folder of each."""
    batch = replace(over_dates(answer("old", 500), 500), quarantined=True)
    path = dead_segment(tmp_path, clock, batch)
    log = TrafficLog(tmp_path)
    before = log.quarantine()
    segment = SegmentFile.claim(path)
    assert segment is not None
    steps = convert_in_steps(tmp_path, segment)
    assert [next(steps), next(steps)] == ["read", "quarantine"]
    steps.close()  # killed: the segment is still the truth
    segment.release()
    assert log.quarantine().equals(before)
    done = recover(tmp_path)
    assert (done.rows, done.parts) == (500, 1)
    assert [part.parent.name for part in tmp_path.rglob("*.parquet")] == ["quarantine"]
    assert log.quarantine().equals(before)
    assert (log.read(model="flights").num_rows, log.extent("flights")) == (0, None)


def test_a_torn_tail_is_cut_at_conversion_and_still_counted(tmp_path: Path, clock: Clock, answer: Answer) -> None:
    path = dead_segment(tmp_path, clock, answer("a", 2), answer("b", 2))
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    log = TrafficLog(tmp_path)
    before = log.summary()
    assert before.rows == 2
    assert before.torn_bytes > 10
    assert path.read_bytes() == whole[:-10]  # reading leaves it as it is
    assert recover(tmp_path).torn_bytes == before.torn_bytes
    assert log.summary() == before


def test_segments_without_a_single_row_do_no_harm(tmp_path: Path, clock: Clock, answer: Answer) -> None:
    path = dead_segment(tmp_path, clock, answer("a", 2))
    (tmp_path / "open" / "00000000000000000001-0000001-000000.arrows").touch()
    path.with_name("00000000000000000002-0000001-000000.arrows").write_bytes(path.read_bytes()[:50])
    log = TrafficLog(tmp_path)
    assert log.models()[0].model == "flights"
    assert log.extent("flights") is not None
    assert recover(tmp_path).segments == 1
    assert recover(tmp_path).segments == 0
    assert [each.stat().st_size for each in (tmp_path / "open").iterdir()] == [50]
    assert log.summary().torn_bytes == 50
    assert log.read(model="flights").num_rows == 2


def test_parts_of_an_unfinished_conversion_are_ignored_and_the_missing_ones_made(
    tmp_path: Path, clock: Clock, answer: Answer
) -> None:
    path = dead_segment(tmp_path, clock, over_dates(answer("a", 6), 3))
    segment = path.read_bytes()
    log = TrafficLog(tmp_path)
    before = log.read(model="flights")
    recover(tmp_path)
    parts = sorted(tmp_path.rglob("*.parquet"))
    path.write_bytes(segment)  # as if killed before the commit,
    parts[1].rename(parts[1].with_name(parts[1].name + ".tmp"))  # with one part aside
    assert log.read(model="flights").equals(before)
    assert log.summary().rows == 6
    kept = [part.stat().st_ino for part in (parts[0], parts[2])]
    recover(tmp_path)
    assert sorted(tmp_path.rglob("*.parquet")) == parts
    assert [part.stat().st_ino for part in (parts[0], parts[2])] == kept, "those that are there are not written again"
    assert not list(tmp_path.rglob("*.tmp"))
    assert log.read(model="flights").equals(before)


def test_recover_wants_a_traffic_log(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such traffic log"):
        recover(tmp_path / "nowhere")
    with pytest.raises(BadInput, match="an empty folder"):
        recover(tmp_path)
    (tmp_path / "notes.txt").touch()
    with pytest.raises(BadInput, match=r"notes\.txt"):
        TrafficLog(tmp_path)


def test_readers_see_each_row_once_while_segments_are_converted_under_them(
    tmp_path: Path, clock: Clock, answer: Answer
) -> None:
    writer = TrafficWriter(tmp_path, clock=clock, segment_bytes=6_000)
    log = TrafficLog(tmp_path)
    acknowledged = 0
    stop = threading.Event()

    def write() -> None:
        nonlocal acknowledged
        for number in range(300):
            writer.append(over_dates(answer(f"{number:06d}", 4), 3))
            acknowledged = number + 1
        stop.set()

    thread = threading.Thread(target=write)
    thread.start()
    looks = 0
    while not stop.is_set() or looks < 3:
        at_least = acknowledged
        table = log.read(model="flights")
        requests = sorted(table["request_id"].to_pylist())
        assert len(requests) >= 4 * at_least
        assert requests == [f"{number:06d}" for number in range(len(requests) // 4) for _ in range(4)]
        assert table.schema.metadata[b"pitfalls.repeats"] == b"0"
        looks += 1
    thread.join()
    writer.close()
    assert log.read(model="flights").num_rows == 1200


RECOVER = (
    "import sys, pathlib; from monitoring.traffic.log.conversion import recover; "
    "print(recover(pathlib.Path(sys.argv[1])).rows)"
)


def test_killed_in_the_middle_of_conversion_nothing_is_lost_or_doubled(
    tmp_path: Path, clock: Clock, answer: Answer
) -> None:
    dead_segment(tmp_path, clock, *(over_dates(answer(f"r{i}", 100), 100) for i in range(2)))
    log = TrafficLog(tmp_path)
    before = log.read(model="flights")
    for parts in (1, 30, 70):
        process = subprocess.Popen([sys.executable, "-c", RECOVER, str(tmp_path)], stdout=subprocess.DEVNULL)
        while process.poll() is None and len(list(tmp_path.rglob("*.parquet"))) < parts:
            assert log.extent("flights") == (NOON, NOON + timedelta(days=99, microseconds=99))
        process.kill()
        process.wait()
        assert log.read(model="flights").equals(before)
        assert log.summary().rows == 200
    recover(tmp_path)
    assert not list((tmp_path / "open").iterdir())
    assert log.read(model="flights").equals(before)


def test_rows_that_were_erased_are_left_out(tmp_path: Path, clock: Clock, answer: Answer) -> None:
    dead_segment(tmp_path, clock, over_dates(answer("a", 6), 3))
    only = dead_segment(tmp_path, clock, answer("b", 1))
    hashes = ErasedIds(key=log_key(tmp_path)).hashed(["a:1", "a:4", "b:0"])
    (tmp_path / FOLDER / "one.json").write_text(json.dumps({"ids": hashes}), "utf-8")
    assert recover(tmp_path).rows == 4
    assert not only.exists()
    table = TrafficLog(tmp_path).read(model="flights")
    assert table["prediction_id"].to_pylist() == ["a:0", "a:3", "a:2", "a:5"]
    assert len(list(tmp_path.rglob("date=*"))) == 2
