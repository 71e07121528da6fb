"""A reference table keeps its own column names; those of ids and times are given by flags."""

from __future__ import annotations

import pyarrow as pa
import pytest

from monitoring.config.table_section import TableSection
from monitoring.errors import BadInput
from serving.export.row_columns import unnamed_time, with_row_columns, with_zone

TABLE = pa.table({"age": [1.0], "when": pa.array([0], pa.timestamp("ns", "UTC")), "id": ["a"]})


def test_columns_are_added_under_their_standard_names_and_inputs_stay() -> None:
    found = with_row_columns(TABLE, TableSection(event_time="when", prediction_id="id"))
    assert found.column_names == ["age", "when", "id", "prediction_id", "event_time"]
    assert found["event_time"] == TABLE["when"]


def test_a_column_that_is_not_there_or_is_there_twice_is_refused() -> None:
    with pytest.raises(BadInput, match=r"--event-time day.*age, when, id"):
        with_row_columns(TABLE, TableSection(event_time="day"))
    twice = TABLE.append_column("event_time", TABLE["when"])
    with pytest.raises(BadInput, match=r"two columns"):
        with_row_columns(twice, TableSection(event_time="when"))
    assert with_row_columns(twice, TableSection(event_time="event_time")) == twice


def test_a_column_of_another_type_is_refused_by_its_own_name() -> None:
    with pytest.raises(BadInput, match=r"--event-time age, which is double.*a timestamp or a date"):
        with_row_columns(TABLE, TableSection(event_time="age"))


@pytest.mark.parametrize(
    ("columns", "inputs", "found"),
    [(["age", "when"], ["age"], True), (["age", "when"], ["age", "when"], False), (["age", "id"], ["age"], False)],
)
def test_one_column_of_times_that_is_no_input_is_pointed_out(
    columns: list[str], inputs: list[str], found: bool
) -> None:
    assert bool(unnamed_time(TABLE.select(columns), inputs)) is found


def test_no_column_is_pointed_out_where_the_event_time_is_known_or_several_may_be_it() -> None:
    assert not unnamed_time(TABLE.append_column("event_time", TABLE["when"]), ["age"])
    assert not unnamed_time(TABLE.append_column("then", TABLE["when"]), ["age"])


def test_times_without_a_zone_are_of_the_one_that_is_said() -> None:
    local = pa.array(["2024-05-01 02:00:00", None, "soon"])
    zoned = pa.array([0, 1, None], pa.timestamp("ns", "America/New_York"))
    table, remark = with_zone(pa.table({"event_time": local, "label_time": zoned, "x": local}), "Europe/Paris")
    assert remark == "Times of event_time have no zone, and are taken as Europe/Paris."
    assert table["event_time"].cast(pa.string()).to_pylist() == ["2024-05-01 00:00:00.000000Z", None, None]
    assert table["label_time"].cast(pa.int64()).to_pylist() == [0, 0, None]
    assert table["x"].to_pylist() == local.to_pylist()
    assert with_zone(table, "Europe/Paris") == (table, "")
    strange = pa.table({"event_time": ["soon"]})
    assert with_zone(strange) == (strange, ""), "the check of columns refuses it"
    with pytest.raises(BadInput, match="Not a time zone"):
        with_zone(table, "Mars")


def test_text_may_be_times() -> None:
    text = pa.table({"age": [1.0], "when": ["2024-05-01"]})
    assert with_row_columns(text, TableSection(event_time="when"))["event_time"] == text["when"]
    with pytest.raises(BadInput, match="--prediction-id age"):
        with_row_columns(text, TableSection(prediction_id="age"))
