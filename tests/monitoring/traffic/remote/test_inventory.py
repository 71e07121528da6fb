"""What an archive holds is listed once, until a part has been moved there or a minute is over."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.log.archive import Archiver
from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.writer import TrafficWriter
from monitoring.traffic.remote.file_store import FileStore
from monitoring.traffic.remote.inventory import LISTINGS_CACHED, VALID_S, Inventory, mark_moved

Answer = Callable[..., AnsweredRows]


class Counted(FileStore):
    """A store that counts how often it is listed."""

    listings = 0

    def find(self, under: str = "") -> list[str]:
        type(self).listings += 1
        return super().find(under)


@pytest.fixture
def store(tmp_path: Path) -> Counted:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "a").write_text("")
    Counted.listings = 0
    return Counted(f"file://{tmp_path}/store")


@pytest.fixture
def marker(tmp_path: Path, store: Counted) -> Path:
    path = tmp_path / "archive.json"
    path.write_text(json.dumps({"url": store.url}))
    return path


def test_a_listing_counts_until_a_mark_or_a_minute(store: Counted, marker: Path, tmp_path: Path) -> None:
    now = [0.0]
    inventory = Inventory(lambda: now[0])
    (tmp_path / "store" / "b").write_text("")
    for moment, listings in ((0.0, 1), (VALID_S - 1, 1), (VALID_S, 2), (VALID_S + 1, 2)):
        now[0] = moment
        assert (inventory.keys(marker, store, ""), store.listings) == (["a", "b"], listings)
    (tmp_path / "store" / "c").write_text("")
    mark_moved(marker)
    assert inventory.keys(marker, store, "") == ["a", "b", "c"]
    marks = [marker.stat().st_mtime_ns]
    for _ in range(3):
        mark_moved(marker)
        marks.append(marker.stat().st_mtime_ns)
    assert all(later - earlier >= 2_000_000_000 for earlier, later in pairwise(marks))


def test_it_keeps_few_listings(store: Counted, marker: Path) -> None:
    inventory = Inventory(lambda: 0.0)
    for _ in range(2):
        for number in range(LISTINGS_CACHED):
            inventory.keys(marker, store, f"{number}")
    assert store.listings == LISTINGS_CACHED
    inventory.keys(marker, store, "one more")
    inventory.keys(marker, store, "0")
    assert store.listings == LISTINGS_CACHED + 2


def test_a_reader_sees_what_was_moved_since_it_listed(
    tmp_path: Path, clock: Callable[[], datetime], answer: Answer
) -> None:
    log = tmp_path / "log"
    archiver = Archiver(log_of(log), f"file://{tmp_path}/far")
    for number in range(3):
        writer = TrafficWriter(log, clock=clock)
        writer.append(answer(f"r{number}", count=1))
        writer.close()
        assert TrafficLog(log).read(model="flights").num_rows == number + 1
        assert archiver.move_parts() == 1
        assert TrafficLog(log).read(model="flights").num_rows == number + 1


def log_of(folder: Path) -> Path:
    (folder / "open").mkdir(parents=True)
    return folder
