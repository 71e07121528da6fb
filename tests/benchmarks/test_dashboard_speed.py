from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks.dashboard_speed import OVERVIEWS, RUNS, TEMPLATE, addresses, fill, measure
from benchmarks.results import Settings
from monitoring.store import Store


def test_the_store_is_filled_with_whole_histories(tmp_path: Path) -> None:
    fill(tmp_path / "pitfalls.db", 3, 2 * TEMPLATE, 4)
    with Store.open(f"sqlite:///{tmp_path}/pitfalls.db") as store:
        assert [store.windows.count(number) for number in (1, 2, 3)] == [2 * TEMPLATE + 1, 2 * TEMPLATE, 2 * TEMPLATE]
        windows = store.windows.read(3)
        assert all(before.end == after.start for before, after in pairwise(windows))
        assert {len(window.scores) for window in windows} == {4}
        assert [one.record.model for one in store.overview.summaries()] == ["model-0", "model-1", "model-2"]
        assert len(store.runs.latest(3)) == RUNS - 1


@pytest.mark.slow
def test_every_page_is_measured(tmp_path: Path) -> None:
    table, many = measure(Settings(out=tmp_path, quick=True)).tables
    assert [row[0] for row in table.rows] == [*addresses(100)]
    assert [row[0] for row in many.rows] == [*OVERVIEWS]
