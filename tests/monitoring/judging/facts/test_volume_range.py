"""What numbers of rows a reference had is no page of the live windows that have them too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from math import exp

import numpy as np
import pytest

from monitoring.incidents.alarm import HISTORY
from monitoring.judging.facts.traffic_volume import KIND
from monitoring.judging.facts.usual_level import UsualLevels
from monitoring.judging.facts.volume_range import VolumeRange
from monitoring.judging.volume_check import WindowVolume, check_volume
from monitoring.records import WindowRecord

FIRST = datetime(2026, 1, 5, tzinfo=UTC)
WEEK = timedelta(days=7)
WEEKS_PER_PAGE = 260.0


def bursts(weeks: int, rng: np.random.Generator) -> Sequence[int]:
    """Some 60 rows a week, and in one week of thirty many times as many."""
    bursting = np.where(rng.random(weeks) < 0.03, 1.0 + 8.0 * rng.pareto(1.5, weeks), 1.0)
    return list(map(int, rng.lognormal(4.1, 0.3, weeks) * bursting))


def winters(weeks: int, rng: np.random.Generator) -> Sequence[int]:
    """No rows in the first weeks of each year, 10 to 16 of them, and few after them."""
    counts = rng.poisson(60, weeks)
    for first in range(0, weeks, 52):
        length = int(rng.integers(10, 17))
        counts[first : first + length] = 0
        counts[first + length : first + length + 2] = rng.poisson(4, len(counts[first + length : first + length + 2]))
    return list(map(int, counts))


def seasons(weeks: int, rng: np.random.Generator) -> Sequence[int]:
    """Ten times as many rows in summer as in winter."""
    rate = 300.0 * np.exp(1.2 * np.sin(2.0 * np.pi * np.arange(weeks) / 52.0))
    return list(map(int, rng.poisson(rate * rng.gamma(20.0, 0.05, weeks))))


def weekly(number: int) -> dict[str, int]:
    return {}


def daily(number: int) -> dict[str, int]:
    return {"week": number % 7}


def told(
    reference: Sequence[int], live: Sequence[int], place: Callable[[int], dict[str, int]] = weekly
) -> tuple[Counter[str], set[str]]:
    """How often each kind of fact about rows begins, and which are true of the last window."""
    volumes = tuple((place(number), rows) for number, rows in enumerate(reference))
    known, levels = VolumeRange.fit(volumes, WEEKS_PER_PAGE), UsualLevels()
    begun: Counter[str] = Counter()
    before: set[str] = set()
    history: tuple[WindowRecord, ...] = ()
    for number in range(len(live)):
        rows, start = live[max(number - HISTORY, 0) : number + 1], FIRST + number * WEEK
        window = WindowVolume(
            start=start,
            history=history,
            places=[place(number + 1 - len(rows) + each) for each in range(len(rows))],
            rows=rows,
            labels=[0] * len(rows),
            waits=1,
        )
        findings, levels = check_volume(window, UsualLevels.from_text(levels.to_text()), volumes, 0.0, known)
        kinds = {finding.kind for finding in findings}
        begun.update(kinds - before)
        before = kinds
        record = WindowRecord(
            start=start,
            end=start + WEEK,
            rows=rows[-1],
            labels=0,
            labels_due=0,
            labels_unknown=0,
            repeats=0,
            status="ok",
            page_log_evidence=0.0,
            notice_log_evidence=0.0,
            findings=findings,
        )
        history = (*history, record)[-HISTORY:]
    return begun, before


@pytest.mark.parametrize("world", [bursts, winters, seasons])
def test_ten_years_like_the_reference_page_once_at_most(
    world: Callable[[int, np.random.Generator], Sequence[int]],
) -> None:
    pages = 0
    for seed in range(5):
        counts = world(20 * 52, np.random.default_rng(seed))
        pages += told(counts[: 10 * 52], counts[10 * 52 :])[0][KIND]
    assert pages <= 1, "in fifty years, in which ten pages are promised, a twentieth of them for the volume of traffic"


def test_traffic_that_stops_is_a_page_in_its_first_window_where_the_reference_never_did() -> None:
    steady = list(map(int, np.random.default_rng(1).poisson(60, 104)))
    assert told(steady, [*steady[:20], 0])[1] == {KIND}


def event_days(days: int, rng: np.random.Generator) -> Sequence[int]:
    """Some 200 rows on three days of ten, whatever the day of the week."""
    return list(map(int, rng.poisson(200, days) * (rng.random(days) < 0.3)))


def saturdays(days: int, rng: np.random.Generator) -> Sequence[int]:
    """Some 200 rows on each Saturday but those of a break of eight weeks a year."""
    number = np.arange(days)
    return list(map(int, rng.poisson(200, days) * (number % 7 == 5) * (number % 364 >= 56)))


@pytest.mark.parametrize(
    ("world", "windows", "place"),
    [
        (bursts, 52, weekly),
        (winters, 52, weekly),
        (seasons, 52, weekly),
        (event_days, 364, daily),
        (saturdays, 364, daily),
    ],
)
def test_traffic_that_stops_for_good_is_a_page_that_stays(
    world: Callable[[int, np.random.Generator], Sequence[int]], windows: int, place: Callable[[int], dict[str, int]]
) -> None:
    counts = world(4 * windows, np.random.default_rng(2))
    reference, live = counts[: 3 * windows], counts[3 * windows :]
    begun, at_last = told(reference, [*live, *[0] * 2 * windows], place)
    assert begun[KIND] == told(reference, live, place)[0][KIND] + 1
    assert KIND in at_last


def test_a_burst_beyond_all_of_the_references_is_a_page() -> None:
    steady = list(map(int, np.random.default_rng(1).poisson(60, 104)))
    assert told(steady, [*steady[:20], 1200])[1] == {KIND}


def test_a_day_without_rows_in_each_week_is_no_gap() -> None:
    days = tuple(({"week": day % 7}, 0 if day % 7 == 6 else 200) for day in range(91))
    known = VolumeRange.fit(days, 1825.0)
    assert known.empty_places == ({"week": 6},)
    assert (known.longest_gap, known.gap_limit) == (0, 0)


def test_days_that_are_all_mostly_empty_are_gaps() -> None:
    days = tuple((daily(number), rows) for number, rows in enumerate(event_days(364, np.random.default_rng(3))))
    known = VolumeRange.fit(days, 1825.0)
    assert known.empty_places == ()
    assert known.gap_limit > known.longest_gap > 3


def test_nothing_is_known_of_few_windows() -> None:
    assert VolumeRange.fit([({}, 60)] * 19, WEEKS_PER_PAGE) == VolumeRange()


def test_limits_lie_beyond_what_was_seen() -> None:
    known = VolumeRange.fit(tuple(({}, rows) for rows in bursts(520, np.random.default_rng(4))), WEEKS_PER_PAGE)
    assert known.more.limit > known.more.seen > 1.0
    assert exp(known.fewer.limit) < 10.0
