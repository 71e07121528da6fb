"""Fresh baselines from known distributions: false pages and delays by number of baseline windows and of watches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import Cell, Table
from benchmarks.truth.level_streams import Alarms
from benchmarks.truth.rules import calibrated
from monitoring.evidence.autocorrelation import level_ar1
from monitoring.evidence.conformal import ConformalTest
from monitoring.evidence.seasonality import NO_SEASONALITY, fit_seasonality
from monitoring.evidence.simulation import VectorizedTests

THRESHOLD = 365.0
YEAR = 365
MONTH = 30

#: Tests that are advanced together by one numpy call.
BATCH = 300

#: Standard deviation of a normal score, or of the innovations of an autocorrelated one.
STD = 0.05

Distribution = Callable[[np.random.Generator, int, int], NDArray[np.float64]]


def normal(rng: np.random.Generator, streams: int, windows: int) -> NDArray[np.float64]:
    """Independent normal scores."""
    return rng.normal(0.3, STD, (streams, windows))


def beta(rng: np.random.Generator, streams: int, windows: int) -> NDArray[np.float64]:
    """Independent and skewed towards harm: Beta(2, 8)."""
    return rng.beta(2.0, 8.0, (streams, windows))


def heavy(rng: np.random.Generator, streams: int, windows: int) -> NDArray[np.float64]:
    """Independent and heavy-tailed: Student's t with three degrees of freedom."""
    return 0.3 + 0.03 * rng.standard_t(3.0, (streams, windows))


def autoregressive(rng: np.random.Generator, streams: int, windows: int, *, coefficient: float) -> NDArray[np.float64]:
    """Normal AR(1): not exchangeable, like real days."""
    noise = rng.normal(0.0, STD, (streams, windows))
    scores = np.empty_like(noise)
    scores[:, 0] = noise[:, 0] / np.sqrt(1.0 - coefficient**2)
    for window in range(1, windows):
        scores[:, window] = coefficient * scores[:, window - 1] + noise[:, window]
    return scores + 0.3


def moving_average(rng: np.random.Generator, streams: int, windows: int) -> NDArray[np.float64]:
    """Normal MA(1): each window has the shocks of two windows, like a storm over midnight."""
    shocks = rng.normal(0.0, STD / np.sqrt(2.0), (streams, windows + 1))
    scores: NDArray[np.float64] = 0.3 + shocks[:, 1:] + shocks[:, :-1]
    return scores


def slow_drift(rng: np.random.Generator, streams: int, windows: int) -> NDArray[np.float64]:
    """AR(1) with coefficient .9 and a third of the variance, plus independent noise."""
    slow = autoregressive(rng, streams, windows + 60, coefficient=0.9)[:, 60:] - 0.3
    scores: NDArray[np.float64] = 0.3 + slow * np.sqrt(1.0 - 0.9**2) + rng.normal(0.0, STD * np.sqrt(2.0), slow.shape)
    return scores


def weekly(rng: np.random.Generator, streams: int, windows: int) -> NDArray[np.float64]:
    """Normal daily windows; two of seven days are two standard deviations of the noise higher."""
    weekend = np.arange(windows) % 7 >= 5
    scores: NDArray[np.float64] = rng.normal(0.3, 0.03, (streams, windows)) + 0.06 * weekend
    return scores


def hourly(rng: np.random.Generator, streams: int, windows: int) -> NDArray[np.float64]:
    """Normal hourly windows around a sine of the time of day with the variance of the noise."""
    day = np.sin(2.0 * np.pi * np.arange(windows) / 24.0)
    scores: NDArray[np.float64] = rng.normal(0.3, 0.03, (streams, windows)) + 0.03 * np.sqrt(2.0) * day
    return scores


DISTRIBUTIONS: dict[str, Distribution] = {
    "normal": normal,
    "beta(2, 8)": beta,
    "Student t(3)": heavy,
    "normal, AR(1) .3": partial(autoregressive, coefficient=0.3),
    "normal, AR(1) .5": partial(autoregressive, coefficient=0.5),
    "normal, AR(1) .7": partial(autoregressive, coefficient=0.7),
    "two days' shocks": moving_average,
    "slow drift under noise": slow_drift,
    "a week's cycle, daily": weekly,
    "a day's cycle, hourly": hourly,
}

#: Standard deviation of each distribution.
STANDARD_DEVIATIONS = {
    "normal": STD,
    "beta(2, 8)": float(np.sqrt(2 * 8 / (10**2 * 11))),
    "Student t(3)": 0.03 * np.sqrt(3.0),
}

