"""Fresh baselines from known laws: what a baseline's luck costs, for few windows and many, one watch and hundreds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.level_streams import Alarms
from benchmarks.results import Cell, Table
from benchmarks.rules import calibrated
from monitoring.evidence.autocorrelation import level_ar1
from monitoring.evidence.conformal import ConformalTest
from monitoring.evidence.seasonality import NO_SEASONALITY, fit_seasonality
from monitoring.evidence.simulation import VectorizedTests

THRESHOLD = 365.0
YEAR = 365
MONTH = 30

#: Tests advanced together, so that one numpy call advances all of their streams.
TOGETHER = 300

#: Standard deviation of a normal score, or of what is new in one that remembers.
SPREAD = 0.05

Law = Callable[[np.random.Generator, int, int], NDArray[np.float64]]


def normal(rng: np.random.Generator, streams: int, windows: int) -> NDArray[np.float64]:
    """Independent normal scores."""
    return rng.normal(0.3, SPREAD, (streams, windows))


def beta(rng: np.random.Generator, streams: int, windows: int) -> NDArray[np.float64]:
    """Independent, skewed to the side of harm: Beta(2, 8)."""
    return rng.beta(2.0, 8.0, (streams, windows))


def heavy(rng: np.random.Generator, streams: int, windows: int) -> NDArray[np.float64]:
    """Independent, heavy-tailed: Student's t with three degrees of freedom."""
    return 0.3 + 0.03 * rng.standard_t(3.0, (streams, windows))


def restless(rng: np.random.Generator, streams: int, windows: int, *, memory: float) -> NDArray[np.float64]:
    """Normal, each window remembering a part of the one before: not exchangeable, as real days are not."""
    noise = rng.normal(0.0, SPREAD, (streams, windows))
    scores = np.empty_like(noise)
    scores[:, 0] = noise[:, 0] / np.sqrt(1.0 - memory**2)
    for window in range(1, windows):
        scores[:, window] = memory * scores[:, window - 1] + noise[:, window]
    return scores + 0.3


def two_days(rng: np.random.Generator, streams: int, windows: int) -> NDArray[np.float64]:
    """Normal, each window the sum of two windows' shocks: a storm that lasts over midnight, and then is gone."""
    shocks = rng.normal(0.0, SPREAD / np.sqrt(2.0), (streams, windows + 1))
    scores: NDArray[np.float64] = 0.3 + shocks[:, 1:] + shocks[:, :-1]
    return scores


def drifting(rng: np.random.Generator, streams: int, windows: int) -> NDArray[np.float64]:
    """A slow drift, AR(1) .9, a third of the variance, under independent noise."""
    slow = restless(rng, streams, windows + 60, memory=0.9)[:, 60:] - 0.3
    scores: NDArray[np.float64] = (
        0.3 + slow * np.sqrt(1.0 - 0.9**2) + rng.normal(0.0, SPREAD * np.sqrt(2.0), slow.shape)
    )
    return scores


def weekly(rng: np.random.Generator, streams: int, windows: int) -> NDArray[np.float64]:
    """Daily windows, normal; two days of each seven lie two deviations of the noise higher."""
    weekend = np.arange(windows) % 7 >= 5
    scores: NDArray[np.float64] = rng.normal(0.3, 0.03, (streams, windows)) + 0.06 * weekend
    return scores


def hourly(rng: np.random.Generator, streams: int, windows: int) -> NDArray[np.float64]:
    """Hourly windows, normal, about a sine of the time of day that varies as much as the noise does."""
    day = np.sin(2.0 * np.pi * np.arange(windows) / 24.0)
    scores: NDArray[np.float64] = rng.normal(0.3, 0.03, (streams, windows)) + 0.03 * np.sqrt(2.0) * day
    return scores


LAWS: dict[str, Law] = {
    "normal": normal,
    "beta(2, 8)": beta,
    "Student t(3)": heavy,
    "normal, AR(1) .3": partial(restless, memory=0.3),
    "normal, AR(1) .5": partial(restless, memory=0.5),
    "normal, AR(1) .7": partial(restless, memory=0.7),
    "two days' shocks": two_days,
    "slow drift under noise": drifting,
    "a week's cycle, daily": weekly,
    "a day's cycle, hourly": hourly,
}

#: Each law's standard deviation.
DEVIATIONS = {"normal": SPREAD, "beta(2, 8)": float(np.sqrt(2 * 8 / (10**2 * 11))), "Student t(3)": 0.03 * np.sqrt(3.0)}

