"""Searches for subgroups: false notices in years in which nothing changed, and the time until a planted one is told.

Years are of rows in memory; searches, notices and their ends are the product's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from benchmarks.results import Cell, Result, Settings, Table
from monitoring.evidence.budget import Budget
from monitoring.records import IncidentRecord, Watch
from monitoring.subgroups.run_search import SEARCHED_WINDOWS, search_error_rate
from monitoring.subgroups.subgroup_incidents import SubgroupSearch, advance_subgroup_incident, open_subgroup_incidents
from monitoring.subgroups.subgroups import ScoredSide
from monitoring.traffic.windows import Window

SEED = 20_260_901
SHOPS = ("north", "south", "west")

#: Days of a reference, searches of a year, and days after a search's last window until labels are complete.
REFERENCE, SEARCHES, HORIZON = 90, 12, 7

#: Years of each law, and of each planted harm.
YEARS, YEARS_QUICK = 120, 3

FIRST, DAY = datetime(2026, 1, 1, tzinfo=UTC), timedelta(days=1)
BUDGET = Budget(alarms=1, windows=30)
WATCH = Watch(name="surprise_error", family="surprise", level="page", needs_label=True, scale=2.0, offset=-1.0)


@dataclass(frozen=True, kw_only=True)
class Law:
    """How rows are made: an error of .2, ten inputs of which none matters, and what differs from day to day.

    Attributes:
        name: What it is called.
        rows: Rows a day.
        days: The standard deviation of a day's error, and of a day's error in each shop by itself.
        ar1: The AR(1) coefficient of both.
        skewed: Whether losses are squares of normal numbers, and no errors.
        everywhere: A rise of all rows since the reference.
        drifts: Whether inputs drift through the year.
    """

    name: str
    rows: int = 200
    days: float = 0.0
    ar1: float = 0.0
    skewed: bool = False
    everywhere: float = 0.0
    drifts: bool = False


@dataclass(frozen=True, kw_only=True)
class Harm:
    """Which rows get worse, and by how much."""

    name: str
    rise: float
    share: float
    slice_of: str


LAWS = (
    Law(name="independent rows"),
    Law(name="60 rows a day", rows=60),
    Law(name="days differ by .05, all shops and each", days=0.05),
    Law(name="the same, AR(1) .3", days=0.05, ar1=0.3),
    Law(name="the same, AR(1) .6", days=0.05, ar1=0.6),
    Law(name="skewed losses", skewed=True, days=0.05),
    Law(name="worse by .1 everywhere", everywhere=0.1, days=0.05),
    Law(name="inputs drift", drifts=True, days=0.05),
)
HARMS = (
    Harm(name="+40 points in a twelfth: two conditions", rise=0.4, share=1 / 12, slice_of="evening and north"),
    Harm(name="+20 points in a tenth: one number", rise=0.2, share=0.1, slice_of="amount"),
    Harm(name="+10 points in a third: one category", rise=0.1, share=1 / 3, slice_of="north"),
    Harm(name="+10 points in a tenth: one number", rise=0.1, share=0.1, slice_of="amount"),
)


@dataclass(slots=True, kw_only=True)
class Year:
    """Days in order, whose effects go on from the reference to the traffic."""

    law: Law
    rng: np.random.Generator
    day: int = 0
    effects: np.ndarray = field(default_factory=lambda: np.zeros(4))

    def __post_init__(self) -> None:
        """Begin somewhere."""
        self.effects = self.rng.normal(size=4)

    def rows(self, days: int, harm: Harm | None = None, after: int = 0, worse: float = 0.0) -> ScoredSide:
        """The next days; from day `after` of them on with the harm."""
        law, rng, count = self.law, self.rng, days * self.law.rows
        window = np.repeat(np.arange(self.day, self.day + days), law.rows)
        hour, shop = rng.integers(0, 24, count).astype(float), rng.choice(SHOPS, count)
        moved = 1.5 * (window / 365.0) if law.drifts else 0.0
        numbers = {f"number {number}": rng.normal(size=count) + moved for number in range(6)}
        amount = rng.lognormal(3.0, 1.0, count)
        effects = np.repeat([self._next() for _ in range(days)], law.rows, axis=0)
        places = np.searchsorted(SHOPS, shop)
        shift = law.days * (effects[:, 0] + effects[np.arange(count), 1 + places]) + worse
        if harm is not None:
            inside = {
                "evening and north": (hour >= 18) & (shop == "north"),
                "amount": amount >= np.exp(3.0 + 1.2815516),
                "north": shop == "north",
            }[harm.slice_of]
            shift = shift + harm.rise * (inside & (window >= self.day + after))
        self.day += days
        weekday = pa.array(window % 7).cast(pa.string())
        loss = (
            0.2 * rng.normal(size=count) ** 2 + shift if law.skewed else rng.random(count) < np.clip(0.2 + shift, 0, 1)
        )
        inputs = {"hour": hour, "shop": pa.array(shop), "weekday": weekday, "amount": amount, **numbers}
        return ScoredSide(inputs=inputs, excess=np.asarray(loss, dtype=np.float64) - 0.2, window=window)

    def _next(self) -> np.ndarray:
        self.effects = self.law.ar1 * self.effects + np.sqrt(1 - self.law.ar1**2) * self.rng.normal(size=4)
        return self.effects


@dataclass(frozen=True, kw_only=True)
class YearOfSearches:
    """What a year's searches told: the notices that each opened, and their subgroups; and those open at its end."""

    opened: tuple[int, ...]
    subgroups: tuple[str, ...]
    still_open: int


