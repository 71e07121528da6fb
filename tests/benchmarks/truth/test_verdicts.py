from __future__ import annotations

import numpy as np
import pytest

from benchmarks.truth.verdicts import DISTRIBUTIONS, VARIANCE_DIVISIONS, Sizes, null_table, power_table, simulate, worse
from pitfalls_tf.verdicts.verdict import SMALLEST_DIFFERENCE

COUNT = 250


@pytest.mark.parametrize("shape", [(1, 5), (1, 50), (2, 10), (3, 5), (12, 5)])
@pytest.mark.parametrize("spread", ["seeds, in all domains", "domains"])
def test_without_a_difference_at_most_5_percent_of_comparisons_are_better_or_worse(
    spread: str, shape: tuple[int, int]
) -> None:
    rng = np.random.default_rng([*shape, len(spread)])
    for distribution in ("normal", "collapsing seeds"):
        found = simulate(DISTRIBUTIONS[distribution], VARIANCE_DIVISIONS[spread], shape, rng, count=COUNT)
        assert found.claimed <= 0.05
        # 5 % promised; by chance alone, 250 comparisons at the quantiles' own 2 % pass 5 % less than once in 500.
        assert found.outside <= 0.05
        assert found.missed <= 0.05


def test_the_simulation_detects_an_interval_that_is_too_narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pitfalls_tf.verdicts.paired.NOMINAL_COVERAGE", 0.8)
    found = simulate(
        DISTRIBUTIONS["normal"],
        VARIANCE_DIVISIONS["seeds, in all domains"],
        (1, 5),
        np.random.default_rng(1),
        count=COUNT,
    )
    assert found.outside > 0.1


def test_tables_have_their_rows_and_an_exceeded_error_rate_is_a_remark() -> None:
    sizes = Sizes(domains=(1, 2), seeds=(5,), count=4)
    table = null_table(np.random.default_rng(1), sizes=sizes)
    assert [row[:3] for row in table.rows] == [(name, domains, 5) for name in DISTRIBUTIONS for domains in (1, 2)]
    shares = power_table(np.random.default_rng(1), sizes=sizes)
    assert all(0 <= float(str(cell)) <= 1 for row in shares.rows for cell in row[3:])
    exceeded = type(table)(title="", columns=table.columns, rows=(("normal", 1, 5, 0.2, 0.8, "domains", 0.7),))
    remarks = worse(exceeded)
    assert remarks[0].startswith("ERROR RATE EXCEEDED: normal, 1 domains, 5 seeds: better or worse in 20.0%")
    assert len(remarks) == 3
    assert SMALLEST_DIFFERENCE == 0.005
