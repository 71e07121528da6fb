"""A query selects rows from each file of a log, while files are converted, torn or damaged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import CannotRun
from monitoring.timestamps import as_datetime, as_microseconds
from monitoring.traffic.format.layout import OPEN
from monitoring.traffic.format.rows import CALLER, TIMESTAMP, AnsweredRows, ModelKey
from monitoring.traffic.id_keys import IdSet
from monitoring.traffic.log.conversion import recover
from monitoring.traffic.log.listing import list_traffic
from monitoring.traffic.log.scans import (
    Query,
    Scan,
    excluded_rows,
    extent_us,
    list_keys,
    read_scans,
    scan_files,
    scan_segments,
)
from monitoring.traffic.log.writer import TrafficWriter
from tests.monitoring.traffic.conftest import NOON, NOON_US

Answer = Callable[..., AnsweredRows]
Clock = Callable[[], datetime]
DAY = timedelta(days=1)
TIMES = st.integers(0, 20)


@given(st.lists(TIMES), TIMES | st.none(), TIMES | st.none())
def test_rows_are_cut_to_the_times_start_included_and_end_not(
    times: list[int], start: int | None, end: int | None
) -> None:
    query = Query(start=None if start is None else as_datetime(start), end=None if end is None else as_datetime(end))
    table = query.cut(pa.table({"event_time": pa.array(times, TIMESTAMP)}))
    expected = [time for time in times if (start is None or time >= start) and (end is None or time < end)]
    assert table["event_time"].cast(pa.int64()).to_pylist() == expected


def test_the_dates_to_read_are_those_of_the_first_and_of_the_last_microsecond() -> None:
    midnight = datetime.fromisoformat("2013-04-03T00:00:00+00:00")
    selection = Query(model="m", version=3, start=NOON, end=midnight).selection
    assert (selection.first, selection.last) == (date(2013, 4, 1), date(2013, 4, 2))
    assert (selection.model, selection.version) == ("m", 3)
    later = Query(end=midnight + timedelta(microseconds=1)).selection
    assert (later.first, later.last) == (None, date(2013, 4, 3))


@pytest.fixture
def open_log(tmp_path: Path, clock: Clock, answer: Answer) -> Path:
    """One open segment of a dead writer, with rows of two days, the later ones first."""
    writer = TrafficWriter(tmp_path, clock=clock)
    for batch in (answer("late", 2, at=NOON + DAY), answer("early", 3), answer("again", 1, at=NOON + DAY)):
        writer.append(batch)
    [segment] = writer._open.values()
    segment.file.release()
    return tmp_path


@given(
    st.lists(st.tuples(st.sampled_from(["", "a", "b"]), st.sampled_from(["", "b", "c"]))),
    st.frozensets(st.sampled_from("abc")),
)
def test_a_caller_is_excluded_by_principal_or_by_peer(callers: list[tuple[str, str]], excluded: frozenset[str]) -> None:
    table = pa.table({name: pa.array([one[i] for one in callers], pa.string()) for i, name in enumerate(CALLER)})
    expected = [bool(excluded & {*one}) for one in callers]
    assert excluded_rows(table, excluded).tolist() == expected
    assert Query(excluded=excluded).without_excluded(table).num_rows == expected.count(False)
    older = pa.table({"request_id": [""] * len(callers)})
    assert not excluded_rows(older, excluded).any(), "of a log that has no callers nothing is excluded"


@pytest.mark.parametrize("converted", [False, True])
def test_rows_of_excluded_callers_are_counted_whatever_is_read(
    tmp_path: Path, clock: Clock, answer: Answer, converted: bool
) -> None:
    writer = TrafficWriter(tmp_path, clock=clock)
    for name, count in (("shop", 2), ("load-test", 3)):
        writer.append(replace(answer(name, count), principals=[name] * count))
    if converted:
        writer.close()
    query = Query(excluded=frozenset({"load-test"}))
    for columns in (None, ["request_id"], [*CALLER]):
        [scan] = read_scans(tmp_path, query, columns)
        assert (scan.table.num_rows, scan.excluded) == (2, 3)
    some = IdSet(pa.array(["shop:0", "load-test:0"]))
    [scan] = read_scans(tmp_path, replace(query, ids=some), None)
    assert (scan.table["request_id"].to_pylist(), scan.excluded) == (["shop"], 1)
    assert extent_us(tmp_path, query) == (NOON_US, NOON_US + 1)
    assert extent_us(tmp_path, replace(query, excluded=frozenset({"shop", "load-test"}))) is None
    writer.close()


def requests(scans: list[Scan]) -> list[list[str]]:
    return [scan.table["request_id"].to_pylist() for scan in scans]


def test_an_open_segment_is_one_scan_and_its_parts_are_one_each(open_log: Path) -> None:
    whole = ["late", "late", "early", "early", "early", "again"]
    assert requests(read_scans(open_log, Query(), None)) == [whole]
    assert requests(list(scan_segments(open_log, Query()))) == [whole]
    recover(open_log)
    assert sorted(requests(read_scans(open_log, Query(), None))) == [["early"] * 3, ["late", "late", "again"]]
    assert requests(list(scan_segments(open_log, Query()))) == [whole], "as it was written"


@pytest.mark.parametrize("converted", [False, True])
def test_a_query_selects_rows_and_columns(open_log: Path, converted: bool) -> None:
    if converted:
        recover(open_log)
    columns = ["event_time", "input:temp", "absent"]
    [scan] = read_scans(open_log, Query(start=NOON + DAY), columns)
    assert sorted(scan.table.column_names) == ["event_time", "input:temp", "position"]
    assert scan.table["position"].to_pylist() == [0, 1, 5]
    assert scan.key == ModelKey("flights", 1, "serving_default")
    assert read_scans(open_log, Query(model="boats"), None) == []
    assert read_scans(open_log, Query(version=2), None) == []


def test_a_segment_that_is_converted_after_it_was_listed_is_read_from_its_parts(
    open_log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def list_then_convert(*arguments: object) -> object:
        listing = list_traffic(*arguments)  # type: ignore[arg-type]  # passed through
        recover(open_log)
        return listing

    monkeypatch.setattr("monitoring.traffic.log.scans.list_traffic", list_then_convert)
    scans = list(scan_files(open_log, Query(end=NOON + DAY), None))
    assert requests(scans) == [["early"] * 3, []]


def test_keys_and_extent_are_those_of_all_files(open_log: Path, clock: Clock, answer: Answer) -> None:
    key = ModelKey("flights", 1, "serving_default")
    assert list_keys(open_log) == {key}
    assert extent_us(open_log, Query()) == (NOON_US, as_microseconds(NOON + DAY) + 1)
    recover(open_log)
    writer = TrafficWriter(open_log, clock=clock)
    writer.append(answer("x", 1, at=NOON + 2 * DAY, model="boats"))
    assert list_keys(open_log) == {key, ModelKey("boats", 1, "serving_default")}
    assert extent_us(open_log, Query()) == (NOON_US, as_microseconds(NOON + 2 * DAY))
    assert extent_us(open_log, Query(model="flights")) == (NOON_US, as_microseconds(NOON + DAY) + 1)
    assert extent_us(open_log, Query(model="nobody")) is None
    writer.close()


def test_a_segment_without_a_whole_schema_has_no_key_and_is_counted(open_log: Path) -> None:
    torn = open_log / OPEN / "00000000000000000001-0000001-000000.arrows"
    torn.write_bytes(b"\xff\xff\xff\xffhalf")
    first, second = read_scans(open_log, Query(), None)
    assert (first.key, first.segment, first.torn_bytes, first.table.num_rows) == (None, torn.stem, 8, 0)
    assert second.torn_bytes == 0
    assert len(list_keys(open_log)) == 1


def test_a_part_that_retention_removes_while_the_log_is_read_is_named(open_log: Path) -> None:
    recover(open_log)
    scans = scan_files(open_log, Query(), None)
    next(scans)
    for path in open_log.rglob("*.parquet"):
        path.unlink()
    with pytest.raises(CannotRun, match=r"removed while the log was read.*no longer exists"):
        next(scans)


def test_a_part_that_is_damaged_or_gone_is_named(open_log: Path) -> None:
    recover(open_log)
    first, second = sorted(open_log.rglob("*.parquet"))
    first.write_bytes(b"PAR1 and no more")
    with pytest.raises(CannotRun, match=rf"A part of the traffic log cannot be read\. Got {first}"):
        read_scans(open_log, Query(), None)
    with pytest.raises(CannotRun, match="cannot be read"):
        extent_us(open_log, Query())
    first.unlink()
    assert requests(read_scans(open_log, Query(), None)) == [["late", "late", "again"]]
    assert second.exists()
