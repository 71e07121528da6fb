"""The lender at the default promise: years without harm that have a page, and its harms beside one page a year."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.results import Cell, Result, Settings, Table
from benchmarks.truth.calibration import delay_cell
from benchmarks.truth.lender.changes import HARMS, growing_segment, holidays, season, trend
from benchmarks.truth.lender.deployment import BUDGETS, LenderDeployment, Run
from benchmarks.truth.lender.harms import after, first_page, raises_page
from benchmarks.truth.lender.law import Shift, predictions
from benchmarks.truth.lender.streams import HARMED, QUIET, REFERENCE, YEAR, calm_days, harmed_days
from monitoring.evidence.budget import Budget
from monitoring.records import Level

#: Years of each row, and streams of each harm.
FULL, QUICK = (30, 20), (1, 1)

#: Windows for which one false page is promised, a window being a day.
PROMISES: Mapping[str, int] = {"one a year": YEAR, "one in five years": 5 * YEAR}
DEFAULT = PROMISES["one in five years"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calm:
    """Years without harm: how their inputs move, the days of their reference, and the slices that are declared."""

    shift: Shift | None = None
    reference: int = REFERENCE
    slices: tuple[str, ...] = ()


YEARS: Mapping[str, Calm] = {
    "weekly mix and day effects": Calm(),
    "season of ±.1 SD": Calm(shift=season(0.1)),
    "season of ±.3 SD": Calm(shift=season(0.3)),
    "holidays and a week of sales": Calm(shift=holidays),
    "one number +.35 SD over the year": Calm(shift=trend),
    "a new segment, 0 to 20 %": Calm(shift=growing_segment),
    "weekly mix and day effects, 5 slices": Calm(slices=("region",)),
    "weekly mix and day effects, a reference of 30 days": Calm(reference=30),
}


def measure(settings: Settings) -> Result:
    """Years with a page at the default, and harms found at each promise. Cost: half an hour of one core."""
    years, streams = QUICK if settings.quick else FULL
    delays = {promise: delays_of_harms(windows, streams) for promise, windows in PROMISES.items()}
    harms = Table(
        title="The lender's harms, by promise: share found / median day",
        columns=("harm", *PROMISES),
        rows=tuple((harm, *(delay_cell(delays[promise][harm], HARMED) for promise in PROMISES)) for harm in HARMS),
        note=f"{streams} streams, of {REFERENCE} days of reference, {QUIET} quiet days and {HARMED} of harm.",
    )
    rows: list[tuple[Cell, ...]] = []
    for name, calm in YEARS.items():
        pages = pages_of_years(calm, years)
        error = f"{pages.std(ddof=1) / np.sqrt(years):.3f}" if years > 1 else "-"
        rows.append((name, f"{pages.mean():.3f}", error, f"{(pages > 0).mean():.3f}"))
        print(f"{name}: {rows[-1][1:]}", file=sys.stderr)
    paged = Table(
        title="The lender's years without harm, at one page in five years",
        columns=("year without harm", "pages in 365", "± SE", "years with any"),
        rows=tuple(rows),
        note=f"{years} years a row; {REFERENCE} days of reference where no other number is said. Promised: .2.",
    )
    return Result(tables=(paged, harms))


def deployed(stream: int, windows: int, calm: Calm) -> LenderDeployment:
    """The deployment of a stream's reference, which promises one false page in so many windows."""
    budgets: Mapping[Level, Budget] = {**BUDGETS, "page": Budget(alarms=1, windows=windows)}
    days = calm_days(stream, REFERENCE - calm.reference, calm.reference, shift=calm.shift)
    rows = [predictions(day, number) for number, day in enumerate(days, start=REFERENCE - calm.reference)]
    return LenderDeployment.of(rows, slices=calm.slices, budgets=budgets)


def pages_of_years(calm: Calm, years: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """How often somebody is paged in each year without harm, at the default: [years]."""
    pages = np.zeros(years, dtype=np.int64)
    for at in range(years):
        deployment = deployed(2000 + at, DEFAULT, calm)
        run = deployment.begin()
        for number, day in enumerate(calm_days(2000 + at, REFERENCE, YEAR, shift=calm.shift), start=REFERENCE):
            pages[at] += raises_page(deployment.step(run, number, predictions(day, number)))
    return pages


def delays_of_harms(windows: int, streams: int) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.int64]]]:
    """The day of the first page of each harm, [streams]; one past the last where there is none."""
    first: dict[str, list[int]] = {harm: [] for harm in HARMS}
    for stream in range(streams):
        quiet = calm_days(stream, REFERENCE, QUIET)
        started: dict[tuple[str, ...], tuple[LenderDeployment, Run]] = {}
        for harm, (change, growing, declared) in HARMS.items():
            slices = ("region",) if declared else ()
            if slices not in started:
                deployment = deployed(stream, windows, Calm(slices=slices))
                started[slices] = deployment, after(deployment, quiet)
            deployment, run = started[slices]
            first[harm].append(first_page(deployment, run.copied(), harmed_days(stream, change, growing)))
        print(f"stream {stream + 1} of {streams}", file=sys.stderr)
    return {harm: np.array(delays) for harm, delays in first.items()}