#: Rises in standard deviations; the goal is two within ten windows and five within three.
RISES = (1.0, 2.0, 3.0, 4.0, 5.0, 10.0, 40.0)
GOALS = {2.0: 10, 5.0: 3}
CYCLE_RISES = (1.0, 2.0, 5.0)

#: Distributions and baseline windows for which delays are measured.
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

#: Seasonal distributions by name: kind of cycle, its windows, and numbers of baseline windows.
CYCLES = {"a week's cycle, daily": ("week", 7, (28, 90)), "a day's cycle, hourly": ("day", 24, (168, 720))}

#: Baseline windows R, and number of independent watches of the level.
SHAPES = ((20, 1), (40, 1), (60, 1), (90, 1), (365, 1), (20, 30), (90, 30), (20, 300), (90, 300))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Fitted watches per row, streams per level, and windows per stream."""

    watches: int
    streams: int
    windows: int

    def levels(self, together: int) -> int:
        """Number of levels with this many watches: at most a tenth of `watches` where a level has one watch."""
        return max(self.watches // (10 if together == 1 else together), 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshBaselines:
    """Alarms on fresh baselines: of this monitor, and of any watch above mean + 3 SD. Rows are streams by level."""

    ours: Alarms
    band: Alarms


def fresh_baselines(
    distribution: Distribution, windows: int, watches: int, sizes: Sizes, rng: np.random.Generator
) -> FreshBaselines:
    """Run levels of independent watches with equal weights, each on a fresh baseline, with tolerance 0."""
    ours, band = [], []
    levels = sizes.levels(watches)
    at_once = max(BATCH // watches, 1)
    for start in range(0, levels, at_once):
        some = min(at_once, levels - start)
        baseline = distribution(rng, some * watches, windows)
        live = distribution(rng, sizes.streams * some * watches, sizes.windows).reshape(
            sizes.streams, -1, sizes.windows
        )
        ours.append(page_alarms(baseline.reshape(some, watches, windows), live))
        limits = baseline.mean(axis=1) + 3.0 * baseline.std(axis=1, ddof=1)
        over = (live > limits[None, :, None]).reshape(sizes.streams, some, watches, -1).any(axis=2)
        band.append(over.swapaxes(0, 1).reshape(-1, sizes.windows))
    return FreshBaselines(ours=Alarms(at=np.concatenate(ours)), band=Alarms(at=np.concatenate(band)))


def page_alarms(baseline: NDArray[np.float64], live: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Alarms of this monitor [levels · streams, windows], restarted after each; `baseline` is [levels, watches, R]."""
    tests = []
    for level in baseline:
        coefficients = level_ar1(dict(enumerate(level)))
        tests += [
            ConformalTest.fit(scores, tolerance=0.0, ar1=coefficients[index]) for index, scores in enumerate(level)
        ]
    return page_alarms_by(tests, live, baseline.shape[1])


def page_alarms_by(tests: list[ConformalTest], live: NDArray[np.float64], watches: int) -> NDArray[np.bool_]:
    """Alarms as in `page_alarms`, of levels of this many watches; `live` is [streams, tests, windows]."""
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


def distribution_table(sizes: Sizes, seed: int, distributions: dict[str, Distribution] = DISTRIBUTIONS) -> Table:
    """Table of false pages by distribution, number of baseline windows and number of watches."""
    rows: list[tuple[Cell, ...]] = []
    for name, distribution in distributions.items():
        rng = np.random.default_rng([seed, list(DISTRIBUTIONS).index(name)])
        for windows, watches in SHAPES:
            fresh = fresh_baselines(distribution, windows, watches, sizes, rng)
            by_level = fresh.ours.at.mean(axis=1).reshape(-1, sizes.streams).mean(axis=1) * YEAR
            any_page = fresh.ours.at[:, :YEAR].any(axis=1).reshape(-1, sizes.streams).mean(axis=1)
            rows.append(
                (
                    name,
                    windows,
                    watches,
                    len(by_level),
                    fresh.ours.share_with_any(MONTH),
                    fresh.ours.share_with_any(YEAR),
                    float(by_level.mean()),
                    float(by_level.std(ddof=1) / np.sqrt(len(by_level))),
                    float(np.quantile(any_page, 0.9)) if watches == 1 else None,
                    fresh.band.share_with_any(YEAR),
                    fresh.band.per(YEAR),
                )
            )
    return Table(
        title="Fresh baselines from known distributions: budget 1 page per 365 windows, without change",
        columns=(
            "distribution of window scores",
            "R",
            "watches",
            "baselines",
            "any page in 30",
            "any page in 365",
            "pages per 365",
            "± SE",
            "any page, worst tenth",
            "3 SD rule: any",
            "3 SD rule: per 365",
        ),
        rows=tuple(rows),
        note=(
            f"Each level of independent watches on a fresh baseline of R windows, with {sizes.streams} streams of "
            f"{sizes.windows:,} windows, restarted after each page; tolerance 0. Worst tenth: the "
            "90 % quantile over baselines of the share of years with a page."
        ),
    )


