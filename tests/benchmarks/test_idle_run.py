from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.idle_run import measure
from benchmarks.results import Settings


@pytest.mark.slow
def test_a_run_with_nothing_due_is_of_one_order_with_both_stores(tmp_path: Path) -> None:
    (table,) = measure(Settings(out=tmp_path, quick=True)).tables
    sqlite, postgresql = (float(str(row[2])) for row in table.rows)
    assert 0.0 < postgresql < 3.0 * sqlite
    assert all(float(str(row[2])) < float(str(row[1])) for row in table.rows)
