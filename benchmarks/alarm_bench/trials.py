"""Runs a monitor on a stream at the common budget, and scores what it said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .streams import Reference, Stream, Window

#: False pages that each monitor is allowed in a deployment-year.
BUDGET = 1.0

#: Deployment-years of windows, drawn from the reference with replacement, on which a level is chosen.
TUNED_YEARS = 10.0

#: A harm that is not paged in so many windows is missed.
HORIZON = 90

SEED = 12

#: Whether each window raises an alarm, by the reference, the windows in their order, and a level.
Alarms = Callable[[Reference, tuple[Window, ...], float], Sequence[bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """What raises alarms.

    Attributes:
        levels: From the most sensitive to the strictest; a single one is not tuned.
        tuned_years: Deployment-years on which a level is chosen; fewer where a monitor is slow.
    """

    name: str
    levels: tuple[float, ...]
    alarms: Alarms
    tuned_years: float = TUNED_YEARS


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a monitor said on a stream.

    Attributes:
        alarms: The windows that raised one, from 1.
        level: The level that was chosen.
    """

    alarms: tuple[int, ...]
    level: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What an outcome is worth.

    Attributes:
        calm_years: Deployment-years without harm.
        false: Alarms in them.
        delays: Windows from each harm's onset to its first alarm; None where none came within `HORIZON`.
    """

    calm_years: float
    false: int
    delays: tuple[int | None, ...]


def outcome(monitor: Monitor, stream: Stream) -> Outcome:
    """Choose the level on the reference, then judge the live windows."""
    level = chosen_level(monitor, stream.reference)
    said = monitor.alarms(stream.reference, stream.windows, level)
    assert len(said) == len(stream.windows), monitor.name
    return Outcome(alarms=tuple(at for at, alarm in enumerate(said, start=1) if alarm), level=level)


def chosen_level(monitor: Monitor, reference: Reference) -> float:
    """The most sensitive level at which windows drawn from the reference have no more alarms than the budget."""
    if len(monitor.levels) == 1:
        return monitor.levels[0]
    count = round(monitor.tuned_years * reference.windows_a_year)
    drawn = np.random.default_rng(SEED).integers(0, len(reference.windows), count)
    windows = tuple(reference.windows[at] for at in drawn)
    low, high = 0, len(monitor.levels) - 1
    while low < high:
        middle = (low + high) // 2
        is_kept = sum(monitor.alarms(reference, windows, monitor.levels[middle])) <= BUDGET * monitor.tuned_years
        low, high = (low, middle) if is_kept else (middle + 1, high)
    return monitor.levels[high]


def score(stream: Stream, said: Outcome) -> Score:
    """False alarms, and how soon each harm was told."""
    calm = np.ones(len(stream.windows) + 1, dtype=np.bool_)
    calm[0] = False
    delays: list[int | None] = []
    for first, end in stream.harms:
        calm[max(first - stream.early, 1) : end] = False
        soonest = next((at for at in said.alarms if first - stream.early <= at < end), None)
        delay = None if soonest is None else max(soonest - first, 0) + 1
        delays.append(delay if delay is not None and delay <= HORIZON else None)
    false = sum(bool(calm[at]) for at in said.alarms)
    return Score(calm_years=float(calm.sum()) / stream.reference.windows_a_year, false=false, delays=tuple(delays))


def worth(parts: Sequence[Sequence[Score]]) -> float:
    """One number from 0 to 1: how soon harms are told, less where false alarms are more than the budget.

    A harm counts 1 if its first window pages, and less by a `HORIZON`-th for each later one. It counts the budget's
    share of the false alarms of its part, if they are more.

    Args:
        parts: Scores of real streams and of simulated ones.

    >>> told = Score(calm_years=10.0, false=40, delays=(1, None))
    >>> worth([[told], []])
    0.125
    """
    found: list[float] = []
    for scores in filter(None, parts):
        rate = sum(each.false for each in scores) / sum(each.calm_years for each in scores)
        share = min(1.0, BUDGET / rate) if rate else 1.0
        delays = [delay for each in scores for delay in each.delays]
        found += [0.0 if delay is None else share * (1.0 - (delay - 1) / HORIZON) for delay in delays]
    return float(np.mean(found))
