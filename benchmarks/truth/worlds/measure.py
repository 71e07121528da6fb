"""All worlds: false pages of quiet years, and how soon harms are paged beside control charts at as many false pages."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import Cell, Result, Settings, Table
from benchmarks.truth.lender.calendars import PROMISED
from benchmarks.truth.lender.deployment import LenderDeployment, Run
from benchmarks.truth.lender.harms import raises_page
from benchmarks.truth.worlds.charts import CHARTS, Series, alarms, nominal_rate, own_thresholds
from benchmarks.truth.worlds.harms import YEARS, Change, Harm, Quiet, harms_of, noisy
from benchmarks.truth.worlds.laws import worlds
from benchmarks.truth.worlds.world import Conditions, Day, Losses, World, losses, predictions, spec_of
from monitoring.judging.fit.tolerances import SEASONAL_BRIER, SEASONAL_SHARE

SEED = 20261129
YEAR, REFERENCE, CALM, HARMED = 365, 90, 30, 75

#: Quiet years of each condition, streams of harm, and clean years that tune the charts.
FULL, QUICK = (4, 4, 40), (1, 1, 8)

#: False pages of a year that are promised, and the tolerance of the error rate.
PROMISE, ERROR = 0.2, 0.02

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One stream of days of a world: the same days whatever is done to them."""

    world: World
    number: int
    quiet: Quiet

    def effects(self, days: int) -> list[float]:
        """The days' own shifts, AR(1)."""
        rng = np.random.default_rng([SEED, self.number, 99_999])
        drawn, coefficient = rng.normal(size=days), self.quiet.coefficient
        for at in range(1, days):
            drawn[at] = coefficient * drawn[at - 1] + np.sqrt(1.0 - coefficient * coefficient) * drawn[at]
        return [float(value) for value in drawn]

    def days(self, first: int, count: int) -> Iterator[Day]:
        """Some days in order."""
        effects = self.effects(first + count)
        for number in range(first, first + count):
            conditions: Conditions = self.quiet.conditions(number, effects[number])
            rng = np.random.default_rng([SEED, self.number, number])
            day = self.world.day(rng, conditions)
            yield noisy(day, points, rng) if (points := self.quiet.points(number)) else day


def measure(settings: Settings) -> Result:
    """Tables of every world; what was simulated before is in `OUT/worlds.json`, and goes on from there.

    Cost: an hour of one core, some minutes with `quick`.
    """
    sizes = QUICK if settings.quick else FULL
    cells = Cells(settings.out / ("worlds_quick.json" if settings.quick else "worlds.json"))
    for stream in range(max(sizes[:2])):
        for world in worlds():
            if stream < sizes[1]:
                _harm_stream(cells, world, stream)
            if stream < sizes[0]:
                for name, quiet in YEARS.items():
                    if (key := f"{world.name}|quiet|{name}|{stream}") not in cells:
                        cells.put(key, quiet_year(Stream(world=world, number=1000 + stream, quiet=quiet)))
            print(f"stream {stream + 1} of {max(sizes[:2])}: {world.name}", file=sys.stderr, flush=True)
    tables = [_quiet_table(cells, sizes[0])]
    tables += [_harm_table(cells, world, sizes) for world in worlds()]
    return Result(tables=tuple(tables))


class Cells:
    """What was simulated, by its key, in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.values: dict[str, list[float]] = json.loads(path.read_text()) if path.exists() else {}

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def put(self, key: str, value: list[float]) -> None:
        """Keep a result."""
        self.values[key] = value
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(self.values))
        part.replace(self.path)


def _deployed(stream: Stream, seasonal: float = 1.0, slices: tuple[str, ...] = ()) -> LenderDeployment:
    days = [predictions(day, number) for number, day in enumerate(stream.days(0, stream.quiet.reference))]
    spec = spec_of(stream.world)
    return LenderDeployment.of(days, spec=spec, budgets=PROMISED, seasonal=seasonal, slices=slices)


def quiet_year(stream: Stream, seasonal: float = 1.0) -> list[float]:
    """Pages, notices, and the share of suspected windows of the year after a stream's reference."""
    deployment = _deployed(stream, seasonal)
    run, pages, suspected = deployment.begin(), 0, 0
    for at, day in enumerate(stream.days(stream.quiet.reference, YEAR), start=stream.quiet.reference):
        judged = deployment.step(run, at, predictions(day, at))
        pages += raises_page(judged)
        suspected += judged.window.status == "suspected"
    notices = sum(incident.level == "notice" for incident in run.incidents.values())
    return [float(pages), float(notices), suspected / YEAR]


