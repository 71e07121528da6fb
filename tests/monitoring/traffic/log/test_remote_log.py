"""A log at a URL is read like a local one; what else is there is refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from monitoring.errors import BadInput
from monitoring.traffic.format.layout import ARCHIVE, OPEN
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.labels.label_log import LabelLog
from monitoring.traffic.labels.label_writer import LabelWriter
from monitoring.traffic.log.gaps import Gap, GapFile, LostRows
from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.remote_log import log_folder
from monitoring.traffic.log.writer import TrafficWriter

Answer = Callable[..., AnsweredRows]
Clock = Callable[[], datetime]


@pytest.fixture
def log(tmp_path: Path, clock: Clock, answer: Answer) -> Path:
    """A log with a part, an open segment, a label and a gap."""
    root = tmp_path / "log"
    writer = TrafficWriter(root, clock=clock)
    writer.append(answer("part"))
    writer.close()
    writer = TrafficWriter(root, clock=clock)
    writer.append(answer("open"))
    [segment] = (root / OPEN).iterdir()
    kept = segment.read_bytes()
    writer.close()
    for path in root.rglob(f"{segment.stem}.parquet"):
        path.unlink()
    segment.write_bytes(kept)
    labels = LabelWriter(root, clock=clock)
    labels.append(["part:0"], ["late"], [0])
    labels.close()
    gaps = GapFile(root, clock())
    lost = LostRows(model="flights", version=1, rows=1, first_event_us=0, last_event_us=0)
    gaps.write(Gap(first_us=0, last_us=0, reason="full", lost=(lost,)))
    gaps.close()
    return root


def test_a_folder_is_itself(log: Path) -> None:
    assert log_folder(log) == log
    assert log_folder(str(log)) == log


def test_everything_is_read_as_from_the_log_itself(log: Path) -> None:
    folder = log_folder(f"file://{log}")
    assert folder != log
    there, here = TrafficLog(folder), TrafficLog(log)
    assert there.table().equals(here.table())
    assert there.table()["label"].to_pylist() == [None, "late", None, None]
    assert there.summary() == here.summary()
    assert LabelLog(folder).read().equals(LabelLog(log).read())


def test_what_has_gone_there_is_gone_here_at_the_next_call(log: Path) -> None:
    url = f"file://{log}"
    folder = log_folder(url)
    shutil.rmtree(log / "labels")
    [segment] = (log / OPEN).iterdir()
    segment.unlink()
    assert log_folder(url) == folder
    assert TrafficLog(folder).table()["request_id"].to_pylist() == ["part", "part"]
    assert LabelLog(folder).read().num_rows == 0


def test_a_url_without_a_log_and_one_whose_parts_are_elsewhere_are_refused(log: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with pytest.raises(BadInput, match="with no files"):
        log_folder(f"file://{tmp_path}/other")
    (tmp_path / "other" / "notes.txt").touch()
    with pytest.raises(BadInput, match=r"with notes\.txt"):
        log_folder(f"file://{tmp_path}/other")
    (log / ARCHIVE).write_text("{}")
    with pytest.raises(BadInput, match="is read where its server writes it"):
        log_folder(f"file://{log}")
