"""Rows and their labels side by side, under names that never collide."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from monitoring.traffic.format.rows import TIMESTAMP
from monitoring.traffic.log.labelled_table import join_labels, plain_names

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