def _calm(stream: Stream, seasonal: float = 1.0, slices: tuple[str, ...] = ()) -> tuple[LenderDeployment, Run]:
    """A deployment that has seen the calm days after its reference."""
    deployment = _deployed(stream, seasonal, slices)
    run = deployment.begin()
    for at, day in enumerate(stream.days(REFERENCE, CALM), start=REFERENCE):
        deployment.step(run, at, predictions(day, at))
    return deployment, run


def lasting_rise(stream: Stream, change: Change, seasonal: float) -> list[float]:
    """Days until a page and until a window that is suspected or noticed, of a harm that begins after calm days."""
    deployment, run = _calm(stream, seasonal)
    return list(map(float, _first(deployment, run, _harmed(stream, Harm(change=change), _clean_error(stream)))))


def _harm_stream(cells: Cells, world: World, number: int) -> None:
    """For every harm, the days until a page and until a window that is suspected or noticed; past the last: none."""
    stream = Stream(world=world, number=number, quiet=Quiet())
    todo = {name: harm for name, harm in harms_of(world).items() if f"{world.name}|harm|{name}|{number}" not in cells}
    for slices in sorted({harm.slices for harm in todo.values()}):
        (deployment, run), error = _calm(stream, slices=slices), _clean_error(stream)
        for name, harm in ((name, harm) for name, harm in todo.items() if harm.slices == slices):
            page, sign = _first(deployment, run.copied(), _harmed(stream, harm, error))
            cells.put(f"{world.name}|harm|{name}|{number}", [float(page), float(sign)])


def _clean_error(stream: Stream) -> float:
    if not stream.world.classes:
        return 0.0
    return float(np.mean([losses(day).loss[0] for day in stream.days(0, 20)]))


def _harmed(stream: Stream, harm: Harm, error: float) -> list[Day]:
    days = []
    for at, day in enumerate(stream.days(REFERENCE + CALM, HARMED)):
        if at >= harm.lasting:
            days.append(day)
            continue
        rng = np.random.default_rng([SEED, stream.number, at, 1])
        days.append(harm.change(day, min((at + 1) / harm.growing, 1.0), error, rng))
    return days


def _first(deployment: LenderDeployment, run: Run, days: list[Day]) -> tuple[int, int]:
    earlier = set(run.incidents)
    sign = HARMED + 1
    for at, day in enumerate(days, start=1):
        judged = deployment.step(run, REFERENCE + CALM + at - 1, predictions(day, REFERENCE + CALM + at - 1))
        new = judged.window.status == "suspected" or any(incident.number not in earlier for incident in judged.changed)
        sign = min(sign, at) if new else sign
        if raises_page(judged):
            return at, sign
    return HARMED + 1, sign


def _quiet_table(cells: Cells, years: int) -> Table:
    """Every world's quiet years: pages per 1,825 windows, and the share of years with one."""
    rows: list[tuple[Cell, ...]] = []
    for name in YEARS:
        texts: list[Cell] = []
        for world in worlds():
            values = [cells.values.get(f"{world.name}|quiet|{name}|{at}") for at in range(years)]
            pages = np.array([value[0] for value in values if value is not None])
            if not pages.size:
                texts.append("not simulated")
                continue
            error = 5.0 * float(pages.std(ddof=1) / np.sqrt(pages.size)) if pages.size > 1 else float("nan")
            texts.append(f"{5.0 * pages.mean():.2f} ± {error:.2f}, {np.mean(pages > 0):.2f} of {pages.size}")
        rows.append((name, *texts))
    return Table(
        title="Quiet years: pages in 1,825 windows (1 is promised), and the share of years with one",
        columns=("year", *(world.name for world in worlds())),
        rows=tuple(rows),
        note="Each year with a reference of its own; ± a standard error. A page counts when it opens or becomes worse.",
    )