#: Rises whose delay is measured, in standard deviations; the bar is two within ten windows and five within three.
RISES = (1.0, 2.0, 3.0, 4.0, 5.0, 10.0, 40.0)
BARS = {2.0: 10, 5.0: 3}
CYCLE_RISES = (1.0, 2.0, 5.0)

#: Laws and baseline windows whose delay is measured.
DELAYED = (
    ("normal", 20),
    ("normal", 90),
    ("normal", 365),
    ("beta(2, 8)", 90),
    ("Student t(3)", 90),
    ("normal, AR(1) .3", 90),
    ("normal, AR(1) .5", 90),
    ("normal, AR(1) .7", 90),
    ("normal", 30),
    ("beta(2, 8)", 20),
    ("beta(2, 8)", 30),
    ("Student t(3)", 20),
    ("Student t(3)", 30),
)

#: Laws with a cycle, by name: that of the cycle, the windows in it, and the numbers of baseline windows.
CYCLES = {
    "a week's cycle, daily": ("week", 7, (28, 90)),
    "a day's cycle, hourly": ("day", 24, (168, 720)),
}

#: Baseline windows R, and independent watches that share the level.
SHAPES = ((20, 1), (40, 1), (60, 1), (90, 1), (365, 1), (20, 30), (90, 30), (20, 300), (90, 300))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How many watches are fitted in all for one row, streams of each level, and windows in a stream."""

    watches: int
    streams: int
    windows: int

    def levels(self, together: int) -> int:
        """Levels of so many watches: a tenth of `watches` and more where one watch is the whole level."""
        return max(self.watches // (10 if together == 1 else together), 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fresh:
    """Alarms on fresh baselines: ours, and those of any watch above mean + 3 SD. Rows are streams, level by level."""

    ours: Alarms
    band: Alarms


def fresh_baselines(law: Law, windows: int, watches: int, sizes: Sizes, rng: np.random.Generator) -> Fresh:
    """Levels of so many independent watches with equal shares, each on a fresh baseline; nothing is called harmless."""
    ours, band = [], []
    levels = sizes.levels(watches)
    at_once = max(TOGETHER // watches, 1)
    for start in range(0, levels, at_once):
        some = min(at_once, levels - start)
        known = law(rng, some * watches, windows)
        live = law(rng, sizes.streams * some * watches, sizes.windows).reshape(sizes.streams, -1, sizes.windows)
        ours.append(paged(known.reshape(some, watches, windows), live))
        limits = known.mean(axis=1) + 3.0 * known.std(axis=1, ddof=1)
        over = (live > limits[None, :, None]).reshape(sizes.streams, some, watches, -1).any(axis=2)
        band.append(over.swapaxes(0, 1).reshape(-1, sizes.windows))
    return Fresh(ours=Alarms(at=np.concatenate(ours)), band=Alarms(at=np.concatenate(band)))


def paged(known: NDArray[np.float64], live: NDArray[np.float64]) -> NDArray[np.bool_]:
    """This monitor's alarms [levels · streams, windows], restarted after each; `known` is [levels, watches, R]."""
    tests = []
    for level in known:
        remembered = level_ar1(dict(enumerate(level)))
        tests += [ConformalTest.fit(one, tolerance=0.0, ar1=remembered[place]) for place, one in enumerate(level)]
    return paged_by(tests, live, known.shape[1])


def paged_by(tests: list[ConformalTest], live: NDArray[np.float64], watches: int) -> NDArray[np.bool_]:
    """Alarms as of `paged`, of levels of so many watches each; `live` is [streams, tests, windows]."""
    levels = len(tests) // watches
    streams, _, windows = live.shape
    runs = VectorizedTests(tests, streams, levels=np.repeat(np.arange(levels), watches).tolist())
    at = np.zeros((streams, levels, windows), dtype=np.bool_)
    for window in range(windows):
        over = runs.step(live[:, :, window]).reshape(streams, levels, watches).mean(axis=2) >= THRESHOLD
        at[:, :, window] = over
        if over.any():
            runs.restart(np.repeat(over, watches, axis=1))
    return at.swapaxes(0, 1).reshape(-1, windows)


