from __future__ import annotations

from benchmarks.results import Table
from benchmarks.truth import budget


def test_an_exceeded_budget_is_a_remark() -> None:
    pages = Table(
        title="",
        columns=("test", "resampled", "any", "pages", "run", "seeds"),
        rows=(("page level", "single days", 0.9, 1.4, 260.0, 10), ("page level", "7-day blocks", 0.01, 0.01, 9e3, 10)),
    )
    [exceeded] = budget.worse_pages(pages)
    assert exceeded.startswith("BUDGET EXCEEDED: page level, single days: 1.40 pages")


def test_a_missed_goal_and_a_longer_delay_than_in_the_study_are_remarks() -> None:
    columns = ("test", "run", "+1 SD", "+2 SD", "+5 SD", "+2 SD within 10", "+5 SD within 3")
    rows = (
        ("page level, calibrated: as shipped", 1.0, 30.0, 6.0, 2.0, 0.85, 0.95),
        ("page level, A = 50", 1.0, 11.0, 4.0, None, 1.0, 1.0),
    )
    assert budget.worse_delays(Table(title="", columns=columns, rows=rows)) == [
        "Goal missed: page level, calibrated: as shipped, +2 SD within 10: 0.850 of streams in time, goal 0.9.",
        "Slower than the feasibility study: page level, calibrated: as shipped, +1 SD: 30 windows, study 20.",
        "Slower than the feasibility study: page level, A = 50, +5 SD: not within a year, study 2.",
    ]
