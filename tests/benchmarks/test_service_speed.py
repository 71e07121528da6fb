from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.results import Settings
from benchmarks.service_speed import measure


@pytest.mark.slow
def test_each_stage_is_measured(tmp_path: Path) -> None:
    (table,) = measure(Settings(out=tmp_path, quick=True)).tables
    first, _, following = (row[1] for row in table.rows)
    assert isinstance(first, float)
    assert isinstance(following, float)
    assert first > following > 0.0
