"""Rows go from parts, archive and segments; all others stay as they were."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from monitoring.erasure.logged_rows import both_ids, ids_where, open_segments, part_changes, still_open
from monitoring.erasure.wanted_rows import ColumnValue, WantedRows
from monitoring.errors import BadInput, CannotRun
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.log.archive import Archiver
from monitoring.traffic.log.log import TrafficLog
from tests.monitoring.erasure.small_log import write_log

Answer = Callable[..., AnsweredRows]
ADA = ColumnValue(column="email", value="ada@example.org")
HERS = ("r0:0", "r2:1", "r3:0", "r5:1")


def apply(root: Path, wanted: WantedRows) -> list[tuple[str, int, int]]:
    """Erase, and say what went: kind, rows before, rows removed."""
    found = []
    for change in part_changes(root, wanted):
        change.apply()
        found.append((change.erased.kind, change.erased.rows, change.erased.removed))
    return found


@pytest.mark.parametrize("closed", [True, False])
def test_ids_are_found_by_the_value_of_an_input(tmp_path: Path, answer: Answer, closed: bool) -> None:
    writer = write_log(tmp_path, answer, close=closed)
    assert ids_where(tmp_path, ADA) == HERS
    assert ids_where(tmp_path, ColumnValue(column="customer", value="3")) == ("r2:1", "r3:0")
    assert ids_where(tmp_path, ColumnValue(column="request_id", value="r4")) == ("r4:0", "r4:1")
    assert ids_where(tmp_path, ColumnValue(column="latency_us", value="1")) == ()
    assert ids_where(tmp_path, ColumnValue(column="latency_us", value="x")) == ()
    writer.close()


def test_a_column_that_no_row_has_is_refused_with_those_there_are(tmp_path: Path, answer: Answer) -> None:
    write_log(tmp_path, answer)
    with pytest.raises(BadInput, match="input:email"):
        ids_where(tmp_path, ColumnValue(column="mail", value="x"))
    (tmp_path / "empty" / "open").mkdir(parents=True)
    assert ids_where(tmp_path / "empty", ADA) == ()


def test_other_rows_keep_their_order_columns_and_metadata(tmp_path: Path, answer: Answer) -> None:
    write_log(tmp_path, answer)
    log, parts = TrafficLog(tmp_path), sorted(tmp_path.rglob("*.parquet"))
    before, files = log.read(model="flights"), [pq.read_table(path) for path in parts]
    assert apply(tmp_path, WantedRows(ids=HERS)) == [("part", 6, 2), ("part", 6, 2)]
    kept = [row for row in before.to_pylist() if row["prediction_id"] not in HERS]
    after = log.read(model="flights")
    assert after.to_pylist() == kept
    assert after.schema.equals(before.schema, check_metadata=True)
    for path, was in zip(parts, files, strict=True):
        now = pq.read_table(path)
        assert now.schema.equals(was.schema, check_metadata=True)
        assert now.to_pylist() == [row for row in was.to_pylist() if f"{row['request_id']}:{row['row']}" not in HERS]
    assert b"ada@example.org" not in b"".join(path.read_bytes() for path in parts)
    assert apply(tmp_path, WantedRows(ids=HERS)) == []


def test_files_without_such_rows_are_not_touched(tmp_path: Path, answer: Answer) -> None:
    write_log(tmp_path, answer)
    before = {path: path.stat().st_ino for path in tmp_path.rglob("*.parquet")}
    assert apply(tmp_path, WantedRows(ids=("r0:0",))) == [("part", 6, 1)]
    changed = [path for path, inode in before.items() if path.stat().st_ino != inode]
    assert [path.parent.name for path in changed] == ["date=2013-04-01"]


def test_a_part_keeps_its_mode(tmp_path: Path, answer: Answer) -> None:
    write_log(tmp_path, answer)
    for path in tmp_path.rglob("*.parquet"):
        path.chmod(0o640)
    apply(tmp_path, WantedRows(ids=HERS))
    assert {path.stat().st_mode & 0o777 for path in tmp_path.rglob("*.parquet")} == {0o640}


def own_ids(answer: Answer) -> Answer:
    """Rows whose answers have ids of the server's own; those of r1 are in quarantine."""

    def rows(request: str, count: int, **more: object) -> AnsweredRows:
        own = [f"pitfalls-{request}"] * count
        return replace(answer(request, count, **more), answer_ids=own, quarantined=request == "r1")

    return rows


