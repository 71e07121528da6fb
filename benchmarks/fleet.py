"""One budget of pages for 200 deployments: false pages in five years without harm, and days until harm is paged."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import Cell, Result, Settings, Table

DEPLOYMENTS, YEARS = 200, 5

#: The team's budget: days per false page; and the windows per false page of a deployment that has a budget of its own.
TEAM_DAYS, OWN_WINDOWS = 90.0, 1825.0

#: The sizes of a shift, in standard deviations, that each deployment's detector bets on.
SHIFTS = np.array([0.5, 1.0, 1.5, 2.0])

#: When harm begins, and how long it is followed, in days.
HARM_FROM, FOLLOWED = 365, 250

#: Repetitions that are simulated at once.
CHUNK = 20

_SEED = 84

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What happens to the deployments: how many are harmed, by how many standard deviations, and what they share."""

    name: str
    harmed: int = 0
    shift: float = 1.0
    correlation: float = 0.0

    @property
    def days(self) -> int:
        """How many days are simulated."""
        return HARM_FROM + FOLLOWED if self.harmed else 365 * YEARS


NULLS = (Scenario(name="independent"), Scenario(name="half of the variance common", correlation=0.5))
HARMS = (
    Scenario(name="1 of 200, by 1 standard deviation", harmed=1),
    Scenario(name="20 of 200, by 1", harmed=20),
    Scenario(name="1 of 200, by a half", harmed=1, shift=0.5),
    Scenario(name="20 of 200, by a half", harmed=20, shift=0.5),
    Scenario(name="20 of 200, by 1, half of the variance common", harmed=20, correlation=0.5),
)


@dataclass(slots=True)
class Detectors:
    """The evidence of every deployment of some repetitions: Shiryaev-Roberts sums, their mean over the shifts."""

    sums: Floats

    def step(self, bets: Floats) -> tuple[Floats, Floats]:
        """One day on: the evidence before and after it."""
        before = self.sums.mean(axis=2)
        self.sums = bets * (self.sums + 1.0)
        return before, self.sums.mean(axis=2)


@dataclass(slots=True)
class Alone:
    """Each deployment pages by itself at one threshold, and begins anew."""

    threshold: float
    detectors: Detectors

    def pages(self, bets: Floats, _: np.random.Generator) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """The pages of a day: the repetition, and the deployment."""
        after = self.detectors.step(bets)[1]
        for at in np.argwhere(after >= self.threshold):
            self.detectors.sums[at[0], at[1]] = 0.0
            yield int(at[0]), at[1:]


@dataclass(slots=True)
class Summed:
    """The team's sum, counted for a whole day at one time, or deployment by deployment as they are judged."""

    one_by_one: bool
    detectors: Detectors
    evidence: Floats = field(default_factory=lambda: np.zeros((CHUNK, DEPLOYMENTS)))

    def pages(self, bets: Floats, rng: np.random.Generator) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """The pages of a day: the repetition, and the deployments that are named."""
        before, after = self.detectors.step(bets)
        e_values = after / (before + 1.0)
        start = self.evidence
        self.evidence = e_values * (start + 1.0 / DEPLOYMENTS)
        order = rng.permutation(DEPLOYMENTS)
        if self.one_by_one:
            running = start.sum(axis=1, keepdims=True) + np.cumsum((self.evidence - start)[:, order], axis=1)
            crossed = np.flatnonzero(running.max(axis=1) >= TEAM_DAYS)
        else:
            crossed = np.flatnonzero(self.evidence.sum(axis=1) >= TEAM_DAYS)
        for repetition in crossed.tolist():
            if self.one_by_one:
                yield from self._in_turn(repetition, start[repetition].copy(), e_values[repetition], order)
            else:
                named = _named(self.evidence[repetition])
                self._clear(repetition, named)
                yield repetition, named

    def _in_turn(
        self, repetition: int, evidence: Floats, e_values: Floats, order: NDArray[np.int64]
    ) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """A day in which a page falls, deployment by deployment."""
        alarmed: set[int] = set()
        for place in order.tolist():
            if place in alarmed:  # named before its own window, which answers the alarm
                continue
            evidence[place] = e_values[place] * (evidence[place] + 1.0 / DEPLOYMENTS)
            if evidence.sum() >= TEAM_DAYS:
                named = _named(evidence)
                evidence[named] = 0.0
                self.detectors.sums[repetition, named] = 0.0
                alarmed |= set(named.tolist())
                yield repetition, named
        self.evidence[repetition] = evidence

    def _clear(self, repetition: int, named: NDArray[np.int64]) -> None:
        self.evidence[repetition, named] = 0.0
        self.detectors.sums[repetition, named] = 0.0


