"""The rows of a reference that make a baseline: each once, with a usable answer, and enough of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from monitoring.errors import BadInput
from monitoring.onboarding.baseline_rows import BaselineRows, count_windows, read_reference, window_sizes
from monitoring.onboarding.reference_notes import min_rows
from monitoring.onboarding.table_description import TableDescription, described

START = datetime(2024, 1, 1, tzinfo=UTC)
SAID: dict[str, Any] = {
    "event_time": "ts",
    "scores": ("p",),
    "label": "y",
    "label_time": "known_at",
    "prediction_id": "id",
    "rows": 50,
}
DESCRIPTION = described(**SAID)
COUNT = 300


def table() -> pa.Table:
    """300 rows, an hour apart, whose labels are known a day later."""
    times = [START + timedelta(hours=hour) for hour in range(COUNT)]
    return pa.table(
        {
            "id": [f"r{row}" for row in range(COUNT)],
            "ts": times,
            "p": np.resize([0.25, 0.75], COUNT),
            "y": np.resize([0, 1], COUNT),
            "known_at": [time + timedelta(days=1) for time in times],
            "age": np.linspace(20, 60, COUNT),
        }
    )


def read(folder: Path, rows: pa.Table, description: TableDescription = DESCRIPTION) -> BaselineRows:
    pq.write_table(rows, folder / "REF.parquet")
    return read_reference(folder / "REF.parquet", description, clock=lambda: START + timedelta(days=30))


def with_column(rows: pa.Table, name: str, values: object) -> pa.Table:
    return rows.set_column(rows.column_names.index(name), name, pa.array(values))


def test_rows_are_in_order_of_time_with_their_types_span_and_delays(tmp_path: Path) -> None:
    shuffled = table().take(pa.array(np.random.default_rng(0).permutation(COUNT)))
    found = read(tmp_path, shuffled)
    assert found.table["prediction_id"].to_pylist() == [f"r{row}" for row in range(COUNT)]
    assert found.types["age"] == "double"
    assert (found.span, found.notes) == (timedelta(hours=COUNT - 1), ())
    assert found.label_delays.tolist() == [86_400_000_000] * COUNT
    assert found.lost == {"without a usable answer": 0, "of an id of another": 0}


def test_repeats_and_rows_without_a_usable_answer_are_left_out_and_told(tmp_path: Path) -> None:
    rows = table()
    spoiled = with_column(rows, "p", np.where(np.arange(COUNT) < 7, np.nan, np.asarray(rows["p"])))
    found = read(tmp_path, pa.concat_tables([spoiled, rows.slice(100, 5)]))
    assert found.table.num_rows == COUNT - 7
    assert found.lost == {"without a usable answer": 7, "of an id of another": 5}
    assert found.notes == (
        "7 of 300 rows have no answer that is a probability or a known class.",
        "5 rows repeat another's id, and were left out.",
        "7 rows without a usable answer were left out.",
    )


def test_rows_ahead_of_the_clock_and_times_without_a_zone_are_told(tmp_path: Path) -> None:
    times = [START + timedelta(hours=hour) for hour in range(COUNT - 1)] + [START + timedelta(days=99)]
    rows = with_column(table(), "ts", [time.replace(tzinfo=None) for time in times])
    found = read(tmp_path, rows, described(**SAID, naive_timezone="Europe/Paris"))
    assert found.table.num_rows == COUNT - 1
    assert "1 rows of REF.parquet lie more than a day ahead of the clock" in found.notes[0]
    assert found.notes[-1] == "Event times have no zone, and were taken as Europe/Paris."


@pytest.mark.parametrize(
    ("column", "values", "what"),
    [
        ("id", [f"r{row % 9}" for row in range(COUNT)], "Most rows of the reference have the id of another row."),
        ("ts", [None] * COUNT, "No row of the reference has an event time."),
        ("ts", [START + timedelta(days=60)] * COUNT, "No row of the reference has an event time."),
    ],
)
def test_a_reference_of_which_no_baseline_can_be_made_is_one_error(
    tmp_path: Path, column: str, values: list[object], what: str
) -> None:
    with pytest.raises(BadInput) as caught:
        read(tmp_path, with_column(table(), column, values))
    assert str(caught.value).startswith(what)


def test_an_input_of_another_kind_than_declared_is_one_error(tmp_path: Path) -> None:
    rows = with_column(table(), "age", [START] * COUNT)
    with pytest.raises(BadInput, match=r"another kind than it was declared.*age, a number: timestamp"):
        read(tmp_path, rows, described(**SAID, inputs=("age:number",)))


@pytest.mark.parametrize(("rows", "windows"), [(50, 6), (60, 5), (7, 42)])
def test_windows_of_rows_are_counted(tmp_path: Path, rows: int, windows: int) -> None:
    description = described(**SAID | {"rows": rows})
    found = read(tmp_path, table(), description)
    assert count_windows(found, description, window_sizes(found, description)) == windows


def test_small_windows_are_joined_and_too_few_are_one_error_with_what_was_lost(tmp_path: Path) -> None:
    description = described(**SAID | {"rows": None})
    few = table().slice(0, 60)
    found = read(tmp_path, pa.concat_tables([few, few.slice(0, 3)]), description)
    with pytest.raises(BadInput) as caught:
        count_windows(found, description, window_sizes(found, description))
    assert "60 rows that count (3 of an id of another left out) in 3 windows of 1d" in str(caught.value)


def test_windows_of_small_references_are_joined_to_fewer_rows(tmp_path: Path) -> None:
    description = described(**SAID | {"rows": None})
    found = read(tmp_path, table(), description)
    sizes = window_sizes(found, description)
    assert (min_rows(sizes), count_windows(found, description, sizes)) == (15, 12)
    asked = described(**SAID | {"rows": None}, min_rows=30)
    assert count_windows(found, asked, sizes) < 12


@pytest.mark.parametrize(
    ("cells", "kind", "shown"),
    [
        (["1.0", "2.0", ""], "double", ["1", "2", None]),
        (["1", "2", "NA"], "int64", ["1", "2", None]),
        (["True", "FALSE", ""], "bool", ["true", "false", None]),
        (["01", "2", "3"], "string", ["01", "2", "3"]),
        (["1.5", "2", "3"], "string", ["1.5", "2", "3"]),
        (["web", "1.0", "NA"], "string", ["web", "1.0", "NA"]),
    ],
)
def test_codes_of_a_text_file_are_what_they_are_with_types(
    tmp_path: Path, cells: list[str], kind: str, shown: list[str | None]
) -> None:
    rows = table()
    place = tmp_path / "ref.csv"
    pyarrow.csv.write_csv(rows.append_column("code", pa.array(np.resize(cells, COUNT))), place)
    said = described(**SAID, inputs=("age", "code:category"))
    found = read_reference(place, said, clock=lambda: START + timedelta(days=30))
    assert (found.types["code"], found.table["code"].to_pylist()[:3]) == (kind, shown)