def delay_table(streams: int, seed: int) -> Table:
    """Table of delays of one watch on a fresh baseline, with those of CUSUM."""
    rng = np.random.default_rng(seed)
    rows = [_cusum_row(coefficient, streams, rng) for coefficient in (0.0, 0.3, 0.5, 0.7)]
    for name, windows in DELAYED:
        distribution = DISTRIBUTIONS[name]
        baseline, live = distribution(rng, streams, windows), distribution(rng, streams, 120)
        by_rise = {}
        for rise in RISES:
            moved = live + rise * STANDARD_DEVIATIONS.get(name, STD / np.sqrt(1.0 - coefficient_of(name) ** 2))
            # Each stream has its own baseline: levels of one watch with one stream each.
            parts = range(0, streams, BATCH)
            at = [page_alarms(baseline[p : p + BATCH, None], moved[None, p : p + BATCH]) for p in parts]
            by_rise[rise] = Alarms(at=np.concatenate(at))
        rows.append((name, windows, *_delay_cells(by_rise)))
    return Table(
        title=(
            "Delay for known distributions: median windows to the page, and in brackets the window by which nine of"
            " ten are paged"
        ),
        columns=(
            "distribution of window scores",
            "R",
            *(f"+{rise:.0f} SD" for rise in RISES),
            *(f"+{rise:.0f} SD within {windows}" for rise, windows in GOALS.items()),
        ),
        rows=tuple(rows),
        note=(
            f"One watch, {streams:,} streams of 120 windows, each on a fresh baseline of R windows, harmed from the "
            "first window on; tolerance 0. The CUSUMs know both distributions and the autocorrelation, and have a run "
            "length of 365."
        ),
    )


