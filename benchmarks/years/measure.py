"""Years of five public records: what happened, each page and notice, and charts tuned on the same reference."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from benchmarks.results import Cell, Result, Settings, Table
from benchmarks.years.charts import MIN_LABELS, Period, Weeks, chart_alarms, periods, weekly
from benchmarks.years.deployments import DEPLOYMENTS, YearsDeployment
from benchmarks.years.scored import scored
from benchmarks.years.watched import Told, Watched, watched

FOLDER = "years"

#: An alarm so many weeks before a harm is one of it.
EARLY = 8

#: Characters of a sentence.
LONGEST = 170


@dataclass(frozen=True, slots=True, kw_only=True)
class Years:
    """What a deployment's years were, and what was said of them.

    Attributes:
        onset: The week from which the first harmed period is; None without one.
        charts: The weeks of each chart's alarms.
    """

    deployment: YearsDeployment
    rows: int
    reference: Weeks
    periods: tuple[Period, ...]
    watched: Watched
    charts: dict[str, list[int]]

    @property
    def years(self) -> float:
        """Live years."""
        return self.watched.windows * 7 / 365.25

    @property
    def onset(self) -> int | None:
        """The week in which the first harmed period begins."""
        return next((period.first for period in self.periods if period.is_harmed), None)

    def day(self, week: int) -> date:
        """The first day of a live week."""
        return self.deployment.first_week + timedelta(days=7 * (week - 1))

    def is_harm(self, week: int) -> bool:
        """Whether a week is in a harmed period, or shortly before one."""
        return any(period.first - EARLY <= week < period.end for period in self.periods if period.is_harmed)

    def delay(self, weeks: list[int]) -> int | None:
        """Weeks from the onset to the first alarm that is about it."""
        onset = self.onset
        return None if onset is None else next((max(week - onset, 0) for week in weeks if self.is_harm(week)), None)


def measure(settings: Settings) -> Result:
    """Train, replay and chart each deployment, one at a time; what is done already is kept.

    Cost: ten minutes of a core.
    """
    chosen = [each for each in DEPLOYMENTS if not settings.quick or each.name == "rides"]
    all_years = []
    for deployment in chosen:
        all_years.append(_measured(deployment, settings))
        print(deployment.title, file=sys.stderr)
    return Result(tables=(_merit(all_years), _charts(all_years), *(_story(years) for years in all_years)))


def _measured(deployment: YearsDeployment, settings: Settings) -> Years:
    folder = settings.out / FOLDER / deployment.name
    rows = scored(deployment, folder)
    said = watched(deployment, rows, folder)
    reference, live = weekly(deployment, rows)
    return Years(
        deployment=deployment,
        rows=int((rows["time"] >= pd.Timestamp(deployment.live, tz="UTC")).sum()),
        reference=reference,
        periods=periods(reference, live),
        watched=said,
        charts=chart_alarms(reference, live, said.budget),
    )


def _merit(all_years: list[Years]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for years in all_years:
        pages = years.watched.pages("harm")
        false = sum(not years.is_harm(page.week) for page in pages)
        best = min((delay for delay in map(years.delay, years.charts.values()) if delay is not None), default=None)
        notices = sum(each.level == "notice" for each in years.watched.told)
        rows.append(
            (
                years.deployment.title,
                round(years.years, 1),
                years.rows,
                f"{false} of {len(pages)}",
                len(years.watched.pages("volume")),
                len(years.watched.pages("data")),
                years.delay([page.week for page in pages]) if years.onset else "no harm",
                years.delay([each.week for each in years.watched.told if each.about == "harm"]) if years.onset else "-",
                best if years.onset else "-",
                notices / years.years,
                sum(each.state != "closed" for each in years.watched.told),
            )
        )
    total = sum(years.years for years in all_years)
    note = (
        f"{total:.0f} deployment-years. *False*: pages about losses in no harmed period, nor up to {EARLY} weeks before"
        " one. *Best chart*: the soonest of three, each tuned on the reference's own weeks for the monitor's own number"
        " of pages; it sees the labels of the same weeks. A dash: not found."
    )
    columns = (
        "deployment",
        "live years",
        "live rows",
        "false pages of harm",
        "pages about volume",
        "pages about data",
        "weeks from harm to page",
        "to page or notice",
        "to the best chart's alarm",
        "notices a year",
        "open at the end",
    )
    return Table(title="Figures of merit", columns=columns, rows=tuple(rows), note=note)


def _charts(all_years: list[Years]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for years in all_years:
        for name, weeks in years.charts.items():
            false = sum(not years.is_harm(week) for week in weeks)
            delay = years.delay(weeks)
            first = ", ".join(f"{years.day(week):%b %Y}" for week in weeks[:3])
            rows.append((years.deployment.title, name, len(weeks), false, delay, first))
    columns = ("deployment", "chart", "alarms", "false", "weeks from harm to alarm", "first alarms")
    note = f"Charts restart after an alarm; weeks with fewer than {MIN_LABELS} labels are joined to the next."
    title = "Charts tuned on the same reference for the same rate"
    return Table(title=title, columns=columns, rows=tuple(rows), note=note)


def _story(years: Years) -> Table:
    mean = float((years.reference.errors * years.reference.labels).sum() / years.reference.labels.sum())
    events: list[tuple[int, tuple[Cell, ...]]] = [
        (period.first, (f"{years.day(period.first)}", "(the world)", _world(period, years, mean), ""))
        for period in years.periods
    ]
    events += [(each.week, (each.opened, each.level, _sentence(each), _ended(each))) for each in years.watched.told]
    rows = [row for _, row in sorted(events, key=lambda event: event[0])]
    note = f"Reference from {years.deployment.reference} on, live from {years.deployment.live} on; labels come"
    note += f" {years.deployment.labels}. One page in {years.watched.budget:,.0f} weeks is promised."
    said = "".join(f" `init` says: {text}" for text in years.watched.notes)
    title = years.deployment.title
    return Table(
        title=title[0].upper() + title[1:],
        columns=("date", "what", "words", "ends"),
        rows=tuple(rows),
        note=note + said,
    )


def _world(period: Period, years: Years, mean: float) -> str:
    harmed = ", harm" if period.is_harmed else ""
    return f"error rate {100 * period.error:.1f} % to {years.day(period.end)} (reference {100 * mean:.1f} %){harmed}"


def _sentence(each: Told) -> str:
    """The first sentence."""
    text = each.sentence.replace("|", "/").split(". ")[0]
    return text if len(text) <= LONGEST else f"{text[:LONGEST].rsplit(' ', 1)[0]} \N{HORIZONTAL ELLIPSIS}"


def _ended(each: Told) -> str:
    return each.closed or f"{each.state} at the end"
