from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.results import Settings
from benchmarks.service_speed import measure


@pytest.mark.slow
def test_each_stage_is_measured(tmp_path: Path) -> None:
    (table,) = measure(Settings(out=tmp_path, quick=True)).tables
    unfitted, first, restarted, _, following = (float(str(row[3])) for row in table.rows)
    assert unfitted > first > following > 0.0
    assert restarted > following
