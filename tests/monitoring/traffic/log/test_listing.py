"""The files to read: each row in exactly one of them, and no file of an unfinished conversion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from monitoring.errors import BadInput
from monitoring.traffic.format.layout import ARCHIVE
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.log.archive import Archiver
from monitoring.traffic.log.listing import Selection, list_traffic, local_parts, parts_of, read_archive, write_archive
from monitoring.traffic.log.writer import TrafficWriter
from monitoring.traffic.remote.file_store import FileStore
from tests.monitoring.traffic.conftest import NOON

Answer = Callable[..., AnsweredRows]
Clock = Callable[[], datetime]
DAY = timedelta(days=1)


@pytest.fixture
def log(tmp_path: Path, clock: Clock, answer: Answer) -> Path:
    """Two models; one with two versions, and days from the first to the third of April."""
    root = tmp_path / "log"
    writer = TrafficWriter(root, clock=clock)
    for batch in (answer("a"), answer("b", at=NOON + DAY), answer("c", at=NOON + 2 * DAY)):
        writer.append(batch)
    writer.append(answer("d", version=2))
    writer.append(answer("e", model="a/b"))
    writer.close()
    return root


def found(root: Path, **selection: object) -> list[tuple[str, int, str]]:
    listing = list_traffic(root, Selection(**selection))  # type: ignore[arg-type]  # shorthand
    assert listing.open == ()
    return sorted((part.model, part.version, part.day) for part in listing.parts)


@pytest.mark.parametrize("moved", [False, True], ids=["here", "archived"])
def test_parts_are_selected_by_model_version_and_date(log: Path, tmp_path: Path, moved: bool) -> None:
    if moved:
        Archiver(log, f"file://{tmp_path}/store").move_parts()
    days = ["2013-04-01", "2013-04-02", "2013-04-03"]
    assert found(log) == [("a/b", 1, days[0]), *(("flights", 1, day) for day in days), ("flights", 2, days[0])]
    assert found(log, model="a/b") == [("a/b", 1, days[0])]
    assert found(log, model="flights", version=2) == [("flights", 2, days[0])]
    assert found(log, version=3) == []
    assert found(log, model="flights", version=1, first=date(2013, 4, 2)) == [("flights", 1, day) for day in days[1:]]
    assert found(log, version=1, last=date(2013, 4, 1)) == [("a/b", 1, days[0]), ("flights", 1, days[0])]


@pytest.mark.parametrize("moved", [False, True], ids=["here", "archived"])
def test_parts_in_quarantine_come_alone(log: Path, tmp_path: Path, clock: Clock, answer: Answer, moved: bool) -> None:
    before = found(log)
    writer = TrafficWriter(log, clock=clock)
    writer.append(replace(answer("old", at=NOON - 9999 * DAY), quarantined=True))
    writer.close()
    if moved:
        assert Archiver(log, f"file://{tmp_path}/store").move_parts() == 6
    assert found(log) == before
    assert found(log, quarantined=True) == [("flights", 1, "")]
    assert found(log, quarantined=True, version=2) == []


def test_while_a_segment_is_open_its_parts_do_not_count(log: Path) -> None:
    [part] = [each for each in local_parts(log, Selection(version=2)) if each.model == "flights"]
    segment = log / "open" / f"{part.segment}.arrows"
    segment.write_bytes(b"")
    listing = list_traffic(log, Selection())
    assert listing.open == (segment,)
    assert part.segment not in {each.segment for each in listing.parts}
    assert [each.path for each in parts_of(log, Selection(), part.segment)] == [part.path]


def test_the_part_here_counts_and_not_the_one_of_its_name_in_the_archive(log: Path, tmp_path: Path) -> None:
    archiver = Archiver(log, f"file://{tmp_path}/store")
    part = local_parts(log, Selection(model="a/b"))[0]
    archiver.store.put(part.path, part.key)
    assert found(log, model="a/b") == [("a/b", 1, "2013-04-01")]
    part.path.unlink()
    [moved] = list_traffic(log, Selection(model="a/b")).parts
    with moved.open() as file:
        assert file.metadata.num_rows == 2


def test_files_of_others_are_no_parts(log: Path, tmp_path: Path) -> None:
    before = found(log)
    folder = log / "model=flights" / "version=1"
    for name in ("version=1/date=2013-04-01/.hidden.parquet.tmp", "version=x/date=2013-04-01/a.parquet", "notes"):
        path = log / "model=flights" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (folder / "README").touch()
    assert found(log) == before
    Archiver(log, f"file://{tmp_path}/store").move_parts()
    (tmp_path / "store" / "model=flights" / "version=1" / "date=2013-04-01" / "deeper").mkdir()
    (tmp_path / "store" / "model=flights" / "version=1" / "date=2013-04-01" / "deeper" / "a.parquet").touch()
    (tmp_path / "store" / "a.parquet").touch()
    assert found(log) == before


def test_the_archive_is_read_as_it_was_written_and_a_broken_one_is_named(log: Path, tmp_path: Path) -> None:
    assert read_archive(log) is None
    write_archive(log, FileStore(f"file://{tmp_path}/store"))
    store = read_archive(log)
    assert store is not None
    assert store.url == f"file://{tmp_path}/store"
    for text in ("", "[]", "{}", '{"url": 3}', "no json"):
        (log / ARCHIVE).write_text(text)
        with pytest.raises(BadInput, match=r"archive\.json cannot be read"):
            read_archive(log)
