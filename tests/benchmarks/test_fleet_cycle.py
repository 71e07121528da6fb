from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.fleet_cycle import measure
from benchmarks.results import Settings


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_both_verbs_are_measured_with_what_one_more_deployment_costs(tmp_path: Path) -> None:
    (table,) = measure(Settings(out=tmp_path, quick=True)).tables
    assert [row[0] for row in table.rows] == ["run --configs", "serve"]
    for row in table.rows:
        assert float(str(row[4])) > 0.0
        assert float(str(row[7])) > 50.0
