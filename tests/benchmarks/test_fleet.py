from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.fleet import measure
from benchmarks.results import Settings


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_team_keeps_its_promise_and_single_budgets_do_not(tmp_path: Path) -> None:
    nulls, harms = measure(Settings(out=tmp_path, quick=True)).tables
    for _, *cells in nulls.rows:
        one_by_one, at_one_time, bonferroni, own = (float(str(cell).split()[0]) for cell in cells)
        assert 0.2 < one_by_one < 1.0
        assert 0.2 < at_one_time < 1.0
        assert bonferroni < 1.0
        assert own > 3.0
    many = harms.rows[1]
    assert [int(str(cell).split()[0]) for cell in many[1:]] < [10] * 4
