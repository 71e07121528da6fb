"""The door by which labels come over the dashboard."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitoring.dashboard.labels.door import LabelWriters
from monitoring.errors import CannotRun
from monitoring.traffic.format.segments import segments_in
from monitoring.traffic.labels.label_log import LabelLog

NOW = datetime(2013, 4, 8, 7, tzinfo=UTC)


def add(writers: LabelWriters, root: Path, name: str) -> int:
    return writers.append(root, [(name, "late", NOW)], model=None, clock=lambda: NOW)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_labels_that_come_one_by_one_share_a_segment(tmp_path: Path) -> None:
    writers = LabelWriters()
    for number in range(20):
        assert add(writers, tmp_path, f"p:{number}") == 1
        assert LabelLog(tmp_path).read().num_rows == number + 1
    assert len(segments_in(tmp_path / "labels")) == 1
    writers.close()
    assert add(writers, tmp_path, "p:20") == 1
    assert LabelLog(tmp_path).read().num_rows == 21
    writers.close()


def test_so_many_logs_stay_open_and_no_more(tmp_path: Path) -> None:
    writers, before = LabelWriters(2), open_files()
    for turn in range(3):
        for name in ("a", "b", "c"):
            add(writers, tmp_path / name, f"{turn}:0")
    assert open_files() == before + 4
    writers.close()
    assert open_files() == before
    assert LabelLog(tmp_path / "a").read().num_rows == 3


def test_a_folder_that_takes_no_label_is_said(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("")
    with pytest.raises(CannotRun, match="Labels cannot be written"):
        add(LabelWriters(), tmp_path / "log", "p:0")