def law_table(sizes: Sizes, seed: int, laws: dict[str, Law] = LAWS) -> Table:
    """Every law, number of baseline windows and number of watches; each law's draws are its own."""
    rows: list[tuple[Cell, ...]] = []
    for name, law in laws.items():
        rng = np.random.default_rng([seed, list(LAWS).index(name)])
        for windows, watches in SHAPES:
            found = fresh_baselines(law, windows, watches, sizes, rng)
            by_level = found.ours.at.mean(axis=1).reshape(-1, sizes.streams).mean(axis=1) * YEAR
            unlucky = found.ours.at[:, :YEAR].any(axis=1).reshape(-1, sizes.streams).mean(axis=1)
            rows.append(
                (
                    name,
                    windows,
                    watches,
                    len(by_level),
                    found.ours.share_with_any(MONTH),
                    found.ours.share_with_any(YEAR),
                    float(by_level.mean()),
                    float(by_level.std(ddof=1) / np.sqrt(len(by_level))),
                    float(np.quantile(unlucky, 0.9)) if watches == 1 else None,
                    found.band.share_with_any(YEAR),
                    found.band.per(YEAR),
                )
            )
    return Table(
        title="Fresh baselines from known laws: budget 1 page per 365 windows, nothing changed",
        columns=(
            "law of window scores",
            "R",
            "watches",
            "baselines",
            "any page in 30",
            "any page in 365",
            "pages per 365",
            "± SE",
            "any page, unluckiest tenth",
            "3 SD rule: any",
            "3 SD rule: per 365",
        ),
        rows=tuple(rows),
        note=(
            f"Each level of independent watches on a fresh baseline of R windows, with {sizes.streams} streams of "
            f"{sizes.windows:,} windows, restarted after each page; nothing is called harmless. Unluckiest tenth: the "
            "90 % quantile over baselines of the share of years with a page."
        ),
    )


def delay_table(streams: int, seed: int) -> Table:
    """How soon one watch on a fresh baseline tells a rise from the first window on, beside the limit."""
    rng = np.random.default_rng(seed)
    rows = [_limit_row(memory, streams, rng) for memory in (0.0, 0.3, 0.5, 0.7)]
    for name, windows in DELAYED:
        law = LAWS[name]
        known, live = law(rng, streams, windows), law(rng, streams, 120)
        found = {}
        for rise in RISES:
            moved = live + rise * DEVIATIONS.get(name, SPREAD / np.sqrt(1.0 - memory_of(name) ** 2))
            # Each stream has a baseline of its own: so many levels of one watch, with one stream each.
            parts = range(0, streams, TOGETHER)
            at = [paged(known[p : p + TOGETHER, None], moved[None, p : p + TOGETHER]) for p in parts]
            found[rise] = Alarms(at=np.concatenate(at))
        rows.append((name, windows, *_delay_cells(found)))
    return Table(
        title="Delay at known laws: median windows to the page, and in brackets those by which nine of ten are paged",
        columns=(
            "law of window scores",
            "R",
            *(f"+{rise:.0f} SD" for rise in RISES),
            *(f"+{rise:.0f} SD within {windows}" for rise, windows in BARS.items()),
        ),
        rows=tuple(rows),
        note=(
            f"One watch, {streams:,} streams of 120 windows, each on a fresh baseline of R windows, harmed from the "
            "first window on; nothing is called harmless. The CUSUMs are told both laws and the memory, and have a run "
            "length of 365."
        ),
    )


