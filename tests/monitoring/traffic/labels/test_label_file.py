"""A label file is taken whole, or refused with what is wrong in it and where."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitoring.errors import BadInput
from monitoring.timestamps import as_microseconds
from monitoring.traffic.labels.label_file import read_label_file

FIVE_PAST_FIVE = datetime(2013, 4, 1, 17, 5, tzinfo=UTC)
NO_TEXT = b"\xff\xfe"


def moments(unit: str, *times: datetime | int) -> pa.Array:
    """Times as they are, and numbers that a calendar may have no day for."""
    numbers = [as_microseconds(time) if isinstance(time, datetime) else time for time in times]
    return pa.array(numbers, pa.timestamp(unit, tz="UTC"))


def text_of(cells: Sequence[object]) -> pa.Array:
    """Bytes as a column of text, whether they are UTF-8 or not."""
    raw = pa.array(cells, pa.binary())
    return pa.StringArray.from_buffers(len(raw), raw.buffers()[1], raw.buffers()[2])


@pytest.mark.parametrize(
    "moment",
    [
        "2013-04-01T17:05:00Z",
        "2013-04-01 17:05",
        "2013-04-01T13:05:00-04:00",
        "20130401T170500+0000",
        " 2013-04-01T17:05 ",
    ],
)
def test_csv_times_in_any_iso_form_are_utc(tmp_path: Path, moment: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(
        f"\ufeffother,label_time,prediction_id,label\n1,{moment},a:0,late\n\n2,{moment},b:0,on_time\n", "utf-8"
    )
    table = read_label_file(path)
    assert table.to_pydict() == {
        "prediction_id": ["a:0", "b:0"],
        "label": ["late", "on_time"],
        "label_time": [FIVE_PAST_FIVE] * 2,
        "model": [None, None],
        "version": [None, None],
    }
    assert table.schema.types == [pa.string(), pa.string(), pa.timestamp("us", tz="UTC"), pa.string(), pa.int64()]


@pytest.mark.parametrize(
    "times",
    [
        pa.array([FIVE_PAST_FIVE], pa.timestamp("ns", tz="UTC")),
        pa.array([FIVE_PAST_FIVE.replace(tzinfo=None)], pa.timestamp("ms")),
        pa.array([FIVE_PAST_FIVE.astimezone(timezone(timedelta(hours=-4)))], pa.timestamp("us", tz="America/New_York")),
        pa.array(["2013-04-01T17:05:00Z"]),
        pa.array(["2013-04-01T17:05:00Z"], pa.large_string()),
    ],
    ids=["ns", "naive", "New York", "text", "large text"],
)
@pytest.mark.parametrize(
    ("labels", "text"),
    [
        (pa.array(["late"]), "late"),
        (pa.array([1]), "1"),
        (pa.array([True]), "true"),
        (pa.array([12.0]), "12"),
        (pa.array([-0.1]), "-0.1"),
        (pa.array([12.5]).cast(pa.decimal128(6, 2)), "12.5"),
        (pa.array(["x"]).dictionary_encode(), "x"),
        (pa.array([["a", "b|c"]]), '["a", "b|c"]'),
        (pa.array([[1.0, 0.0]], pa.list_(pa.float32(), 2)), "[1, 0]"),
        (pa.array([{"kind": "late", "price": 2.0}]), '{"kind":"late","price":"2"}'),
        (pa.array([[True, False]], pa.large_list(pa.bool_())), "[1, 0]"),
        (pa.array([[1.5, -2.0]]), "[1.5, -2.0]"),
    ],
    ids=[
        "text",
        "integer",
        "boolean",
        "whole float",
        "float",
        "decimal",
        "category",
        "names",
        "numbers",
        "object",
        "booleans",
        "fractions",
    ],
)
def test_parquet_of_several_types_is_understood(tmp_path: Path, times: pa.Array, labels: pa.Array, text: str) -> None:
    path = tmp_path / "labels"  # what it is called does not matter
    pq.write_table(pa.table({"label": labels, "prediction_id": ["a:0"], "label_time": times}), path)
    known = {"prediction_id": "a:0", "label": text, "label_time": FIVE_PAST_FIVE}
    assert read_label_file(path).to_pylist() == [{**known, "model": None, "version": None}]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "an empty file"),
        ("prediction_id,label,label_time\n", "no labels"),
        ("prediction_id,label\na,b\n", "no label_time"),
        ("id;label;time\na;b;c\n", "no prediction_id, label, label_time"),
        ("prediction_id,label,label,label_time\na,b,c,2013-04-01\n", "label twice"),
        ("prediction_id,label,label_time\na,b,2013-04-01\na,b\n", "line 3 with 2 fields"),
        ("prediction_id,label,label_time\na,b,yesterday\n", r"line 2: label_time 'yesterday'"),
        ("prediction_id,label,label_time\n,b,2013-04-01\n", "line 2: no prediction_id"),
        ("prediction_id,label,label_time\na,,2013-04-01\n", "line 2: no label"),
        (f"prediction_id,label,label_time\na,{'x' * 1025},2013-04-01\n", "line 2: a label of 1,025 characters"),
        (f"prediction_id,label,label_time\n{'x' * 161},1,2013-04-01\n", "line 2: a prediction_id of 161 characters"),
        ('prediction_id,label,label_time\n"a\nb",x,2013-04-01\nc,x,\n', "line 4: label_time ''"),
        ("prediction_id,label,label_time\n" + "a,b,c\n" * 9, "line 6: label_time 'c'; and 4 more"),
        ("prediction_id,label,label_time\na,b,0001-01-01T00:00+14:00\n", "line 2"),
        ('prediction_id,label,label_time\na,"b"x,2013-04-01\n', "broken"),
        ("prediction_id,label,label_time\na,\xe9,2013-04-01\n", "not UTF-8"),
    ],
)
def test_what_is_wrong_in_a_csv_file_is_said_with_its_line(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(BadInput, match=said) as caught:
        read_label_file(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"prediction_id": ["a"], "label": ["x"]}, "no label_time"),
        ({"prediction_id": [1], "label": ["x"], "label_time": [FIVE_PAST_FIVE]}, "prediction_id of type int64"),
        ({"prediction_id": ["a"], "label": [[{"a": 1}]], "label_time": [FIVE_PAST_FIVE]}, "label of type list"),
        ({"prediction_id": ["a"], "label": [float("nan")], "label_time": [FIVE_PAST_FIVE]}, "row 1: no label"),
        ({"prediction_id": ["a"], "label": ["x"], "label_time": [1364835900]}, "label_time of type int64"),
        ({"prediction_id": ["a", "b"], "label": ["x", None], "label_time": [FIVE_PAST_FIVE] * 2}, "row 2: no label"),
        ({"prediction_id": ["a"], "label": ["x"], "label_time": ["soon"]}, "row 1: label_time 'soon'"),
        (
            {"prediction_id": ["a", "b"], "label": ["x"] * 2, "label_time": moments("us", FIVE_PAST_FIVE, 9 * 10**18)},
            "row 2: label_time 9000000000000000000",
        ),
        ({"prediction_id": ["a"], "label": ["x"], "label_time": moments("us", -(10**17))}, "row 1: label_time -1000"),
        ({"prediction_id": ["a"], "label": ["x"], "label_time": moments("ms", 9 * 10**18)}, "out of bounds"),
        ({"prediction_id": [NO_TEXT], "label": ["x"], "label_time": [FIVE_PAST_FIVE]}, "prediction_id .* not UTF-8"),
        ({"prediction_id": ["a"], "label": [NO_TEXT], "label_time": [FIVE_PAST_FIVE]}, "label .* not UTF-8"),
        ({"prediction_id": ["a"], "label": ["x"], "label_time": [NO_TEXT]}, "label_time .* not UTF-8"),
    ],
)
def test_what_is_wrong_in_a_parquet_file_is_said_with_its_row(
    tmp_path: Path, columns: dict[str, list[object]], said: str
) -> None:
    path = tmp_path / "labels.parquet"
    made = {name: text_of(cells) if NO_TEXT in cells else cells for name, cells in columns.items()}
    pq.write_table(pa.table(made), path)
    with pytest.raises(BadInput, match=said):
        read_label_file(path)


def test_a_parquet_column_twice_and_a_parquet_file_cut_short_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.parquet"
    names = ["prediction_id", "label", "label_time", "label"]
    pq.write_table(pa.Table.from_arrays([pa.array(["x"])] * 4, names=names), path)
    with pytest.raises(BadInput, match="label twice"):
        read_label_file(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(BadInput, match="cannot be read"):
        read_label_file(path)


def test_of_many_columns_some_are_named(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(",".join(f"c{number}" for number in range(1_000)) + "\n", "utf-8")
    with pytest.raises(BadInput, match=r"columns c0, .* c19 and 980 others; no prediction_id"):
        read_label_file(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"nowhere\.csv: No such file"):
        read_label_file(tmp_path / "nowhere.csv")
    with pytest.raises(BadInput, match="Is a directory"):
        read_label_file(tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=80) | st.binary(max_size=40).map(lambda tail: b"prediction_id,label,label_time\n" + tail))
def test_any_bytes_are_labels_or_bad_input(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "labels"
    path.write_bytes(content)
    try:
        table = read_label_file(path)
    except BadInput:
        return
    assert table.num_rows > 0


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_labels_may_say_which_model_version_and_output_they_are_for(tmp_path: Path, kind: str) -> None:
    columns = {
        "prediction_id": ["a:0", "b:0", "c:0"],
        "label": ["2", "late", "late"],
        "label_time": ["2013-04-01T17:05:00Z"] * 3,
        "model": ["fares", "fares", None],
        "version": [3, None, None],
        "output": ["price", None, None],
    }
    path = tmp_path / f"labels.{kind}"
    if kind == "csv":
        rows = [
            ",".join("" if cell is None else str(cell) for cell in row) for row in zip(*columns.values(), strict=True)
        ]
        path.write_text("\n".join([",".join(columns), *rows]), "utf-8")
    else:
        pq.write_table(pa.table(columns), path)
    table = read_label_file(path)
    assert table["label"].to_pylist() == ['{"price":"2"}', "late", "late"]
    assert table["model"].to_pylist() == ["fares", "fares", None]
    assert table["version"].to_pylist() == [3, None, None]


def test_a_column_of_answers_called_output_names_nothing(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("prediction_id,label,label_time,output\na:0,late,2013-04-01,0.25\nb:0,late,2013-04-01,\n", "utf-8")
    assert read_label_file(path)["label"].to_pylist() == ["late", "late"]


@pytest.mark.parametrize(
    ("cells", "problem"),
    [("v,three", "line 2: version 'three', which is no whole number"), (",3", "line 2: a version without a model")],
)
def test_what_is_no_version_is_refused(tmp_path: Path, cells: str, problem: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(f"prediction_id,label,label_time,model,version\na:0,late,2013-04-01,{cells}\n", "utf-8")
    with pytest.raises(BadInput, match=problem):
        read_label_file(path)
