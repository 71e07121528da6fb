from __future__ import annotations

import numpy as np
import pytest

from benchmarks.truth import budget
from benchmarks.truth.distributions import (
    DISTRIBUTIONS,
    SHAPES,
    Sizes,
    cycle_table,
    distribution_table,
    estimation_table,
    fresh_baselines,
)


def test_the_table_has_a_row_for_every_distribution_and_shape() -> None:
    some = {name: DISTRIBUTIONS[name] for name in ("normal", "normal, AR(1) .5")}
    table = distribution_table(Sizes(watches=20, streams=1, windows=40), 1, some)
    assert [(row[0], row[1:3]) for row in table.rows] == [(name, shape) for name in some for shape in SHAPES]


def test_removing_a_cycle_keeps_the_budget_and_detects_a_small_harm_sooner() -> None:
    rows = {(row[0], row[1], row[2]): row for row in cycle_table(20, 1).rows}
    assert len(rows) == 8
    for name, windows, _ in rows:
        without, removed = rows[name, windows, "without"], rows[name, windows, "with"]
        assert float(str(removed[4])) <= 1.0
        assert float(str(removed[9])) >= float(str(without[9]))
    assert rows["a day's cycle, hourly", 720, "with"][3] == 20
    assert budget.worse_cycles(cycle_table(2, 1)) == []


def test_estimating_an_autocorrelation_of_0_costs_little_even_with_few_windows() -> None:
    rows = estimation_table(150, 1).rows  # without re-estimation online: .64 and .67 for .90 and .93
    assert [row[0] for row in rows] == [20, 40, 90]
    for _, small, large, small_known, large_known in rows:
        assert float(str(small)) > float(str(small_known)) - 0.1 > 0.7
        assert float(str(large)) > float(str(large_known)) - 0.1 > 0.7


@pytest.mark.parametrize(
    ("distribution", "windows", "watches"), [("beta(2, 8)", 20, 1), ("normal", 20, 30), ("normal, AR(1) .5", 40, 1)]
)
def test_the_budget_holds_for_skewed_short_and_autocorrelated_baselines(
    distribution: str, windows: int, watches: int
) -> None:
    # 150 levels or 20, two years each. Measured at full size: .4 to .6 pages a year.
    sizes = Sizes(watches=1500 if watches == 1 else 600, streams=2, windows=365)
    found = fresh_baselines(DISTRIBUTIONS[distribution], windows, watches, sizes, np.random.default_rng(2))
    by_level = found.ours.at.mean(axis=1).reshape(-1, 2).mean(axis=1) * 365
    assert 0.0 < by_level.mean() <= 1.0
    assert found.band.per(365) > by_level.mean()
