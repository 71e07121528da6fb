"""The lender's harms: share found and median delay of this monitor and of rivals, at equal false pages."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import Cell, Result, Settings, Table
from benchmarks.truth.calibration import delay_cell
from benchmarks.truth.lender import peers
from benchmarks.truth.lender.changes import HARMS
from benchmarks.truth.lender.deployment import EPOCH, LenderDeployment, Run
from benchmarks.truth.lender.law import Day, Floats, predictions
from benchmarks.truth.lender.rivals import CHARTS, Chart, alarms, common_threshold, own_thresholds
from benchmarks.truth.lender.streams import HARMED, QUIET, REFERENCE, SEED, YEAR, Losses, calm_days, harmed_days
from monitoring.judging.judge import Judgement

#: Streams of harms, of clean years of this monitor, and of clean years that rivals are tuned on.
FULL, QUICK = (20, 20, 40), (2, 1, 10)

Firsts = NDArray[np.int64]


def measure(settings: Settings) -> Result:
    """The table of harms. Cost: ten minutes of one core, a minute with small sizes."""
    streams, years, tuning = QUICK if settings.quick else FULL
    pages = clean_pages(years)
    reference_losses, harmed, delays = monitor_delays(streams)
    references = Losses.of([calm_days(1000 + at, 0, REFERENCE) for at in range(tuning)])
    clean = Losses.of([calm_days(1000 + at, REFERENCE, YEAR) for at in range(tuning)])
    rate = float(pages.mean()) or 1.0 / YEAR
    columns: dict[str, dict[str, Firsts]] = {"this monitor": delays}
    false: dict[str, float] = {"this monitor": float(pages.mean())}
    tuned: dict[str, tuple[Chart, Callable[[Losses], Floats]]] = {}
    for name, chart in CHARTS.items():
        best = common_threshold(chart, references, clean, rate)
        tuned[f"{name}, {tuning} years"] = chart, partial(_same, best)
        nominal = _nominal_rate(chart, references, clean, rate)
        tuned[f"{name}, own reference"] = chart, partial(own_thresholds, chart, pages=nominal, seed=SEED)
    for name, (chart, threshold) in tuned.items():
        false[name] = float(alarms(chart, references, clean, threshold(references)).mean()) * YEAR
        limits = threshold(reference_losses)
        columns[name] = {harm: _first(alarms(chart, reference_losses, live, limits)) for harm, live in harmed.items()}
    online, missing = peers.online(settings.out, (references, clean), (reference_losses, harmed), rate)
    for name, (first_alarms, clean_rate) in online.items():
        columns[name], false[name] = first_alarms, clean_rate
    rows: list[tuple[Cell, ...]] = [
        ("false pages in 365 days", *(f"{false[name]:.2f}" for name in columns)),
        *((harm, *(delay_cell(columns[name][harm], HARMED) for name in columns)) for harm in HARMS),
    ]
    error = float(pages.std(ddof=1) / np.sqrt(len(pages))) if len(pages) > 1 else float("nan")
    table = Table(
        title="The lender's harms: share found / median window",
        columns=("harm", *columns),
        rows=tuple(rows),
        note=(
            f"{streams} streams: {REFERENCE} days of reference, {QUIET} quiet days, {HARMED} of harm. This monitor's"
            f" false pages are of {years} clean years (± {error:.2f}); every rival is tuned to as many, on {tuning}"
            " clean years, which no user has, or by days drawn from each stream's own reference, with the nominal rate"
            " at which it has as many on the clean years."
        ),
    )
    products, failed = peers.products_table(settings.out, quick=settings.quick)
    return Result(tables=(table, *(() if products is None else (products,))), remarks=(*missing, *failed))


def raises_page(judgement: Judgement) -> bool:
    """Whether somebody is paged at this window: a page opens, or becomes worse."""
    now = judgement.window.end
    return any(
        incident.level == "page"
        and any(event.at == now and event.state in ("open", "worse") for event in incident.history)
        for incident in judgement.changed
    )


def deployed(stream: int, *, slices: tuple[str, ...] = ()) -> LenderDeployment:
    """The deployment of a stream's reference."""
    days = calm_days(stream, 0, REFERENCE)
    return LenderDeployment.of([predictions(day, number) for number, day in enumerate(days)], slices=slices)


def clean_pages(years: int) -> NDArray[np.float64]:
    """How often each clean year pages this monitor, [years]."""
    pages = np.zeros(years)
    for at in range(years):
        deployment = deployed(1000 + at)
        run = deployment.begin()
        for number, day in enumerate(calm_days(1000 + at, REFERENCE, YEAR), start=REFERENCE):
            pages[at] += raises_page(deployment.step(run, number, predictions(day, number)))
        print(f"clean year {at + 1} of {years}: {pages[at]:.0f} pages", file=sys.stderr)
    return pages


def monitor_delays(streams: int) -> tuple[Losses, dict[str, Losses], dict[str, Firsts]]:
    """The streams as daily losses, references and days of each harm, and this monitor's first pages."""
    days: dict[str, list[list[Day]]] = {harm: [] for harm in HARMS}
    first: dict[str, list[int]] = {harm: [] for harm in HARMS}
    references = []
    for stream in range(streams):
        references.append(calm_days(stream, 0, REFERENCE))
        quiet = calm_days(stream, REFERENCE, QUIET)
        started: dict[bool, tuple[LenderDeployment, Run]] = {}
        for harm, (change, growing, declared) in HARMS.items():
            if declared not in started:
                deployment = deployed(stream, slices=("region",) if declared else ())
                started[declared] = deployment, after(deployment, quiet)
            deployment, run = started[declared]
            harmed = harmed_days(stream, change, growing)
            days[harm].append([*quiet, *harmed])
            first[harm].append(first_page(deployment, run.copied(), harmed))
        print(f"stream {stream + 1} of {streams}", file=sys.stderr)
    return (
        Losses.of(references),
        {harm: Losses.of(losses) for harm, losses in days.items()},
        {harm: np.array(delays) for harm, delays in first.items()},
    )


def after(deployment: LenderDeployment, quiet: list[Day]) -> Run:
    """A run that has judged the quiet days."""
    run = deployment.begin()
    for number, day in enumerate(quiet, start=REFERENCE):
        deployment.step(run, number, predictions(day, number))
    return run


def first_page(deployment: LenderDeployment, run: Run, days: list[Day]) -> int:
    """The first of the days at which somebody is paged, from 1; one past the last where nobody is."""
    begin = round((run.windows[-1].end - EPOCH) / timedelta(days=1))
    for at, day in enumerate(days):
        if raises_page(deployment.step(run, begin + at, predictions(day, begin + at))):
            return at + 1
    return len(days) + 1


def _first(at: NDArray[np.bool_]) -> Firsts:
    """The first alarm among the days of harm, which come after the quiet ones."""
    harmed = at[:, QUIET:]
    none = harmed.shape[1] + 1
    return np.asarray(np.where(harmed.any(axis=1), harmed.argmax(axis=1) + 1, none), dtype=np.int64)


def _same(threshold: Floats, _: Losses) -> Floats:
    return threshold


def _nominal_rate(chart: Chart, references: Losses, clean: Losses, pages: float) -> float:
    """The false alarms in 365 days that a user must ask for to get so many on clean years."""
    low, high = 0.02, 4.0
    for _ in range(6):
        middle = float(np.sqrt(low * high))
        thresholds = own_thresholds(chart, references, middle, SEED)
        if alarms(chart, references, clean, thresholds).mean() * YEAR > pages:
            high = middle
        else:
            low = middle
    return high
