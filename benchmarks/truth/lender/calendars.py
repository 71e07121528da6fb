"""The lender's years without harm: stationary traffic, and calendars that move the inputs while the model is right."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import numpy as np

from benchmarks.results import Cell, Result, Settings, Table
from benchmarks.truth.lender.changes import growing_segment, holidays, season, trend
from benchmarks.truth.lender.deployment import BUDGETS, LenderDeployment, Run
from benchmarks.truth.lender.harms import raises_page
from benchmarks.truth.lender.law import ROWS_A_DAY, Shift, predictions
from benchmarks.truth.lender.streams import REFERENCE, YEAR, calm_days
from monitoring.config.template import PAGE_BUDGET
from monitoring.evidence.budget import Budget
from monitoring.records import Level

#: Years of each row.
FULL, QUICK = 20, 1

#: What a new config promises.
PROMISED: Mapping[Level, Budget] = {**BUDGETS, "page": Budget.parse(PAGE_BUDGET)}

#: Each row: how the inputs move, days of the reference, rows a day, and slices.
YEARS: Mapping[str, tuple[Shift | None, int, int, tuple[str, ...]]] = {
    "weekly mix and day effects": (None, REFERENCE, ROWS_A_DAY, ()),
    "the same, 5 slices": (None, REFERENCE, ROWS_A_DAY, ("region",)),
    "a reference of 30 days": (None, 30, ROWS_A_DAY, ()),
    "100 rows a day, pooled": (None, REFERENCE, 100, ()),
    "season of ±.1 SD": (season(0.1), REFERENCE, ROWS_A_DAY, ()),
    "season of ±.3 SD": (season(0.3), REFERENCE, ROWS_A_DAY, ()),
    "season of ±.3 SD, a reference of a year": (season(0.3), YEAR, ROWS_A_DAY, ()),
    "holidays and a week of sales": (holidays, REFERENCE, ROWS_A_DAY, ()),
    "one number +.35 SD over the year": (trend, REFERENCE, ROWS_A_DAY, ()),
    "a new segment, 0 to 20 %": (growing_segment, REFERENCE, ROWS_A_DAY, ()),
}


def measure(settings: Settings) -> Result:
    """The table of years without harm. Cost: half an hour of one core, two minutes with small sizes."""
    years = QUICK if settings.quick else FULL
    rows: list[tuple[Cell, ...]] = []
    for name, (shift, reference, rows_a_day, slices) in YEARS.items():
        outcomes = [year(2000 + at, shift, reference, rows_a_day, slices) for at in range(years)]
        pages = np.array([outcome[0] for outcome in outcomes], dtype=np.float64)
        error = float(pages.std(ddof=1) / np.sqrt(years)) if years > 1 else None
        notices, share_open = (float(np.mean([outcome[at] for outcome in outcomes])) for at in (1, 2))
        rows.append((name, float(pages.mean()), error, float((pages > 0).mean()), notices, share_open))
        print(f"{name}: {pages.mean():.2f} pages", file=sys.stderr)
    table = Table(
        title="The lender's years without harm",
        columns=("year", "pages in 365", "± SE", "any page", "notices", "share of the year with an open page"),
        rows=tuple(rows),
        note=(
            f"{PAGE_BUDGET}; {years} years a row, each with its own reference. The model is as right in every year as"
            " in its reference. A page counts when it is told: when it opens, and when it becomes worse."
        ),
    )
    return Result(tables=(table,))


def year(
    stream: int, shift: Shift | None, reference: int, rows: int, slices: tuple[str, ...]
) -> tuple[int, int, float]:
    """One year: how often a page is told, how many notices open, and the share of days with an open page."""
    days = calm_days(stream, 0, reference, shift=shift, rows=rows)
    answered = [predictions(day, number) for number, day in enumerate(days)]
    deployment = LenderDeployment.of(answered, slices=slices, budgets=PROMISED)
    run = deployment.begin()
    pages = paged = 0
    for number, day in enumerate(calm_days(stream, reference, YEAR, shift=shift, rows=rows), start=reference):
        pages += raises_page(deployment.step(run, number, predictions(day, number)))
        paged += any(incident.level == "page" for incident in run.state.incidents)
    return pages, _notices(run), paged / YEAR


def _notices(run: Run) -> int:
    return sum(incident.level == "notice" for incident in run.incidents.values())
