from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import truth
from benchmarks.flights_truth import FlightsTruth, Sizes
from benchmarks.law_truth import LAWS, SHAPES, caution_table, cycle_table, fresh_baselines, law_table
from benchmarks.law_truth import Sizes as LawSizes
from benchmarks.limit_truth import limit_table
from benchmarks.recovery_truth import recovery_table
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
    delays = {str(row[0]): row[2:5] for row in measured.delay_table("single days").rows}
    shipped = delays["page level, A = 365, as shipped"]
    small, middle, large = (float(str(cell)) for cell in shipped)
    assert small >= middle >= large >= 1.0
    assert [row[:2] for row in measured.harm_table().rows][:1] == [("at once, everywhere", "single days")]
    rules = {(row[0], row[1]): row[4] for row in measured.rules_table().rows}
    assert rules["Brier above mean + 3 SD", "single days"] is not None


def test_the_truth_about_known_laws_has_a_row_for_every_law_and_shape() -> None:
    some = {name: LAWS[name] for name in ("normal", "normal, AR(1) .5")}
    table = law_table(LawSizes(watches=20, streams=1, windows=40), 1, some)
    assert [(row[0], row[1:3]) for row in table.rows] == [(law, shape) for law in some for shape in SHAPES]


def test_a_cycle_taken_out_keeps_the_budget_and_tells_a_small_harm_sooner() -> None:
    rows = {(row[0], row[1], row[2]): row for row in cycle_table(20, 1).rows}
    assert len(rows) == 8
    for name, windows, _ in rows:
        without, taken = rows[name, windows, "without"], rows[name, windows, "with"]
        assert float(str(taken[4])) <= 1.0
        assert float(str(taken[9])) >= float(str(without[9]))
    assert rows["a day's cycle, hourly", 720, "with"][3] == 20
    assert truth.worse_cycles(cycle_table(2, 1)) == []


def test_beside_the_limit_no_monitor_is_faster_than_the_one_that_is_told_both_laws() -> None:
    rows = limit_table(200, 1).rows
    assert len(rows) == 16
    assert all(float(str(row[2])) > 100.0 for row in rows)
    for row in rows:
        ours, limits = zip(*(str(cell).split(" / ") for cell in row[3:8]), strict=True)
        # A year of 200 quiet streams tells a run length to a few percent, so the last window may go either way.
        assert all(
            one.startswith(">") or float(one) >= float(limit) - 1.0 for one, limit in zip(ours, limits, strict=True)
        )
    met = {(row[0], row[1]): int(str(row[8]).split()[0]) for row in rows}
    assert met["normal", 365] > met["normal, AR(1) .7", 20]


def test_an_all_clear_comes_when_the_harm_is_gone_and_hardly_before() -> None:
    rows = recovery_table(30, 1).rows
    for _, half, error, whole, gone, most in rows:
        assert float(str(half)) + 3.0 * float(str(error)) >= 365.0
        assert whole == 0.0
        assert float(str(gone)) <= float(str(most)) <= 90.0
    assert float(str(rows[-1][4])) <= 10.0


def test_not_knowing_that_there_is_no_memory_costs_little_even_where_windows_are_few() -> None:
    rows = caution_table(150, 1).rows  # before memory was learnt on from traffic: .64 and .67 for .90 and .93
    assert [row[0] for row in rows] == [20, 40, 90]
    for _, small, large, small_told, large_told in rows:
        assert float(str(small)) > float(str(small_told)) - 0.1 > 0.7
        assert float(str(large)) > float(str(large_told)) - 0.1 > 0.7


@pytest.mark.parametrize(
    ("law", "windows", "watches"), [("beta(2, 8)", 20, 1), ("normal", 20, 30), ("normal, AR(1) .5", 40, 1)]
)
def test_the_budget_holds_where_luck_or_memory_would_break_it(law: str, windows: int, watches: int) -> None:
    # 150 levels or 20, two years each. Measured at full size: .4 to .6 pages a year, and 1.2 to 3 before.
    sizes = LawSizes(watches=1500 if watches == 1 else 600, streams=2, windows=365)
    found = fresh_baselines(LAWS[law], windows, watches, sizes, np.random.default_rng(2))
    by_level = found.ours.at.mean(axis=1).reshape(-1, 2).mean(axis=1) * 365
    assert 0.0 < by_level.mean() <= 1.0
    assert found.band.per(365) > by_level.mean()


def test_a_broken_budget_and_a_slow_delay_are_said_plainly() -> None:
    pages = Table(
        title="",
        columns=("test", "resampled", "any", "pages", "run", "seeds"),
        rows=(("page level", "single days", 0.9, 1.4, 260.0, 10), ("page level", "7-day blocks", 0.01, 0.01, 9e3, 10)),
    )
    [broken] = truth.worse_pages(pages)
    assert broken.startswith("BUDGET BROKEN: page level, single days: 1.40 pages")
    columns = ("test", "run", "+1 SD", "+2 SD", "+5 SD", "+2 SD within 10", "+5 SD within 3")
    rows = (
        ("page level, A = 365, as shipped", 1.0, 30.0, 6.0, 2.0, 0.85, 0.95),
        ("page level, A = 50", 1.0, 11.0, 4.0, None, 1.0, 1.0),
    )
    slow = truth.worse_delays(Table(title="", columns=columns, rows=rows))
    assert [line.partition(": ")[2] for line in slow] == [
        "page level, A = 365, as shipped, +2 SD within 10: 0.850 of streams in time, wanted 0.9.",
        "page level, A = 365, as shipped, +1 SD: 30 windows, check 20.",
        "page level, A = 50, +5 SD: not within a year, check 2.",
    ]