def estimation_table(streams: int, seed: int) -> Table:
    """Table of the cost of estimating an autocorrelation of 0: delays of tests that estimate it and that know it."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[Cell, ...]] = []
    for windows in (20, 40, 90):
        baseline, live = normal(rng, streams, windows), normal(rng, streams, 120)
        cells: list[Cell] = []
        for zero_known in (False, True):
            coefficients = [0.0 if zero_known else level_ar1({0: scores})[0] for scores in baseline]
            tests = [
                ConformalTest.fit(scores, tolerance=0.0, ar1=m)
                for scores, m in zip(baseline, coefficients, strict=True)
            ]
            for rise, within in GOALS.items():
                moved = live + rise * STANDARD_DEVIATIONS["normal"]
                parts = range(0, streams, BATCH)
                at = [page_alarms_by(tests[p : p + BATCH], moved[None, p : p + BATCH], 1) for p in parts]
                cells.append(Alarms(at=np.concatenate(at)).share_with_any(within))
        rows.append((windows, *cells))
    goals = [f"+{rise:.0f} SD within {within}" for rise, within in GOALS.items()]
    return Table(
        title="Cost of estimating the autocorrelation: independent normal scores",
        columns=("R", *goals, *(f"{goal}, 0 known" for goal in goals)),
        rows=tuple(rows),
        note=(
            f"One watch, {streams:,} streams, each on a fresh baseline; 0 known: tests that know that the"
            " autocorrelation is 0."
        ),
    )


def cycle_table(baselines: int, seed: int) -> Table:
    """Table of seasonal distributions: false pages and delays with and without removal of the cycle."""
    rows: list[tuple[Cell, ...]] = []
    for name, (cycle, length, sizes) in CYCLES.items():
        rng = np.random.default_rng([seed, list(DISTRIBUTIONS).index(name)])
        # Of cycle and noise together, as a user would see it.
        deviation = float(DISTRIBUTIONS[name](np.random.default_rng(0), 1000, length * 10).std())
        for windows in sizes:
            baseline = DISTRIBUTIONS[name](rng, baselines, windows)
            quiet = DISTRIBUTIONS[name](rng, 2 * baselines, YEAR).reshape(2, baselines, YEAR)
            harmed = DISTRIBUTIONS[name](rng, baselines, 120)[None]
            for label, removed in (("without", False), ("with", True)):
                tests, effects, detected = _fit_tests(baseline, cycle, length, removed=removed)
                clean = page_alarms_by(tests, quiet - effects[:, np.arange(YEAR) % length], 1)
                a_year = clean.sum(axis=1).reshape(baselines, 2).mean(axis=1)
                live = harmed - effects[:, np.arange(120) % length]
                paged = {rise: Alarms(at=page_alarms_by(tests, live + rise * deviation, 1)) for rise in CYCLE_RISES}
                error = float(a_year.std(ddof=1) / np.sqrt(baselines))
                count = detected if removed else None
                rows.append((name, windows, label, count, float(a_year.mean()), error, *_delay_cells(paged)))
    return Table(
        title="Seasonal distributions: budget 1 page per 365 windows",
        columns=(
            "distribution of window scores",
            "R",
            "cycle removed",
            "found in",
            "pages per 365",
            "± SE",
            *(f"+{rise:.0f} SD" for rise in CYCLE_RISES),
            *(f"+{rise:.0f} SD within {within}" for rise, within in GOALS.items()),
        ),
        rows=tuple(rows),
        note=(
            f"One watch, {baselines} fresh baselines of R windows with two streams of a year each, restarted after "
            "each page, and one of 120 windows for each harm; tolerance 0. Standard deviations are those of "
            "cycle and noise together; medians, and in brackets the window by which nine of ten are paged."
        ),
    )


def _fit_tests(
    baseline: NDArray[np.float64], cycle: str, length: int, *, removed: bool
) -> tuple[list[ConformalTest], NDArray[np.float64], int]:
    """Fit each baseline with its cycle.

    Args:
        baseline: scores, shape [baselines, R].

    Returns:
        Tests; seasonal effects, shape [baselines, length]; and number of baselines from which a cycle is removed.
    """
    tests, effects, detected = [], np.zeros((len(baseline), length)), 0
    positions = np.arange(baseline.shape[1]) % length
    for index, scores in enumerate(baseline):
        seasonality, adjusted = fit_seasonality(scores, {cycle: positions}) if removed else (NO_SEASONALITY, scores)
        detected += bool(seasonality.offsets)
        effects[index] = [seasonality.offset({cycle: at}) for at in range(length)]
        tests.append(ConformalTest.fit(adjusted, tolerance=0.0, ar1=level_ar1({0: adjusted})[0]))
    return tests, effects, detected


def coefficient_of(name: str) -> float:
    """The AR(1) coefficient in the name of a distribution.

    Returns:
        The coefficient; 0 without one.

    >>> coefficient_of("normal, AR(1) .3"), coefficient_of("normal")
    (0.3, 0.0)
    """
    return float(name.rpartition("AR(1) ")[2]) if "AR(1)" in name else 0.0


def _cusum_row(coefficient: float, streams: int, rng: np.random.Generator) -> tuple[Cell, ...]:
    """Delays of CUSUM on the innovations of normal scores; the first harmed window has the whole rise."""
    quiet = rng.normal(size=(200, 4000))
    by_rise = {}
    for rise in RISES:
        later = rise * (1.0 - coefficient) / np.sqrt(1.0 - coefficient**2)
        innovations = rng.normal(size=(streams, 120)) + later
        innovations[:, 0] += rise / np.sqrt(1.0 - coefficient**2) - later
        by_rise[rise] = calibrated(later, quiet, THRESHOLD).alarms(innovations)
    label = "CUSUM, normal" + (f", AR(1) {coefficient:.1f}".replace("0.", ".") if coefficient else "")
    return (label, None, *_delay_cells(by_rise))


def _delay_cells(by_rise: dict[float, Alarms]) -> tuple[Cell, ...]:
    shown = {
        rise: [">120" if delay is None else f"{delay:.0f}" for delay in (alarms.delay(0.5), alarms.delay(0.9))]
        for rise, alarms in by_rise.items()
    }
    goals = [by_rise[rise].share_with_any(windows) for rise, windows in GOALS.items()]
    return (*(f"{middle} ({most})" for middle, most in shown.values()), *goals)
