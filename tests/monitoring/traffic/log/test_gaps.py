"""Gaps: every lost row counted where it can be found, on a full disk and after the death of the process, too."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitoring.traffic.log.conversion import recover
from monitoring.traffic.log.gaps import PAGE, RESERVED, Gap, GapFile, LostRows, read_gaps, trim_gap_files
from monitoring.traffic.log.writer import TrafficWriter

NOON = datetime(2013, 4, 1, 12, tzinfo=UTC)


def lost(rows: int = 1, *, model: str = "flights", version: int = 1, event_us: int = 0) -> LostRows:
    return LostRows(model=model, version=version, rows=rows, first_event_us=event_us, last_event_us=event_us)


def gap(*each: LostRows, first_us: int = 0, reason: str = "no space") -> Gap:
    whole = Gap(first_us=first_us, last_us=first_us, reason=reason, lost=())
    for number, one in enumerate(each):
        whole = whole.with_lost(one, first_us + number)
    return whole


def test_losses_add_up_by_version_with_the_span_of_their_event_times() -> None:
    whole = gap(lost(2, event_us=50), lost(1, version=2, event_us=7), lost(3, event_us=20), first_us=100)
    assert (whole.first_us, whole.last_us, whole.rows) == (100, 102, 6)
    assert whole.lost == (
        LostRows(model="flights", version=1, rows=5, first_event_us=20, last_event_us=50),
        LostRows(model="flights", version=2, rows=1, first_event_us=7, last_event_us=7),
    )


def test_an_open_gap_is_read_as_it_is_by_now_and_the_next_stands_beside_it(tmp_path: Path) -> None:
    file = GapFile(tmp_path, NOON)
    assert read_gaps(tmp_path) == ()
    first = gap(lost(2), lost(1, version=2))
    file.write(first)
    assert read_gaps(tmp_path) == (first,)
    longer = first.with_lost(lost(3), 5)
    file.write(longer)
    assert read_gaps(tmp_path) == (longer,)
    shorter = gap(lost(1), reason="x")  # nothing of the longer record may stay behind it
    file.write(shorter)
    assert read_gaps(tmp_path) == (shorter,)
    file.end()
    second = gap(lost(4, model="rodents"), first_us=9)
    file.write(second)
    file.close()
    file.close()
    assert read_gaps(tmp_path) == (shorter, second)
    assert read_gaps(tmp_path, model="rodents") == (second,)
    assert read_gaps(tmp_path, model="flights", version=2) == ()


def test_more_gaps_than_there_was_room_for_at_first(tmp_path: Path) -> None:
    file = GapFile(tmp_path, NOON)
    gaps = [gap(lost(number + 1), first_us=number) for number in range(2 * RESERVED // PAGE + 1)]
    for each in gaps:
        file.write(each)
        file.end()
    assert read_gaps(tmp_path) == tuple(gaps)


def test_room_that_was_not_needed_is_given_back(tmp_path: Path) -> None:
    unused, used = GapFile(tmp_path, NOON), GapFile(tmp_path, NOON)
    used.write(gap(lost(2)))
    assert used.path.stat().st_size == RESERVED
    unused.close()
    used.close()
    assert list((tmp_path / "gaps").iterdir()) == [used.path]
    assert used.path.stat().st_size < 1000


def test_a_torn_record_hides_no_other(tmp_path: Path) -> None:
    file = GapFile(tmp_path, NOON)
    file.write(gap(lost(2)))
    file.end()
    os.pwrite(file._descriptor, b'{"first_us": 3, "las', PAGE)
    assert read_gaps(tmp_path) == (gap(lost(2)),)


DYING = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from monitoring.traffic.log.gaps import Gap, GapFile, LostRows

file = GapFile(Path(sys.argv[1]), datetime(2013, 4, 1, tzinfo=UTC))
gap = Gap(first_us=0, last_us=0, reason="no space", lost=())
while True:
    gap = gap.with_lost(LostRows(model="m", version=1, rows=1, first_event_us=0, last_event_us=0), gap.last_us + 1)
    file.write(gap)
    sys.stdout.write(f"{gap.rows}\\n")
    sys.stdout.flush()
"""


@pytest.mark.parametrize("patience", [1, 300])
def test_killed_at_any_moment_every_loss_that_was_told_is_counted(tmp_path: Path, patience: int) -> None:
    process = subprocess.Popen([sys.executable, "-c", DYING, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    told = [process.stdout.readline() for _ in range(patience)]
    process.send_signal(signal.SIGKILL)
    told += process.stdout.readlines()
    process.stdout.close()
    process.wait()
    last = int([line for line in told if line.endswith("\n")][-1])
    [whole] = read_gaps(tmp_path)
    assert whole.rows in (last, last + 1)
    trim_gap_files(tmp_path)
    assert read_gaps(tmp_path) == (whole,)
    [path] = (tmp_path / "gaps").iterdir()
    assert path.stat().st_size < PAGE


def test_the_living_keep_their_room_when_others_trim_gap_files(tmp_path: Path) -> None:
    TrafficWriter(tmp_path, clock=lambda: NOON).close()
    file = GapFile(tmp_path, NOON)
    recover(tmp_path)
    assert file.path.stat().st_size == RESERVED
    file.write(gap(lost()))
    assert read_gaps(tmp_path) == (gap(lost()),)