def _harm_table(cells: Cells, world: World, sizes: tuple[int, int, int]) -> Table:
    """A world's harms: share paged and median day, of this monitor and of every chart at as many false pages."""
    streams = [
        at for at in range(sizes[1]) if all(f"{world.name}|harm|{harm}|{at}" in cells for harm in harms_of(world))
    ]
    clean = [cells.values.get(f"{world.name}|quiet|clean|{at}", [0.0])[0] for at in range(sizes[0])]
    rate = max(float(np.mean(clean)), PROMISE)
    tuned = _tuned(world, sizes[2], rate)
    series = {at: Stream(world=world, number=at, quiet=Quiet()) for at in streams}
    references = {at: [losses(day) for day in stream.days(0, REFERENCE)] for at, stream in series.items()}
    calm = {at: [losses(day) for day in stream.days(REFERENCE, CALM)] for at, stream in series.items()}
    clean_days = {at: [losses(day) for day in stream.days(REFERENCE + CALM, HARMED)] for at, stream in series.items()}
    kinds = ("loss", "surprise") if world.classes else ("loss",)
    rows: list[tuple[Cell, ...]] = []
    for name, harm in harms_of(world).items():
        values = np.array([cells.values[f"{world.name}|harm|{name}|{at}"] for at in streams])
        after = {
            at: calm[at] + [losses(day) for day in _harmed(stream, harm, _clean_error(stream))]
            for at, stream in series.items()
        }
        rise = _rise(
            np.concatenate([[day.loss for day in after[at][CALM:][: harm.lasting]] for at in streams]),
            np.concatenate([[day.loss for day in clean_days[at][: harm.lasting]] for at in streams]),
            world,
        )
        texts = [rise, _text(values[:, 0]), _text(values[:, 1])]
        for chart, kind in ((chart, kind) for chart in CHARTS for kind in kinds):
            both = Series(
                reference=np.array([_figures(references[at], kind) for at in streams]),
                live=np.array([_figures(after[at], kind) for at in streams]),
            )
            limits = own_thresholds(CHARTS[chart], both.reference, tuned[chart, kind], SEED)
            at_day = alarms(CHARTS[chart], both, limits)[:, CALM:]
            first = np.where(at_day.any(axis=1), at_day.argmax(axis=1) + 1.0, HARMED + 1.0)
            texts.append(_text(first))
        rows.append((name, *texts))
    labels = [
        f"{chart} on {kind}" for chart in CHARTS for kind in (("loss", "surprise") if world.classes else ("loss",))
    ]
    return Table(
        title=f"{world.name}: share of {len(streams)} streams found in {HARMED} days / median day",
        columns=("harm", "rise of the loss", "page", "page, notice or suspected", *labels),
        rows=tuple(rows),
        note=(
            f"{REFERENCE} days of reference, {CALM} calm days, {HARMED} of harm. A rise is the mean of those days: of"
            " the error rate in points and of the Brier score as a share; of a regression, of the absolute error."
            f" Tolerated are two points with {SEASONAL_BRIER:.0%}, or {SEASONAL_SHARE:.0%}. Each chart is tuned on its"
            f" stream's own reference, at the nominal rate at which {sizes[2]} clean years have {rate:.2f} false alarms"
            " each."
        ),
    )


def _rise(after: Floats, clean: Floats, world: World) -> str:
    """How much losses rise on average, of days [n, losses], and whether a default tolerance covers it."""
    rise = after.mean(axis=0) - clean.mean(axis=0)
    shares = rise / clean.mean(axis=0)
    if world.classes:
        text, within = f"{100 * rise[0]:+.1f}, {shares[1]:+.0%}", rise[0] <= ERROR and shares[1] <= SEASONAL_BRIER
    else:
        text, within = f"{shares[0]:+.0%}", shares[0] <= SEASONAL_SHARE
    return text + (" (tolerated)" if within else "")


def _tuned(world: World, years: int, rate: float) -> Mapping[tuple[str, str], float]:
    """The nominal rates of the charts."""
    streams = [Stream(world=world, number=5000 + at, quiet=Quiet()) for at in range(years)]
    every = [[losses(day) for day in stream.days(0, REFERENCE + YEAR)] for stream in streams]
    rates = {}
    for kind in ("loss", "surprise") if world.classes else ("loss",):
        figures = np.array([_figures(days, kind) for days in every])
        clean = Series(reference=figures[:, :REFERENCE], live=figures[:, REFERENCE:])
        for name, chart in CHARTS.items():
            rates[name, kind] = nominal_rate(chart, clean, rate, SEED)
    return rates


def _figures(days: list[Losses], kind: str) -> list[tuple[float, ...]]:
    return [day.loss if kind == "loss" else day.surprise for day in days]


def _text(first: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> str:
    """The share found, and the median day."""
    share = float(np.mean(first <= HARMED))
    median = float(np.median(first))
    return f"{share:.2f} / {'none' if median > HARMED else f'{median:.0f}'}"
