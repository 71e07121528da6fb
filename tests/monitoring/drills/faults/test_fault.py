"""What faults share."""

from __future__ import annotations

import pyarrow as pa

from monitoring.drills.faults.fault import with_column


def test_a_column_changes_in_its_place() -> None:
    table = pa.table({"a": [1], "b": [2], "c": [3]})
    changed = with_column(table, "b", pa.array(["x"]))
    assert changed.column_names == ["a", "b", "c"]
    assert changed.to_pylist() == [{"a": 1, "b": "x", "c": 3}]
    assert table["b"].to_pylist() == [2]
