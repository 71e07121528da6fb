"""What killed workers have left of the log when nobody writes it any more."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.writer import TrafficWriter
from serving.capture.traffic import TrafficSettings, close_after
from tests.serving.test_sink import answered

if TYPE_CHECKING:
    from pathlib import Path


def left_open(folder: Path, request: str) -> None:
    """A log whose writer was killed: an open segment that nobody has locked."""
    aside = folder.with_name(f"{folder.name}.aside")
    writer = TrafficWriter(aside, clock=lambda: datetime(2013, 4, 1, tzinfo=UTC))
    writer.append(answered(request, 3))
    shutil.copytree(aside, folder)
    writer.close()


def test_it_is_converted_and_moved_to_the_archive(tmp_path: Path) -> None:
    own, elsewhere, archive = (tmp_path / name for name in ("own", "elsewhere", "archive"))
    left_open(own, "a")
    left_open(elsewhere, "b")
    told: list[str] = []
    settings = TrafficSettings(folder=own, archive=f"file://{archive}")
    close_after(settings, [elsewhere, tmp_path / "none"], told.append)
    assert told == []
    for folder, request in ((own, "a"), (elsewhere, "b")):
        assert list(folder.glob("open/*.arrows")) == []
        assert TrafficLog(folder).read(model="m")["request_id"].to_pylist() == [request] * 3
    assert [len(list(folder.rglob("*.parquet"))) for folder in (own, elsewhere, archive)] == [0, 0, 2]