def year_of_searches(
    law: Law, seed: int, *, harm: Harm | None = None, after: int = 0, searches: int = SEARCHES
) -> YearOfSearches:
    """The notices of a year of traffic after a reference.

    Args:
        harm: What gets worse; None: nothing.
        after: The day of the traffic from which on it does.
    """
    year = Year(law=law, rng=np.random.default_rng([SEED, seed]))
    baseline = year.rows(REFERENCE)
    incidents: dict[int, IncidentRecord] = {}
    opened: list[int] = []
    for number in range(searches):
        start = FIRST + SEARCHED_WINDOWS * number * DAY
        end = start + SEARCHED_WINDOWS * DAY
        live = year.rows(SEARCHED_WINDOWS, harm, max(after - SEARCHED_WINDOWS * number, 0), worse=law.everywhere)
        search = SubgroupSearch(
            baseline=baseline,
            live=live,
            watch=WATCH,
            searched=Window(start=start, end=end),
            windows=SEARCHED_WINDOWS,
            now=Window(start=end + (HORIZON - 1) * DAY, end=end + HORIZON * DAY),
            error_rate=search_error_rate(BUDGET),
        )
        incidents |= {incident.number: advance_subgroup_incident(incident, search) for incident in incidents.values()}
        alive = [incident for incident in incidents.values() if incident.state != "closed"]
        new = open_subgroup_incidents(search, alive, (), first_number=len(incidents) + 1)
        incidents |= {incident.number: incident for incident in new}
        opened.append(len(new))
    names = tuple(incident.slice for incident in incidents.values())
    return YearOfSearches(
        opened=tuple(opened),
        subgroups=names,
        still_open=sum(incident.state != "closed" for incident in incidents.values()),
    )


def false_notices(law: Law, years: int) -> tuple[Cell, ...]:
    """A row of the table of false notices."""
    results = [year_of_searches(law, seed) for seed in range(years)]
    notices = np.array([sum(result.opened) for result in results])
    error = float(notices.std(ddof=1) / np.sqrt(years))
    searches = years * SEARCHES
    return law.name, float(notices.mean()), error, float((notices > 0).mean()), float(notices.sum() / searches)


def time_to_notice(harm: Harm, law: Law, years: int) -> tuple[Cell, ...]:
    """A row of the table of planted subgroups: told or not within three searches, and after how many days."""
    delays, named = [], []
    for seed in range(years):
        after = seed % SEARCHED_WINDOWS
        result = year_of_searches(law, 10_000 + seed, harm=harm, after=after, searches=3)
        first = next((place for place, count in enumerate(result.opened) if count), None)
        if first is not None:
            delays.append(SEARCHED_WINDOWS * (first + 1) + HORIZON - after)
            named.append(result.subgroups[0])
    words = {"evening and north": ("hour ≥", "north"), "amount": ("amount ≥",), "north": ("shop = north",)}
    right = sum(all(word in name for word in words[harm.slice_of]) for name in named)
    ordered = sorted(delays)
    return (
        harm.name,
        law.name,
        len(delays) / years,
        float(np.median(ordered)) if ordered else None,
        ordered[int(0.9 * (len(ordered) - 1))] if ordered else None,
        right / max(len(named), 1),
    )


def measure(settings: Settings) -> Result:
    """Measure false notices and delays. Cost: some ten CPU minutes, half a minute with `quick`."""
    years = YEARS_QUICK if settings.quick else YEARS
    false = Table(
        title=f"False notices of searches, {years} years of each law",
        columns=("law", "notices a year", "± SE", "years with any", "a search"),
        rows=tuple(false_notices(law, years) for law in LAWS),
        note=(
            f"{SEARCHES} searches a year of 30 days with ten inputs, against {REFERENCE} days of reference; budget 1 "
            "notice per 30 windows, of which searches have a twentieth: "
            f"{SEARCHES * search_error_rate(BUDGET):.2f} a year."
        ),
    )
    laws = (LAWS[0], replace(LAWS[2], name="days differ by .05"))
    planted = Table(
        title=f"Planted subgroups, {years // 2} streams of each",
        columns=("harm", "law", "told within three searches", "days, median", "days, .9", "right inputs and signs"),
        rows=tuple(time_to_notice(harm, law, max(years // 2, 2)) for harm in HARMS for law in laws),
        note=(
            f"The harm begins on any day between two searches; days until the notice, of which {HORIZON} are the label "
            "horizon. Right: the first notice has the planted conditions' inputs and signs."
        ),
    )
    return Result(tables=(false, planted))
