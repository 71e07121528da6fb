"""The log gives back what was written, whichever files hold it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitoring.errors import BadInput
from monitoring.traffic.format.rows import TIMESTAMP, AnsweredRows, ModelKey
from monitoring.traffic.id_keys import IdSet
from monitoring.traffic.labels.label_writer import LabelWriter
from monitoring.traffic.log.assembly import CONFLICTS_KEY, EXCLUDED_KEY, REPEATS_KEY
from monitoring.traffic.log.conversion import recover
from monitoring.traffic.log.log import TrafficLog, join_labels, plain_names
from monitoring.traffic.log.writer import TrafficWriter

NOON = datetime(2013, 4, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)

Answer = Callable[..., AnsweredRows]
Clock = Callable[[], datetime]


def write(root: Path, clock: Clock, *batches: AnsweredRows, close: bool = True) -> TrafficWriter:
    writer = TrafficWriter(root, clock=clock)
    for batch in batches:
        writer.append(batch)
    if close:
        writer.close()
    return writer


@pytest.mark.parametrize("close", [False, True], ids=["open", "converted"])
def test_rows_come_back_with_every_column_of_the_contract(
    tmp_path: Path, clock: Clock, answer: Answer, close: bool
) -> None:
    writer = write(tmp_path, clock, answer("b", 2), close=close)
    table = TrafficLog(tmp_path).read(model="flights")
    writer.close()
    moment = pa.timestamp("us", tz="UTC")
    assert [(field.name, field.type) for field in table.schema] == [
        ("prediction_id", pa.string()),
        ("request_id", pa.string()),
        ("row", pa.int32()),
        ("event_time", moment),
        ("answered_at", moment),
        ("latency_us", pa.int64()),
        ("answer_id", pa.string()),
        ("caller_principal", pa.string()),
        ("caller_peer", pa.string()),
        ("model", pa.string()),
        ("version", pa.int64()),
        ("signature", pa.string()),
        ("input:temp", pa.list_(pa.field("element", pa.float32()))),
        ("input:carrier", pa.list_(pa.field("element", pa.binary()))),
        ("output:probabilities", pa.list_(pa.field("element", pa.float32()))),
    ]
    assert table.to_pylist()[1] == {
        "prediction_id": "b:1",
        "request_id": "b",
        "row": 1,
        "event_time": NOON + timedelta(microseconds=1),
        "answered_at": NOON + timedelta(microseconds=1000),
        "latency_us": 1500,
        "answer_id": None,
        "caller_principal": None,
        "caller_peer": None,
        "model": "flights",
        "version": 1,
        "signature": "serving_default",
        "input:temp": [1.0],
        "input:carrier": [b"UA"],
        "output:probabilities": [0.0, 1.0],
    }
    assert table.schema.field("output:probabilities").metadata == {b"shape": b"[2]", b"dtype": b"float32"}
    assert table.schema.field("input:carrier").metadata == {b"shape": b"[]", b"dtype": b"string"}


def test_conversion_changes_nothing_a_reader_sees(tmp_path: Path, clock: Clock, answer: Answer) -> None:
    batches = [
        answer("late", 3, at=NOON + 2 * DAY),
        answer("early", 3),
        answer("early", 2, at=NOON + DAY, salt=5),  # again, on another date: the first write wins
        answer("early", 1, salt=7),
        answer("other", 2, version=2),
        answer("other", 2, signature="explain", at=NOON + DAY),
    ]
    writer = write(tmp_path, clock, *batches, close=False)
    log = TrafficLog(tmp_path)
    before, summary = log.read(model="flights"), log.summary()
    writer.close()
    assert not list((tmp_path / "open").iterdir())
    assert log.read(model="flights").equals(before, check_metadata=True)
    assert log.summary() == summary
    assert before.column("prediction_id").to_pylist() == [
        "early:0", "other:0", "early:1", "other:1", "early:2", "late:0", "late:1", "late:2",
    ]  # fmt: skip
    assert [row["input:temp"] for row in before.to_pylist()][:5] == [[0.0], [0.0], [1.0], [1.0], [2.0]]
    assert before.schema.metadata[CONFLICTS_KEY] == b"3", "early:0 twice and early:1 with other inputs"
    assert (summary.rows, summary.repeats, summary.torn_bytes, summary.segments) == (8, 5, 0, 3)
    assert summary.conflicts == 3


def test_parquet_parts_are_split_by_date_and_carry_their_key(tmp_path: Path, clock: Clock, answer: Answer) -> None:
    midnight = datetime(2013, 4, 2, tzinfo=UTC)
    write(tmp_path, clock, answer("r", 2, at=midnight - timedelta(microseconds=1), model="a/b", version=12))
    parts = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.parquet"))
    assert [part.rsplit("/", 1)[0] for part in parts] == [
        "model=a%2Fb/version=12/date=2013-04-01",
        "model=a%2Fb/version=12/date=2013-04-02",
    ]
    metadata = pq.read_schema(tmp_path / parts[0]).metadata
    assert metadata[b"pitfalls.format"] == b"1"
    assert (metadata[b"pitfalls.model"], metadata[b"pitfalls.version"]) == (b"a/b", b"12")
    assert TrafficLog(tmp_path).models() == (ModelKey("a/b", 12, "serving_default"),)
    assert TrafficLog(tmp_path).read(model="a/b", version=12).num_rows == 2


def test_times_and_versions_select_rows(tmp_path: Path, clock: Clock, answer: Answer) -> None:
    write(tmp_path, clock, answer("a", 3), answer("b", 1, at=NOON + DAY), answer("c", 1, version=2))
    writer = write(tmp_path, clock, answer("d", 2, at=NOON + timedelta(hours=1)), close=False)
    log = TrafficLog(tmp_path)

    def ids(**query: object) -> list[str]:
        table = log.read(model="flights", columns=["prediction_id"], **query)  # type: ignore[arg-type]  # shorthand
        return [str(value) for value in table["prediction_id"]]

    assert ids(version=1, end=NOON + timedelta(microseconds=2)) == ["a:0", "a:1"]
    assert ids(version=1, start=NOON + timedelta(microseconds=1), end=NOON + DAY) == ["a:1", "a:2", "d:0", "d:1"]
    assert ids(start=NOON + DAY) == ["b:0"]
    assert ids(version=2) == ["c:0"]
    assert ids(start=NOON, end=NOON) == []
    assert log.read(model="nobody").num_rows == 0
    assert log.extent("flights") == (NOON, NOON + DAY)
    assert log.extent("flights", 2) == (NOON, NOON)
    assert log.extent("nobody") is None
    writer.close()


def test_one_day_of_many_opens_only_its_own_files(
    tmp_path: Path, clock: Clock, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, clock, *(answer(f"r{day}", 2, at=NOON + day * DAY) for day in range(60)))
    opened: list[str] = []
    original = pq.ParquetFile

    def counting(path: Path, *arguments: object, **options: object) -> pq.ParquetFile:
        opened.append(path.parent.name)
        return original(path, *arguments, **options)

    monkeypatch.setattr(pq, "ParquetFile", counting)
    start = datetime(2013, 5, 1, tzinfo=UTC)
    assert TrafficLog(tmp_path).read(model="flights", start=start, end=start + DAY).num_rows == 2
    assert opened == ["date=2013-05-01"]


def test_columns_are_projected_in_the_order_asked_for(tmp_path: Path, clock: Clock, answer: Answer) -> None:
    write(tmp_path, clock, answer("a", 1))
    log = TrafficLog(tmp_path)
    columns = ["output:probabilities", "version", "event_time"]
    assert log.read(model="flights", columns=columns).column_names == columns
    with pytest.raises(BadInput, match="input:wind"):
        log.read(model="flights", columns=["input:wind"])


def test_the_users_table_has_bare_names_and_the_last_label(tmp_path: Path, clock: Clock, answer: Answer) -> None:
    write(tmp_path, clock, answer("a", 3))
    labels = LabelWriter(tmp_path, clock=clock)
    labels.append(["a:0", "a:2", "a:0"], ["late", "on_time", "on_time"], [1, 2, 3])
    labels.close()
    table = TrafficLog(tmp_path).table()
    assert table.column_names == [
        "prediction_id", "request_id", "row", "event_time", "model", "version", "signature",
        "answer_id", "caller_principal", "caller_peer", "temp", "carrier", "probabilities", "label", "label_time",
    ]  # fmt: skip
    assert table["temp"].to_pylist() == [0.0, 1.0, 2.0]
    assert table["carrier"].to_pylist() == ["UA"] * 3
    assert table["probabilities"].to_pylist() == [[1.0, 0.0], [0.0, 1.0], [-1.0, 2.0]]
    assert table["label"].to_pylist() == ["on_time", None, "on_time"]
    assert table["label_time"].to_pylist()[0] == datetime(1970, 1, 1, 0, 0, 0, 3, tzinfo=UTC)


def asked_by(rows: AnsweredRows, principal: str, peer: str = "10.0.0.1", **more: Any) -> AnsweredRows:
    return replace(rows, principals=[principal] * rows.count, peers=[peer] * rows.count, **more)


@pytest.mark.parametrize("close", [False, True], ids=["open", "converted"])
def test_rows_have_their_caller_and_those_of_excluded_ones_are_left_out(
    tmp_path: Path, clock: Clock, answer: Answer, close: bool
) -> None:
    batches = [
        asked_by(answer("a", 2), "shop", answer_ids=["pitfalls-1"] * 2),
        asked_by(answer("b", 1, at=NOON + 9 * DAY), "load-test"),
        asked_by(answer("c", 1), "", "10.0.0.2"),
        asked_by(answer("é", 1), "schön"),
        answer("d", 1),
    ]
    writer = write(tmp_path, clock, *batches, close=close)
    table = TrafficLog(tmp_path).table()
    rest = TrafficLog(tmp_path, excluded=frozenset({"load-test", "10.0.0.2"}))
    read = rest.read(model="flights", columns=["request_id"])
    everything = rest.read(model="flights")
    extent = rest.extent("flights")
    spans = rest.spans("flights", longest_gap=DAY)
    writer.close()
    shown = table.select(["prediction_id", "answer_id", "caller_principal", "caller_peer"]).to_pylist()
    assert [tuple(row.values()) for row in shown] == [
        ("a:0", "pitfalls-1", "shop", "10.0.0.1"),
        ("c:0", None, None, "10.0.0.2"),
        ("d:0", None, None, None),
        ("é:0", None, "schön", "10.0.0.1"),
        ("a:1", "pitfalls-1", "shop", "10.0.0.1"),
        ("b:0", None, "load-test", "10.0.0.1"),
    ]
    assert read.to_pydict() == {"request_id": ["a", "d", "é", "a"]}
    assert everything["request_id"].to_pylist() == ["a", "d", "é", "a"]
    assert everything.schema.metadata[EXCLUDED_KEY] == b"2"
    assert extent == (NOON, NOON + timedelta(microseconds=1))
    assert spans == (extent,)
    assert TrafficLog(tmp_path).extent("flights") == (NOON, NOON + 9 * DAY)


@pytest.mark.parametrize("close", [False, True], ids=["open", "converted"])
def test_rows_in_quarantine_are_read_alone(tmp_path: Path, clock: Clock, answer: Answer, close: bool) -> None:
    old = datetime(1, 1, 2, tzinfo=UTC)
    aside = [replace(answer("old", 2, at=old + day * DAY), quarantined=True) for day in range(3)]
    writer = write(tmp_path, clock, *aside, answer("new", 1), close=close)
    log = TrafficLog(tmp_path)
    table, summary, quarantine = log.table(), log.summary(), log.quarantine(model="flights", version=1)
    others = log.quarantine(model="boats")
    spans, models = log.spans("flights", longest_gap=DAY), log.models()
    at = log.quarantined_at("flights", 1)
    writer.close()
    assert table["request_id"].to_pylist() == ["new"]
    assert (summary.rows, summary.quarantined, summary.first) == (1, 6, NOON)
    assert (quarantine.num_rows, others.num_rows) == (2, 0), "each id once"
    assert quarantine["event_time"].to_pylist()[0] == old
    assert quarantine["answered_at"].to_pylist()[0] == old + timedelta(microseconds=1000)
    assert (len(spans), len(models), at.size) == (1, 1, 6)
    folders = {path.parent.name for path in tmp_path.glob("model=*/version=*/*/*.parquet")}
    assert folders == {"quarantine", "date=2013-04-01"}


def test_dead_writers_segments_are_recovered_and_living_ones_left_alone(
    tmp_path: Path, clock: Clock, answer: Answer
) -> None:
    writer = write(tmp_path, clock, answer("a", 2), close=False)
    assert recover(tmp_path).segments == 0
    [segment] = writer._open.values()
    segment.file.release()  # as the death of the process would
    assert recover(tmp_path).rows == 2
    assert not list((tmp_path / "open").iterdir())
    assert TrafficLog(tmp_path).read(model="flights").num_rows == 2


appends = st.tuples(st.sampled_from("abc"), st.integers(1, 3), st.integers(0, 2))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])  # `answer` has no state
@given(st.lists(appends, min_size=1, max_size=12), st.integers(2_000, 20_000))
def test_each_prediction_is_read_once_as_written_first(
    tmp_path_factory: pytest.TempPathFactory, answer: Answer, appended: list[tuple[str, int, int]], segment_bytes: int
) -> None:
    root = tmp_path_factory.mktemp("traffic")
    writer = TrafficWriter(root, clock=lambda: NOON, segment_bytes=segment_bytes)
    expected: dict[str, tuple[datetime, float]] = {}
    for salt, (request, count, day) in enumerate(appended):
        at = NOON + day * DAY
        writer.append(answer(request, count, at=at, salt=salt))
        expected = {
            f"{request}:{row}": (at + timedelta(microseconds=row), salt + row) for row in range(count)
        } | expected
    log = TrafficLog(root)
    before = log.read(model="flights")
    got = zip(
        before["prediction_id"].to_pylist(),
        before["event_time"].to_pylist(),
        before["input:temp"].to_pylist(),
        strict=True,
    )
    assert {each: (at, temp) for each, at, [temp] in got} == expected
    assert before.num_rows == len(expected)
    assert before["event_time"].to_pylist() == sorted(at for at, _ in expected.values())
    assert int(before.schema.metadata[REPEATS_KEY]) == sum(count for _, count, _ in appended) - len(expected)
    writer.close()
    assert log.read(model="flights").equals(before, check_metadata=True)


def test_a_file_of_somebody_else_in_the_folder_is_named(tmp_path: Path, clock: Clock, answer: Answer) -> None:
    write(tmp_path, clock, answer("a", 1))
    labels = LabelWriter(tmp_path, clock=clock)
    labels.append(["a:0"], ["late"], [0])
    labels.close()
    [segment] = (tmp_path / "labels").glob("*.arrows")
    segment.rename(tmp_path / "open" / segment.name)
    with pytest.raises(BadInput, match=r"without pitfalls\.model"):
        TrafficLog(tmp_path).read(model="flights")
    with pytest.raises(BadInput, match=r"without pitfalls\.model"):
        recover(tmp_path)
    assert (tmp_path / "open" / segment.name).exists()


def test_times_without_a_zone_are_refused(tmp_path: Path, clock: Clock, answer: Answer) -> None:
    write(tmp_path, clock, answer("a", 1))
    with pytest.raises(BadInput, match="no zone"):
        TrafficLog(tmp_path).read(model="flights", start=NOON.replace(tzinfo=None))


@pytest.mark.parametrize("close", [False, True], ids=["open", "converted"])
def test_rows_with_some_ids_are_read_alone_and_each_once(
    tmp_path: Path, clock: Clock, answer: Answer, close: bool
) -> None:
    writer = write(tmp_path, clock, answer("a", 2), answer("b", 2), answer("a", 2), close=close)
    log = TrafficLog(tmp_path)
    whole = log.read(model="flights")
    found = log.read(model="flights", ids=IdSet(pa.array(["a:1", "b:0", "elsewhere:0"])))
    nothing = log.read(model="flights", ids=IdSet(pa.array([], pa.string())))
    writer.close()
    assert sorted(found["prediction_id"].to_pylist()) == ["a:1", "b:0"]
    mine = pc.is_in(whole["prediction_id"], pa.array(["a:1", "b:0"]))
    assert found.to_pylist() == whole.filter(mine).to_pylist()
    assert nothing.num_rows == 0


@pytest.mark.parametrize("close", [False, True], ids=["open", "converted"])
def test_a_row_of_another_century_is_a_stretch_of_its_own(
    tmp_path: Path, clock: Clock, answer: Answer, close: bool
) -> None:
    long_ago, us = datetime(1, 1, 2, tzinfo=UTC), timedelta(microseconds=1)
    batches = [answer("a", at=NOON), answer("b", at=long_ago), answer("c", at=NOON + 3 * DAY)]
    writer = write(tmp_path, clock, *batches, close=close)
    log = TrafficLog(tmp_path)
    assert log.spans("flights", longest_gap=10 * DAY) == ((long_ago, long_ago + us), (NOON, NOON + 3 * DAY + us))
    assert len(log.spans("flights", longest_gap=timedelta(hours=1))) >= 2
    assert log.spans("flights", 99, longest_gap=DAY) == ()
    writer.close()


OWN = ["prediction_id", "request_id", "row", "event_time", "model", "version", "signature"]
LATER = ["answer_id", "caller_principal", "caller_peer"]
NAMES = st.sampled_from([*OWN, "label", "label_time", "sampling_rate", "temp", "input:temp", "output:p"])


@given(st.lists(NAMES, unique=True), st.lists(NAMES, unique=True))
def test_every_tensor_has_a_name_of_its_own_and_none_of_the_rows_columns(inputs: list[str], outputs: list[str]) -> None:
    columns = [*OWN, *(f"input:{name}" for name in inputs), *(f"output:{name}" for name in outputs)]
    names = plain_names(columns)
    assert list(names) == columns[len(OWN) :]
    assert len(set(names.values())) == len(names)
    assert not set(names.values()) & {*OWN, "label", "label_time", "sampling_rate"}
    assert all(plain in (name, name.partition(":")[2]) for name, plain in names.items())


def rows(*ids: str, **more: list[object]) -> pa.Table:
    count = len(ids)
    return pa.table(
        {
            "prediction_id": pa.array(ids, pa.string()),
            "request_id": pa.array(ids, pa.string()),
            "row": pa.array([0] * count, pa.int32()),
            "event_time": pa.array(range(count), TIMESTAMP),
            "model": ["m"] * count,
            "version": [1] * count,
            "signature": ["s"] * count,
            **{name.replace("_", ":", 1) if name != "sampling_rate" else name: column for name, column in more.items()},
        }
    )


def labels(**given_: str) -> pa.Table:
    return pa.table(
        {
            "prediction_id": pa.array([*given_], pa.string()),
            "label": pa.array([*given_.values()], pa.string()),
            "label_time": pa.array(range(len(given_)), TIMESTAMP),
        }
    )


def test_each_row_has_its_label_or_null_and_labels_of_other_rows_are_left_out() -> None:
    table = join_labels(rows("a", "b", "c"), labels(c="late", x="late", a="on_time"))
    assert table["label"].to_pylist() == ["on_time", None, "late"]
    assert table["label_time"].cast(pa.int64()).to_pylist() == [2, None, 0]
    assert table.column_names == [*OWN, *LATER, "label", "label_time"]
    assert all(table[name].null_count == 3 for name in LATER), "in no log of an earlier version"


def test_without_labels_the_columns_are_there_and_null() -> None:
    table = join_labels(rows("a"), labels())
    assert table.select(["label", "label_time"]).to_pylist() == [{"label": None, "label_time": None}]


def test_tensors_of_one_element_are_plain_columns_and_the_rate_is_kept() -> None:
    given_ = rows("a", input_temp=[[3.0]], output_p=[[0.25, 0.75]], sampling_rate=[0.5])
    table = join_labels(given_, labels(a="late"))
    assert table.column_names == [*OWN, *LATER, "sampling_rate", "temp", "p", "label", "label_time"]
    assert table.select(["temp", "p", "sampling_rate"]).to_pylist() == [
        {"temp": 3.0, "p": [0.25, 0.75], "sampling_rate": 0.5}
    ]