def _named(evidence: Floats) -> NDArray[np.int64]:
    """The deployments with the largest evidence, as many as reach the threshold together."""
    order = np.argsort(-evidence)
    return order[: int(np.searchsorted(np.cumsum(evidence[order]), TEAM_DAYS)) + 1]


def measure(settings: Settings) -> Result:
    """Simulate every scenario. Cost: a minute and a half of CPU; quick, a fifth of that."""
    chunks = 1 if settings.quick else 5
    columns = tuple(_methods())
    nulls = []
    for scenario in NULLS:
        pages = np.array([_simulate(scenario, _SEED + chunk)[0] for chunk in range(chunks)])
        rates = np.concatenate(list(pages), axis=1) * TEAM_DAYS / scenario.days
        error = rates.std(axis=1, ddof=1) / math.sqrt(rates.shape[1])
        cells: list[Cell] = [f"{rate:.2f} ± {half:.2f}" for rate, half in zip(rates.mean(axis=1), error, strict=True)]
        nulls.append((scenario.name, *cells))
    harms = []
    for scenario in HARMS:
        delays = np.concatenate([_simulate(scenario, _SEED + 100 + chunk)[1] for chunk in range(chunks)], axis=1)
        harms.append((scenario.name, *(_days(delay) for delay in delays)))
    repetitions = chunks * CHUNK
    return Result(
        tables=(
            Table(
                title=f"Pages per {TEAM_DAYS:.0f} days without harm, {DEPLOYMENTS} deployments, {YEARS} years",
                columns=("deployments", *columns),
                rows=tuple(nulls),
                note=f"{repetitions} repetitions, mean and its standard error. The promise of the first three is 1.",
            ),
            Table(
                title="Days until a page names a harmed deployment",
                columns=("harm", *columns),
                rows=tuple(harms),
                note=f"{repetitions} repetitions, median and ninth decile; harm begins after {HARM_FROM} days.",
            ),
        ),
        remarks=(f"Daily windows, normal scores; Bonferroni: thresholds of {DEPLOYMENTS * TEAM_DAYS:,.0f} windows.",),
    )


def _methods() -> dict[str, Alone | Summed]:
    def detectors() -> Detectors:
        return Detectors(np.zeros((CHUNK, DEPLOYMENTS, SHIFTS.size)))

    return {
        "team, as the runs count": Summed(one_by_one=True, detectors=detectors()),
        "team, a day at one time": Summed(one_by_one=False, detectors=detectors()),
        "Bonferroni": Alone(DEPLOYMENTS * TEAM_DAYS, detectors()),
        "own budgets": Alone(OWN_WINDOWS, detectors()),
    }


def _simulate(scenario: Scenario, seed: int) -> tuple[Floats, Floats]:
    """Pages of each method and repetition, and days from the beginning of harm to its first page; NaN without any."""
    rng = np.random.default_rng(seed)
    methods = list(_methods().values())
    pages, first = np.zeros((len(methods), CHUNK)), np.full((len(methods), CHUNK), np.nan)
    own_share, common = math.sqrt(1.0 - scenario.correlation), math.sqrt(scenario.correlation)
    for day in range(scenario.days):
        scores = own_share * rng.standard_normal((CHUNK, DEPLOYMENTS)) + common * rng.standard_normal((CHUNK, 1))
        is_harmed = scenario.harmed > 0 and day >= HARM_FROM
        if is_harmed:
            scores[:, : scenario.harmed] += scenario.shift
        bets = np.exp(SHIFTS * scores[..., None] - SHIFTS**2 / 2.0)
        for place, method in enumerate(methods):
            for repetition, named in method.pages(bets, rng):
                pages[place, repetition] += 1
                if is_harmed and np.isnan(first[place, repetition]) and (named < scenario.harmed).any():
                    first[place, repetition] = day - HARM_FROM + 1
    return pages, first


def _days(delays: Floats) -> str:
    """Median and ninth decile; repetitions without a page count as the latest."""
    ordered = np.sort(np.where(np.isnan(delays), np.inf, delays))
    middle, ninth = (ordered[int(share * (ordered.size - 1))] for share in (0.5, 0.9))
    return f"{_day(middle)} ({_day(ninth)})"


def _day(value: float) -> str:
    return f"{value:.0f}" if math.isfinite(value) else f"over {FOLLOWED}"
