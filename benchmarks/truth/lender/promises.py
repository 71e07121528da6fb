"""The lender under a stricter promise: years without harm that have a page, and five and ten points of error."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import numpy as np

from benchmarks.results import Cell, Result, Settings, Table
from benchmarks.truth.calibration import delay_cell
from benchmarks.truth.lender.changes import HARMS, growing_segment, holidays, season, trend
from benchmarks.truth.lender.deployment import BUDGETS, LenderDeployment
from benchmarks.truth.lender.harms import after, first_page, raises_page
from benchmarks.truth.lender.law import Shift, predictions
from benchmarks.truth.lender.streams import HARMED, QUIET, REFERENCE, YEAR, calm_days, harmed_days
from monitoring.evidence.budget import Budget
from monitoring.records import Level

#: Years of each row, and streams of each harm.
FULL, QUICK = (20, 20), (1, 1)

#: Windows for which one false page is promised, a window being a day.
PROMISES: Mapping[str, int] = {"one a year": YEAR, "one in five years": 5 * YEAR}

#: How the inputs move in years without harm.
SHIFTS: Mapping[str, Shift | None] = {
    "weekly mix and day effects": None,
    "season of ±.1 SD": season(0.1),
    "season of ±.3 SD": season(0.3),
    "holidays and a week of sales": holidays,
    "one number +.35 SD over the year": trend,
    "a new segment, 0 to 20 %": growing_segment,
}

#: The harms that are found at each promise.
FOUND = ("error +1 point", "error +2", "error +5 (2 SD)", "error +10 (4 SD)", "concept drift (+4)")


def measure(settings: Settings) -> Result:
    """Years with a page, and harms found, at each promise. Cost: an hour of one core, a minute with small sizes."""
    years, streams = QUICK if settings.quick else FULL
    rows: list[tuple[Cell, ...]] = []
    for name, shift in SHIFTS.items():
        pages = {promise: pages_of_years(shift, windows, years) for promise, windows in PROMISES.items()}
        shares = {promise: float((counts > 0).mean()) for promise, counts in pages.items()}
        rows.append((name, *(cell for promise in PROMISES for cell in (float(pages[promise].mean()), shares[promise]))))
        print(f"{name}: {rows[-1][1:]}", file=sys.stderr)
    paged = Table(
        title="The lender's years without harm, by promise",
        columns=(
            "year",
            *(f"{what}, {promise}" for promise in PROMISES for what in ("pages in 365", "years with any")),
        ),
        rows=tuple(rows),
        note=f"{years} years a row, the same for both promises; {REFERENCE} days of reference.",
    )
    delays = {promise: delays_of_harms(windows, streams) for promise, windows in PROMISES.items()}
    harms = Table(
        title="The lender's harms, by promise: share found / median day",
        columns=("harm", *PROMISES),
        rows=tuple((harm, *(delay_cell(delays[promise][harm], HARMED) for promise in PROMISES)) for harm in FOUND),
        note=f"{streams} streams, of {REFERENCE} days of reference, {QUIET} quiet days and {HARMED} of harm.",
    )
    return Result(tables=(paged, harms))


def deployed(stream: int, windows: int, shift: Shift | None = None) -> LenderDeployment:
    """The deployment of a stream's reference, which promises one false page in so many windows."""
    budgets: Mapping[Level, Budget] = {**BUDGETS, "page": Budget(alarms=1, windows=windows)}
    days = calm_days(stream, 0, REFERENCE, shift=shift)
    return LenderDeployment.of([predictions(day, number) for number, day in enumerate(days)], budgets=budgets)


def pages_of_years(shift: Shift | None, windows: int, years: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """How often somebody is paged in each year without harm, [years]."""
    pages = np.zeros(years, dtype=np.int64)
    for at in range(years):
        deployment = deployed(2000 + at, windows, shift)
        run = deployment.begin()
        for number, day in enumerate(calm_days(2000 + at, REFERENCE, YEAR, shift=shift), start=REFERENCE):
            pages[at] += raises_page(deployment.step(run, number, predictions(day, number)))
    return pages


def delays_of_harms(windows: int, streams: int) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.int64]]]:
    """The day of the first page of each harm, [streams]; one past the last where there is none."""
    first: dict[str, list[int]] = {harm: [] for harm in FOUND}
    for stream in range(streams):
        deployment = deployed(stream, windows)
        run = after(deployment, calm_days(stream, REFERENCE, QUIET))
        for harm in FOUND:
            change, growing, _ = HARMS[harm]
            first[harm].append(first_page(deployment, run.copied(), harmed_days(stream, change, growing)))
        print(f"stream {stream + 1} of {streams}", file=sys.stderr)
    return {harm: np.array(delays) for harm, delays in first.items()}
