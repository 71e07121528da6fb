"""Ids that are those of customers, not of rows: every row that does not count is counted, and it is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from monitoring.errors import BadInput
from tests.own_table import REFERENCE, own_rows, watch
from tests.small_deployment import Days

LIVE = Days(days=6)


def shared(days: Days, ids: int) -> pa.Table:
    """Rows of so many customers, who come in turn."""
    rows = own_rows(days)
    return rows.set_column(0, "id", pa.array([f"c{place % ids}" for place in range(rows.num_rows)]))


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_windows_of_repeats_alone_are_there_and_say_so(tmp_path: Path, kind: str) -> None:
    watched, rows = watch(tmp_path), shared(LIVE, 60)
    watched.live("all.parquet", rows)
    if kind == "csv":
        floats = {"temp", "on_time", "late"}
        columns = [rows[name].cast(pa.float64()) if name in floats else rows[name] for name in rows.column_names]
        pyarrow.csv.write_csv(pa.table(columns, names=rows.column_names), tmp_path / "all.csv")
    _, found = watched.run(traffic="live" if kind == "parquet" else "all.csv")
    assert [w.rows for w in found.windows] == [60, 0, 0, 0, 0, 0]
    assert [w.repeats for w in found.windows] == [0, 60, 60, 60, 60, 60]
    assert [w.status for w in found.windows[1:]] == ["thin"] * 5
    told = [f.message for w in found.windows for f in w.findings if f.kind == "repeated ids"]
    assert told == ["60 of 60 rows have the id of another row, and are ignored: are ids unique per row?"] * 5


def test_a_reference_of_shared_ids_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="5400 rows with 450 ids in the column id"):
        watch(tmp_path, shared(REFERENCE, 450))
    assert not (tmp_path / "flights").exists()


def test_a_reference_with_each_row_twice_is_read_once(tmp_path: Path) -> None:
    rows = own_rows(REFERENCE)
    assert f"{rows.num_rows} rows repeat" in " ".join(watch(tmp_path, pa.concat_tables([rows, rows])).adopted.notes)
    assert np.unique(rows["id"].to_numpy()).size == rows.num_rows