@pytest.mark.parametrize("closed", [True, False])
def test_ids_of_answers_and_of_predictions_belong_together(tmp_path: Path, answer: Answer, closed: bool) -> None:
    writer = write_log(tmp_path, own_ids(answer), close=closed)
    both = ("pitfalls-r0:0", "r0:0")
    assert both_ids(tmp_path, ("r0:0",)) == both_ids(tmp_path, ("pitfalls-r0:0",)) == both
    assert both_ids(tmp_path, ("nobody:0",)) == ("nobody:0",)
    assert ids_where(tmp_path, ColumnValue(column="customer", value="1")) == ("r0:1", "r1:0")
    writer.close()
    assert apply(tmp_path, WantedRows(ids=("pitfalls-r0:0", "r2:0"))) == [("part", 6, 2)]
    assert apply(tmp_path, WantedRows(ids=both)) == []


def test_rows_in_quarantine_go_too(tmp_path: Path, answer: Answer) -> None:
    root, there = tmp_path / "log", tmp_path / "archive"
    write_log(root, own_ids(answer))
    assert apply(root, WantedRows(ids=("r1:0",))) == [("part", 2, 1)]
    there.mkdir()
    Archiver(root, there.as_uri()).move_parts()
    assert ids_where(root, ColumnValue(column="request_id", value="r1")) == ("r1:1",)
    assert apply(root, WantedRows(ids=("r1:1",))) == [("archived part", 1, 1)]


def test_a_log_all_of_whose_rows_of_a_day_went_is_read_as_before(tmp_path: Path, answer: Answer) -> None:
    write_log(tmp_path, answer)
    first_day = tuple(f"r{number}:{row}" for number in (0, 2, 4) for row in (0, 1))
    apply(tmp_path, WantedRows(ids=first_day))
    log = TrafficLog(tmp_path)
    assert log.read(model="flights").num_rows == 6
    extent = log.extent("flights")
    assert extent is not None
    assert extent[0].day == 2
    assert log.spans("flights", longest_gap=extent[1] - extent[0]) == (extent,)
    apply(tmp_path, WantedRows(ids=tuple(f"r{number}:{row}" for number in (1, 3, 5) for row in (0, 1))))
    assert log.read(model="flights").num_rows == 0
    assert log.extent("flights") is None
    assert log.summary().rows == 0


def test_parts_in_the_archive_are_replaced_there(tmp_path: Path, answer: Answer) -> None:
    root, there = tmp_path / "log", tmp_path / "archive"
    write_log(root, answer)
    there.mkdir()
    assert Archiver(root, there.as_uri()).move_parts() == 2
    assert ids_where(root, ADA) == HERS
    assert apply(root, WantedRows(ids=HERS)) == [("archived part", 6, 2), ("archived part", 6, 2)]
    assert TrafficLog(root).read(model="flights").num_rows == 8
    assert not any(b"ada@example.org" in path.read_bytes() for path in there.rglob("*") if path.is_file())
    assert apply(root, WantedRows(ids=HERS)) == []


def test_a_copy_in_the_archive_goes_too_while_its_part_is_here(tmp_path: Path, answer: Answer) -> None:
    root, there = tmp_path / "log", tmp_path / "archive"
    write_log(root, answer)
    there.mkdir()
    archiver = Archiver(root, there.as_uri())
    for path in root.rglob("*.parquet"):  # as an archiver that was killed after its copy leaves it
        archiver.store.put(path, path.relative_to(root).as_posix())
    assert len(apply(root, WantedRows(ids=HERS))) == 4
    assert archiver.move_parts() == 2
    assert not any(b"ada@example.org" in path.read_bytes() for path in there.rglob("*") if path.is_file())


def test_an_archive_that_cannot_be_written_is_an_error(tmp_path: Path, answer: Answer) -> None:
    root, there = tmp_path / "log", tmp_path / "archive"
    write_log(root, answer)
    there.mkdir()
    archiver = Archiver(root, there.as_uri())
    archiver.move_parts()
    folder = next(there.rglob("*.parquet")).parent
    changes = part_changes(root, WantedRows(ids=HERS))
    change = next(changes)
    for path in folder.parent.rglob("*.parquet"):
        path.unlink()
    for path in folder.parent.iterdir():
        path.rmdir()
    folder.parent.rmdir()
    folder.parent.write_text("a file", "utf-8")
    with pytest.raises(CannotRun, match="cannot be written"):
        change.apply()


def test_segments_of_a_living_writer_are_told(tmp_path: Path, answer: Answer) -> None:
    writer = write_log(tmp_path, answer, close=False)
    [segment] = open_segments(tmp_path, WantedRows(ids=HERS))
    assert (segment.rows, segment.removed, segment.sha256_after) == (12, 4, None)
    assert open_segments(tmp_path, WantedRows(ids=("x:0",))) == []
    assert still_open(tmp_path, [segment]) == (segment,)
    writer.close()
    assert still_open(tmp_path, [segment]) == ()
