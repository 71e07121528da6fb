from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import truth
from benchmarks.flights_truth import FlightsTruth, Sizes
from benchmarks.law_truth import LAWS, WINDOWS, fresh_baselines, law_table
from benchmarks.law_truth import Sizes as LawSizes
from benchmarks.results import Table
from monitoring.config import load_config
from monitoring.jobs.deployment import deploy as load_deployment


@pytest.fixture
def measured(deployed: Path) -> FlightsTruth:
    """A small deployment in the flights' place."""
    (deployed / "traffic").mkdir()
    config = load_config(deployed / "monitor.toml")
    return FlightsTruth(load_deployment(config), config, Sizes(seeds=20, years=1, baselines=2, streams=3), 1)


def test_every_table_has_its_rows(measured: FlightsTruth) -> None:
    pages = measured.page_table()
    assert len(pages.rows) == 6
    assert all(0.0 <= row[2] <= 1.0 for row in pages.rows if isinstance(row[2], float))
    assert [row[0] for row in measured.notice_table().rows] == ["single days", "7-day blocks"]
    delays = {str(row[0]): row[2:] for row in measured.delay_table("single days").rows}
    shipped = delays["page level, A = 365, as shipped"]
    small, middle, large = (float(str(cell)) for cell in shipped)
    assert small >= middle >= large >= 1.0
    rules = {(row[0], row[1]): row[4] for row in measured.rules_table().rows}
    assert rules["Brier above mean + 3 SD", "single days"] is not None


def test_the_truth_about_known_laws_has_a_row_for_every_law_and_size() -> None:
    table = law_table(LawSizes(baselines=50, streams=1, windows=365), np.random.default_rng(1))
    assert [(row[0], row[1]) for row in table.rows] == [(law, windows) for law in LAWS for windows in WINDOWS]


def test_restless_days_cost_pages_and_the_table_shows_it() -> None:
    sizes = LawSizes(baselines=100, streams=2, windows=365)
    calm, _ = fresh_baselines(LAWS["normal"], 40, sizes, np.random.default_rng(2))
    restless, _ = fresh_baselines(LAWS["normal, AR(1) 0.5"], 40, sizes, np.random.default_rng(2))
    assert restless.per(365) > 2 * calm.per(365)


def test_a_broken_budget_and_a_slow_delay_are_said_plainly() -> None:
    pages = Table(
        title="",
        columns=("test", "resampled", "any", "pages", "run", "seeds"),
        rows=(("page level", "single days", 0.9, 1.4, 260.0, 10), ("page level", "7-day blocks", 0.01, 0.01, 9e3, 10)),
    )
    [broken] = truth.worse_pages(pages)
    assert broken.startswith("BUDGET BROKEN: page level, single days: 1.40 pages")
    columns = ("test", "run", "+1 SD", "+2 SD", "+5 SD")
    rows = (("page level, A = 365, as shipped", 1.0, 30.0, 6.0, 2.0), ("page level, A = 50", 1.0, 11.0, 4.0, None))
    slow = truth.worse_delays(Table(title="", columns=columns, rows=rows))
    assert [line.partition(": ")[2] for line in slow] == [
        "page level, A = 365, as shipped, +1 SD: 30 windows, check 20.",
        "page level, A = 50, +5 SD: not within a year, check 2.",
    ]
