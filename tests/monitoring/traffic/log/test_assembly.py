"""Files are merged into one table: the first row of each prediction, in order of event time, whatever files hold it."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import BadInput
from monitoring.traffic.format.rows import ROW_FIELDS, TIMESTAMP, ModelKey
from monitoring.traffic.log.assembly import REPEATS_KEY, assemble
from monitoring.traffic.log.scans import Scan

KEYS = [ModelKey("m", 1, "s"), ModelKey("m", 2, "s")]
SCHEMA = pa.schema([*ROW_FIELDS, pa.field("position", pa.int64())])
Row = dict[str, Any]
ROWS = st.fixed_dictionaries(
    {
        "request_id": st.sampled_from(["a", "b"]),
        "row": st.integers(0, 2),
        "event_time": st.integers(0, 3),
        "answered_at": st.just(0),
        "latency_us": st.integers(0, 10**9),
    }
)


def scan(
    rows: list[Row], *, segment: str = "0", key: ModelKey | None = KEYS[0], rate: float = 1.0, **more: Any
) -> Scan:
    """The rows as they were written, and more columns."""
    table = pa.Table.from_pylist([{**row, "position": place} for place, row in enumerate(rows)], schema=SCHEMA)
    for name, column in more.items():
        table = table.append_column(name.replace("_", ":", 1), column)
    return Scan(key=key, segment=segment, table=table, torn_bytes=0, sampling_rate=rate)


@given(st.lists(st.tuples(st.sampled_from(KEYS), st.lists(ROWS, max_size=5)), max_size=4), st.randoms())
def test_it_is_the_first_row_of_each_id_sorted_by_time_in_whatever_order_files_are_read(
    files: list[tuple[ModelKey, list[Row]]], random: Any
) -> None:
    first: dict[tuple[str, int], tuple[Row, ModelKey]] = {}
    for key, rows in files:
        for row in rows:
            first.setdefault((row["request_id"], row["row"]), (row, key))
    scans = [scan(rows, segment=f"{place}", key=key) for place, (key, rows) in enumerate(files)]
    random.shuffle(scans)
    table = assemble(scans)
    expected = sorted(first.values(), key=lambda pair: [pair[0][name] for name in ("event_time", "request_id", "row")])
    assert table["latency_us"].to_pylist() == [row["latency_us"] for row, _ in expected]
    assert table["prediction_id"].to_pylist() == [f"{row['request_id']}:{row['row']}" for row, _ in expected]
    assert table["version"].to_pylist() == [key.version for _, key in expected]
    assert int(table.schema.metadata[REPEATS_KEY]) == sum(len(rows) for _, rows in files) - len(first)


def one(request: str, event_time: int) -> Row:
    return {"request_id": request, "row": 0, "event_time": event_time, "answered_at": 0, "latency_us": 0}


def test_no_rows_are_a_table_without_rows_and_with_the_columns_of_any_row() -> None:
    table = assemble([])
    assert table.num_rows == 0
    names = ["prediction_id", *(field.name for field in ROW_FIELDS), "model", "version", "signature"]
    assert table.column_names == names
    assert assemble([scan([], key=None)]).equals(table)


def test_a_tensor_that_some_files_lack_is_null_there_and_inputs_come_before_outputs() -> None:
    column = pa.array([[1.0]], pa.list_(pa.float32()))
    table = assemble(
        [scan([one("b", 2)], output_y=column, segment="1"), scan([one("a", 1)], input_x=column, segment="0")]
    )
    assert table.column_names[-2:] == ["input:x", "output:y"]
    assert table.select(["input:x", "output:y"]).to_pylist() == [
        {"input:x": [1.0], "output:y": None},
        {"input:x": None, "output:y": [1.0]},
    ]


def test_each_row_has_the_rate_of_its_file_where_any_file_is_a_sample() -> None:
    table = assemble([scan([one("b", 2)], rate=0.25, segment="1"), scan([one("a", 1)], segment="0")])
    assert table["sampling_rate"].to_pylist() == [1.0, 0.25]
    assert "sampling_rate" not in assemble([scan([one("a", 1)])]).column_names


def test_a_column_that_changed_its_type_is_refused() -> None:
    numbers, texts = pa.array([[1]], pa.list_(pa.int64())), pa.array([["a"]], pa.list_(pa.string()))
    with pytest.raises(BadInput, match=r"'input:x' changed its type.*int64.*string"):
        assemble([scan([one("a", 1)], input_x=numbers), scan([one("b", 1)], input_x=texts, segment="1")])


def test_times_keep_their_type() -> None:
    assert assemble([scan([one("a", 1)])]).schema.field("event_time").type == TIMESTAMP
