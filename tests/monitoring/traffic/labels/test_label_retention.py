"""Old segments of a label log are deleted; the labels that are left keep their sequence numbers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from monitoring.errors import CannotRun
from monitoring.timestamps import EPOCH, as_microseconds
from monitoring.traffic.format.segments import segments_in
from monitoring.traffic.labels.label_log import LabelLog, labels_ever
from monitoring.traffic.labels.label_retention import (
    FORGOTTEN,
    ForgottenLabels,
    forget_labels,
    kept_segments,
    read_forgotten,
)
from monitoring.traffic.labels.label_writer import LabelWriter

DAY = timedelta(days=1)
EVERYTHING = 10**9


def day(number: int) -> datetime:
    return EPOCH + number * DAY


def write(root: Path, ids: Sequence[str], *, at: datetime) -> None:
    """Append labels that became known and arrive at a time, to a segment of their own."""
    writer = LabelWriter(root, clock=lambda: at)
    writer.append(ids, ["x"] * len(ids), [as_microseconds(at)] * len(ids))
    writer.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A log of four days: one, two, three and four labels."""
    for number in range(4):
        write(tmp_path, [f"{number}-{place}" for place in range(number + 1)], at=day(number))
    return tmp_path


def sequence(root: Path) -> list[int]:
    return [int(one) for one in LabelLog(root).read()["sequence"].to_pylist()]


def test_old_segments_go_and_the_others_keep_their_numbers(root: Path) -> None:
    assert forget_labels(root, day(2), read=EVERYTHING) == 3
    assert sequence(root) == list(range(3, 10))
    assert len(segments_in(root / "labels")) == 2
    assert forget_labels(root, day(2), read=EVERYTHING) == 0
    write(root, ["new"], at=day(9))
    assert sequence(root) == list(range(3, 11))
    assert labels_ever(LabelLog(root).read()) == 11
    assert forget_labels(root, day(3), read=EVERYTHING) == 3
    assert sequence(root)[0] == 6


@pytest.mark.parametrize(("read", "left"), [(0, 0), (2, 1), (3, 3), (9, 6), (10, 6)])
def test_labels_that_were_not_read_stay_and_so_does_the_last_segment(root: Path, read: int, left: int) -> None:
    forget_labels(root, day(99), read=read)
    assert sequence(root) == list(range(left, 10))


def test_a_segment_with_one_label_that_arrived_late_stays(root: Path) -> None:
    writer = LabelWriter(root, clock=lambda: day(5))
    writer.append(["old"], ["x"], [as_microseconds(day(0))])  # known long ago, and new
    writer.close()
    write(root, ["last"], at=day(6))
    assert forget_labels(root, day(5), read=EVERYTHING) == 10
    assert LabelLog(root).read()["prediction_id"].to_pylist() == ["old", "last"]


def test_killed_before_the_segments_are_deleted_readers_see_none_of_their_labels(root: Path) -> None:
    first = segments_in(root / "labels")[0]
    content = first.read_bytes()
    forget_labels(root, day(1), read=EVERYTHING)
    first.write_bytes(content)  # as if it had not been deleted yet
    assert sequence(root) == list(range(1, 10))
    assert kept_segments(root / "labels", read_forgotten(root / "labels")) == segments_in(root / "labels")[1:]
    forget_labels(root, day(1), read=EVERYTHING)
    assert not first.exists()


def test_what_comes_after_a_damaged_segment_stays(root: Path) -> None:
    writer = LabelWriter(root, clock=lambda: day(9))
    for name in ("a", "b"):
        writer.append([name], ["x"], [0])
    writer.close()
    first, *_, last = segments_in(root / "labels")
    data = bytearray(last.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 8] = b"\xff" * 8
    first.write_bytes(data)
    assert LabelLog(root).damage()
    assert forget_labels(root, day(99), read=EVERYTHING) == 0


def test_a_log_of_which_nothing_was_deleted_and_one_whose_note_is_broken(root: Path) -> None:
    folder = root / "labels"
    assert read_forgotten(folder) == ForgottenLabels()
    (folder / FORGOTTEN).write_text("{")
    with pytest.raises(CannotRun, match="not known which labels were deleted"):
        LabelLog(root).read()


def test_a_writer_begins_a_segment_each_day(tmp_path: Path) -> None:
    times = iter([day(0), day(0) + timedelta(hours=23), day(1), day(1) + timedelta(hours=1)])
    writer = LabelWriter(tmp_path, clock=lambda: next(times))
    for number in range(4):
        writer.append([str(number)], ["x"], [0])
    writer.close()
    assert len(segments_in(tmp_path / "labels")) == 2
    assert LabelLog(tmp_path).read()["prediction_id"].to_pylist() == list("0123")