def caution_table(streams: int, seed: int) -> Table:
    """What not knowing the memory costs where there is none: delays of tests that learn it, and of some told of it."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[Cell, ...]] = []
    for windows in (20, 40, 90):
        known, live = normal(rng, streams, windows), normal(rng, streams, 120)
        cells: list[Cell] = []
        for told in (False, True):
            remembered = [0.0 if told else level_ar1({0: one})[0] for one in known]
            tests = [ConformalTest.fit(one, tolerance=0.0, ar1=m) for one, m in zip(known, remembered, strict=True)]
            for rise, within in BARS.items():
                moved = live + rise * DEVIATIONS["normal"]
                parts = range(0, streams, TOGETHER)
                at = [paged_by(tests[p : p + TOGETHER], moved[None, p : p + TOGETHER], 1) for p in parts]
                cells.append(Alarms(at=np.concatenate(at)).share_with_any(within))
        rows.append((windows, *cells))
    bars = [f"+{rise:.0f} SD within {within}" for rise, within in BARS.items()]
    return Table(
        title="What not knowing the memory costs: normal scores without memory",
        columns=("R", *bars, *(f"{bar}, told" for bar in bars)),
        rows=tuple(rows),
        note=f"One watch, {streams:,} streams, each on a fresh baseline; told: that the memory is zero.",
    )


def cycle_table(baselines: int, seed: int) -> Table:
    """Laws with a cycle: false pages and delays where it is left in, and where it is taken out if that pays."""
    rows: list[tuple[Cell, ...]] = []
    for name, (cycle, length, sizes) in CYCLES.items():
        rng = np.random.default_rng([seed, list(LAWS).index(name)])
        # Of the whole, cycle and noise: what a user would see.
        deviation = float(LAWS[name](np.random.default_rng(0), 1000, length * 10).std())
        for windows in sizes:
            known = LAWS[name](rng, baselines, windows)
            quiet = LAWS[name](rng, 2 * baselines, YEAR).reshape(2, baselines, YEAR)
            harmed = LAWS[name](rng, baselines, 120)[None]
            for label, taken in (("without", False), ("with", True)):
                tests, owed, found = _judged_with(known, cycle, length, taken=taken)
                clean = paged_by(tests, quiet - owed[:, np.arange(YEAR) % length], 1)
                a_year = clean.sum(axis=1).reshape(baselines, 2).mean(axis=1)
                live = harmed - owed[:, np.arange(120) % length]
                paged = {rise: Alarms(at=paged_by(tests, live + rise * deviation, 1)) for rise in CYCLE_RISES}
                error = float(a_year.std(ddof=1) / np.sqrt(baselines))
                count = found if taken else None
                rows.append((name, windows, label, count, float(a_year.mean()), error, *_delay_cells(paged)))
    return Table(
        title="Laws with a cycle: budget 1 page per 365 windows",
        columns=(
            "law of window scores",
            "R",
            "cycle taken out",
            "found in",
            "pages per 365",
            "± SE",
            *(f"+{rise:.0f} SD" for rise in CYCLE_RISES),
            *(f"+{rise:.0f} SD within {within}" for rise, within in BARS.items()),
        ),
        rows=tuple(rows),
        note=(
            f"One watch, {baselines} fresh baselines of R windows with two streams of a year each, restarted after "
            "each page, and one of 120 windows for each harm; nothing is called harmless. Deviations are of the whole, "
            "cycle and noise; medians, and in brackets the window by which nine of ten are paged."
        ),
    )


def _judged_with(
    known: NDArray[np.float64], cycle: str, length: int, *, taken: bool
) -> tuple[list[ConformalTest], NDArray[np.float64], int]:
    """Each baseline's test, what each place owes to the cycle, and of how many baselines a cycle is taken out.

    `known` is [baselines, R], what is owed [baselines, length].
    """
    tests, owed, found = [], np.zeros((len(known), length)), 0
    places = np.arange(known.shape[1]) % length
    for place, scores in enumerate(known):
        one, judged = fit_seasonality(scores, {cycle: places}) if taken else (NO_SEASONALITY, scores)
        found += bool(one.offsets)
        owed[place] = [one.offset({cycle: at}) for at in range(length)]
        tests.append(ConformalTest.fit(judged, tolerance=0.0, ar1=level_ar1({0: judged})[0]))
    return tests, owed, found


def memory_of(name: str) -> float:
    """The memory of a law that has its name from it, else 0.

    >>> memory_of("normal, AR(1) .3"), memory_of("normal")
    (0.3, 0.0)
    """
    return float(name.rpartition("AR(1) ")[2]) if "AR(1)" in name else 0.0


def _limit_row(memory: float, streams: int, rng: np.random.Generator) -> tuple[Cell, ...]:
    """The CUSUM on the innovations of normal scores; the first harmed window is seen whole."""
    quiet = rng.normal(size=(200, 4000))
    found = {}
    for rise in RISES:
        later = rise * (1.0 - memory) / np.sqrt(1.0 - memory**2)
        innovations = rng.normal(size=(streams, 120)) + later
        innovations[:, 0] += rise / np.sqrt(1.0 - memory**2) - later
        found[rise] = calibrated(later, quiet, THRESHOLD).alarms(innovations)
    told = "CUSUM, normal" + (f", AR(1) {memory:.1f}".replace("0.", ".") if memory else "")
    return (told, None, *_delay_cells(found))


def _delay_cells(found: dict[float, Alarms]) -> tuple[Cell, ...]:
    shown = {
        rise: [">120" if delay is None else f"{delay:.0f}" for delay in (alarms.delay(0.5), alarms.delay(0.9))]
        for rise, alarms in found.items()
    }
    bars = [found[rise].share_with_any(windows) for rise, windows in BARS.items()]
    return (*(f"{middle} ({most})" for middle, most in shown.values()), *bars)
