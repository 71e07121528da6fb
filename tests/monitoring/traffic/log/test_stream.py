"""A log read some rows at a time has the rows, and counts what it leaves out, as one that is read at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.id_keys import IdSet
from monitoring.traffic.log import scans
from monitoring.traffic.log.assembly import CONFLICTS_KEY, EXCLUDED_KEY, REPEATS_KEY
from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.scans import Query
from monitoring.traffic.log.stream import LogStream
from monitoring.traffic.log.writer import TrafficWriter
from tests.monitoring.traffic.conftest import NOON, NOON_US

Answer = Callable[..., AnsweredRows]
QUERY = Query(model="flights", version=1, start=NOON, end=NOON + timedelta(days=1), excluded=frozenset({"load-test"}))
_ORDER = [("event_time", "ascending"), ("request_id", "ascending"), ("row", "ascending")]

#: Requests in the order in which they are sent: who asks, its id, how many rows, its inputs, in which segment.
REQUESTS = st.lists(
    st.tuples(
        st.sampled_from(["shop", "load-test"]),
        st.sampled_from("abcdef"),
        st.integers(1, 4),
        st.sampled_from([0.0, 1.0]),
        st.integers(0, 2),
    ),
    max_size=12,
)


@pytest.fixture(autouse=True)
def few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scans, "BATCH_ROWS", 2)


def whole(root: Path, ids: IdSet | None = None) -> pa.Table:
    log = TrafficLog(root, excluded=QUERY.excluded)
    return log.read(model="flights", version=1, start=QUERY.start, end=QUERY.end, ids=ids)


def in_order(tables: list[pa.Table]) -> list[dict[str, object]]:
    return pa.concat_tables(tables).sort_by(_ORDER).to_pylist() if tables else []


@given(REQUESTS, st.booleans())
def test_it_has_the_rows_of_the_log_each_once(
    requests: list[tuple[str, str, int, float, int]], last_open: bool
) -> None:
    with TemporaryDirectory() as folder:
        root = Path(folder)
        for segment in range(3):
            writer = TrafficWriter(root, clock=lambda: NOON)
            for number, (caller, name, count, salt, at) in enumerate(requests):
                if at == segment:
                    rows = rows_of(name, count, salt, second=number)
                    writer.append(replace(rows, principals=[caller] * count))
            if last_open and segment == 2:
                for each in writer._open.values():
                    each.file.release()
            else:
                writer.close()
        for ids in (None, IdSet(pa.array(["a:0", "b:1", "nobody:0"]))):
            stream = LogStream(root, QUERY, None)
            tables, expected = list(stream.tables(ids)), whole(root, ids)
            assert in_order(tables) == in_order([expected])
            assert all(table.num_rows for table in tables)
            totals = {name: int(total) for name, total in (expected.schema.metadata or {}).items()}
            assert stream.repeats == totals.get(REPEATS_KEY, 0)
            assert stream.conflicts == totals.get(CONFLICTS_KEY, 0)
        stream = LogStream(root, QUERY, None)
        assert stream.excluded == int(whole(root).schema.metadata[EXCLUDED_KEY])
        times = whole(root)["event_time"].cast(pa.int64()).to_pylist()
        assert stream.newest >= max(times, default=0)
        assert stream.is_uniform


def rows_of(name: str, count: int, salt: float, *, second: int) -> AnsweredRows:
    return AnsweredRows(
        model="flights",
        version=1,
        signature="serving_default",
        request_ids=[name] * count,
        rows=np.arange(count, dtype=np.int32),
        event_times_us=NOON_US + 1_000_000 * second + np.arange(count, dtype=np.int64),
        answered_at_us=NOON_US,
        latencies_us=np.zeros(count, np.int64),
        inputs={"temp": np.arange(count, dtype=np.float32) + np.float32(salt)},
        outputs={"probabilities": np.full((count, 2), 0.5, np.float32)},
    )


def test_rows_that_come_meanwhile_are_left_out(tmp_path: Path, answer: Answer) -> None:
    writer = TrafficWriter(tmp_path, clock=lambda: NOON)
    writer.append(answer("before", 5))
    stream = LogStream(tmp_path, QUERY, ["input:temp"])
    writer.append(answer("after", 3))
    later = TrafficWriter(tmp_path, clock=lambda: NOON + timedelta(seconds=1))
    later.append(answer("before", 5))
    rows = in_order(list(stream.tables()))
    assert [row["prediction_id"] for row in rows] == [f"before:{place}" for place in range(5)]
    assert "output:probabilities" not in rows[0]
    assert (stream.repeats, stream.newest) == (0, NOON_US + 4)
    writer.close()
    later.close()
    assert in_order(list(stream.tables())) == rows


def test_a_tensor_whose_length_differs_between_requests_is_told(tmp_path: Path, answer: Answer) -> None:
    writer = TrafficWriter(tmp_path, clock=lambda: NOON)
    for width in (1, 2):
        rows = answer(f"w{width}", 2)
        writer.append(replace(rows, inputs={**rows.inputs, "words": np.zeros((2, width), np.float32)}))
    writer.close()
    assert not LogStream(tmp_path, QUERY, None).is_uniform
    assert LogStream(tmp_path, QUERY, ["input:temp"]).is_uniform
