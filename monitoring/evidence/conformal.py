"""Conformal e-values: a window's score compared with a calibration set of baseline windows and later live windows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from monitoring.errors import BadInput
from monitoring.evidence.betting import EDetectorState, shiryaev_roberts_step
from monitoring.evidence.sampling_variance import NO_SAMPLING_VARIANCE, SamplingVariance, assumed_std, excess_variance
from monitoring.records import Direction

Floats = NDArray[np.float64]

#: Exponents η of the nonconformity score ``f = exp(η z)``: small ones accumulate small rises, large ones detect jumps.
ETAS = (0.85, 1.15, 2.0)

#: Clipping bounds of z, one for each η. Without them the first window of a large harm, which no earlier score predicts,
#: would dominate all later ones once it is in the calibration set. The η for small rises has the nearest bound, so that
#: the baseline's own outliers do not hide such rises; the η for jumps has the farthest.
CLIPPING_BOUNDS = (2.75, 3.2, 3.9)

#: Exponents η of the fixed-reference e-values ``exp(η z - η²/2)``, and the clipping bound of their z, which is measured
#: from one standard error 1/√R of the baseline's mean on: a baseline whose mean is unlucky by more than that would
#: accumulate its error in every stream. The smallest η accumulates a rise of half a standard deviation, such as a slow
#: drift that the conformal part gets used to.
FIXED_ETAS = (0.5, 1.0, 2.0)
FIXED_CLIPPING_BOUND = 4.0

#: Baselines of fewer windows than this have no fixed reference: a year accumulates the error of a mean of so few, and
#: what calibration takes from the whole level for it is more than the fixed reference finds.
MIN_FIXED_WINDOWS = 20

#: Baselines of fewer windows than this use another grid. With few windows no e-value is large, and harmed windows soon
#: are a good part of the calibration set; larger η and nearer bounds detect more there, at fewer false alarms.
SHORT_BASELINE = 60
SHORT_BASELINE_ETAS = (1.1, 1.4, 1.8)
SHORT_BASELINE_CLIPPING_BOUNDS = (2.5, 3.0, 3.6)

#: With fewer baseline windows the standard deviation is unusable.
MIN_WINDOWS = 5

#: With a tolerance of this many standard errors of the baseline's mean, the error of the mean no longer matters, and
#: live windows are not added to the calibration set.
WIDE_TOLERANCE = 4.0

_ZERO = -math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchState:
    """The state of one watch's test: its running evidence, and the live windows in its calibration set.

    `log_live_sums` is, for each point of the grid, the log of the sum of f over the `live_windows` added since the test
    began; `last_score` is the previous window's score, None before the first.

    >>> state = WatchState.initial(2)
    >>> WatchState.from_text(state.to_text()) == state
    True
    """

    detector: EDetectorState
    log_live_sums: tuple[float, ...]
    live_windows: int = 0
    last_score: float | None = None

    @classmethod
    def initial(cls, grid: int, *, fixed: int = 0, last_score: float | None = None) -> WatchState:
        """The state before any window or after a restart, which drops live windows but keeps the previous score."""
        detector = EDetectorState.initial(grid + fixed)
        return cls(detector=detector, log_live_sums=(_ZERO,) * grid, last_score=last_score)

    @property
    def log_evidence(self) -> float:
        """Log of the mean over the grid."""
        return self.detector.log_evidence

    def to_text(self) -> str:
        """The state as exact text: evidence, sums, count and previous score, floats in hexadecimal."""
        sums = " ".join(value.hex() for value in self.log_live_sums)
        last_score = "-" if self.last_score is None else self.last_score.hex()
        return f"{self.detector.to_text()};{sums};{self.live_windows};{last_score}"

    @classmethod
    def from_text(cls, text: str) -> WatchState:
        """The inverse of `to_text`."""
        detector, sums, live_windows, last_score = text.split(";")
        return cls(
            detector=EDetectorState.from_text(detector),
            log_live_sums=tuple(float.fromhex(word) for word in sums.split()),
            live_windows=int(live_windows),
            last_score=None if last_score == "-" else float.fromhex(last_score),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConformalTest:
    """Turns a window's mean score into e-values, by R baseline windows and the n live windows since the test began.

    First the prediction from the previous window is removed. With AR(1) coefficient φ the innovation of a score g after
    a score h is ``u = (g - mean) - φ (h - mean)``; without a previous window it is ``(g - mean) √(1 - φ²)``, which has
    the same standard deviation. Then ``f(u) = exp(η z)`` with ``z = u / innovation_std`` clipped to η's bound, and
    ``e = (R + n + 1) f(u - t) / (f(u - t) + Σ_r f(u_r) + Σ_i f(u_i))``, with r over the baseline, i over the n live
    windows, and t the tolerance in innovations, ``tolerance (1 - φ)``.

    Assumes that innovations, less t, are exchangeable with the baseline's. Then the candidates for e average to exactly
    1 given all windows so far without their order, and so does the product of e-values over any run of windows, over
    baselines and streams together. A baseline with an unlucky mean needs no allowance: live windows that show it join
    the calibration set. They join without t subtracted, which only lowers later e-values. Where the tolerance is wide
    that would hide a lasting harm, so none joins there (`adds_live_windows`). The standard deviation is the
    baseline's alone, which costs a little exactness; docs/truth.md has the measured effect of that and of optional
    stopping. No e-value exceeds R + n + 1. A two-sided test has every η twice, the second time negative.

    Source: Vovk, Gammerman & Shafer, *Algorithmic learning in a random world* (2nd ed. 2022), on conformal e-testing;
    Vovk & Wang, *E-values: calibration, combination and applications* (2021), §2.

    >>> test = ConformalTest.fit([0.1, 0.2, 0.3, 0.2, 0.1, 0.3, 0.2], tolerance=0.0)
    >>> state = WatchState.initial(len(ETAS))
    >>> np.exp(test.log_e_values(state, 0.2)).round(2).tolist()[:3]
    [0.66, 0.52, 0.36]
    >>> np.exp(test.log_e_values(state, 0.9)).round(2).tolist()[-2:]
    [6.57, 7.75]
    """

    mean: float
    std: float
    tolerance: float
    ar1: float
    innovation_std: float
    etas: tuple[float, ...]
    clipping_bounds: tuple[float, ...]
    log_calibration_sums: tuple[float, ...]
    calibration_scores: tuple[float, ...]
    min_std: float
    observed_variance_ratio: float = 1.0
    sampling_variance: SamplingVariance = NO_SAMPLING_VARIANCE
    fixed_etas: tuple[float, ...] = ()

    @property
    def grid(self) -> int:
        """The number of points of the grid: conformal ones, then fixed-reference ones."""
        return len(self.etas) + len(self.fixed_etas)

    @property
    def windows(self) -> int:
        """R, the number of baseline windows."""
        return len(self.calibration_scores)

    @property
    def direction(self) -> Direction:
        """Whether rises alone count, or rises and falls."""
        return "up" if min(self.etas) > 0.0 else "both"

    def with_ar1(self, ar1: float) -> ConformalTest:
        """The same test with another AR(1) coefficient, on the same grid: evidence is kept for each of its points."""
        if ar1 == self.ar1:
            return self
        refitted = ConformalTest.fit(
            self.calibration_scores,
            tolerance=self.tolerance,
            direction=self.direction,
            ar1=ar1,
            min_std=self.min_std,
            sampling_variance=self.sampling_variance,
        )
        return replace(refitted, fixed_etas=self.fixed_etas)

    def with_fixed_reference(self) -> ConformalTest:
        """The same test with fixed-reference points too, where its scores vary: they are assumed to vary normally.

        Returns:
            The test; as it was with fewer than `MIN_FIXED_WINDOWS` windows in the baseline.
        """
        if self.observed_variance_ratio < 1.0 or self.windows < MIN_FIXED_WINDOWS:
            return self
        falls = tuple(-eta for eta in FIXED_ETAS) if self.direction == "both" else ()
        return replace(self, fixed_etas=FIXED_ETAS + falls)

    @classmethod
    def fit(
        cls,
        scores: Sequence[float] | NDArray[np.float64],
        *,
        tolerance: float,
        direction: Direction = "up",
        ar1: float = 0.0,
        min_std: float = 1e-6,
        sampling_variance: SamplingVariance = NO_SAMPLING_VARIANCE,
    ) -> ConformalTest:
        """Fit the test to the baseline's window scores.

        Args:
            scores: Baseline window scores in order of time, [R].
            tolerance: The rise that counts as harmless, in score units.
            direction: "up" for rises, "both" for rises and falls.
            min_std: The smallest standard deviation assumed, so that a score that never varied in the baseline (a share
                of missing values, say) does not turn the first odd row into a certainty.
            sampling_variance: Variance to add for windows of few rows, and least variance of independent ones; without
                it, row counts do not matter.
        """
        values = np.asarray(scores, dtype=np.float64)
        if values.size < MIN_WINDOWS:
            raise BadInput(
                "The baseline has too few windows.",
                got=f"{values.size} windows",
                expected=f"at least {MIN_WINDOWS} (20 or more to be useful)",
                fix="Use a longer reference or shorter windows.",
            )
        mean = float(values.mean())
        innovations = series_innovations(values - mean, ar1, math.sqrt(1.0 - ar1**2))
        observed_std = float(innovations.std(ddof=1))
        prior_std = sampling_variance.prior_std
        innovation_std = float(assumed_std(observed_std, values.size, min_std=min_std, prior_std=prior_std))
        etas, bounds = _grid(values.size, direction)
        log_f = np.asarray(etas)[:, None] * clipped(innovations / innovation_std, np.asarray(bounds)[:, None])
        return cls(
            mean=mean,
            std=float(assumed_std(values.std(ddof=1), values.size, min_std=min_std, prior_std=prior_std)),
            tolerance=tolerance,
            ar1=ar1,
            innovation_std=innovation_std,
            etas=etas,
            clipping_bounds=bounds,
            log_calibration_sums=tuple(float(v) for v in np.logaddexp.reduce(log_f, axis=1)),
            calibration_scores=tuple(values.tolist()),
            min_std=min_std,
            observed_variance_ratio=min(observed_std / min_std, 1.0) ** 2,
            sampling_variance=sampling_variance,
        )

    def initial_state(self, *, last_score: float | None = None) -> WatchState:
        """The state before any window, or after a restart that keeps the previous score."""
        return WatchState.initial(len(self.etas), fixed=len(self.fixed_etas), last_score=last_score)

    @property
    def adds_live_windows(self) -> bool:
        """Whether live windows join the calibration set: not where the tolerance exceeds any error of the mean."""
        return self.tolerance * (1.0 - self.ar1) < WIDE_TOLERANCE * self.innovation_std / math.sqrt(self.windows)

    @property
    def mean_error(self) -> float:
        """The standard error of the baseline's mean, in standard deviations of innovations."""
        return 1.0 / math.sqrt(self.windows)

    @property
    def first_innovation_scale(self) -> float:
        """The factor that gives a score without a previous window the standard deviation of an innovation."""
        return math.sqrt(1.0 - self.ar1**2)

    def log_e_values(self, state: WatchState, score: float, rows: int | None = None, *, offset: float = 0.0) -> Floats:
        """Logs of the e-values of the next window, of `ConformalTests`. Returns logs, [grid]."""
        reading = ConformalTests.of([self]).read([state], [score], None if rows is None else [rows], [offset])
        return reading.log_e_values.ravel()

    def step(self, state: WatchState, score: float, rows: int | None = None, *, offset: float = 0.0) -> WatchState:
        """One window on, as `ConformalTests.step`."""
        return ConformalTests.of([self]).step([state], [score], None if rows is None else [rows], [offset])[0]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WindowReading:
    """One window of K tests.

    Attributes:
        log_e_values: Logs of the e-values, [K, grid].
        log_f: Logs of the f with which the window joins the calibration set, [K, points of the grid that have one].
    """

    log_e_values: Floats
    log_f: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ConformalTests:
    """K tests of grids alike, as arrays: how a test reads a window and goes on stands here, for one test and for many.

    No test knows of the others: in each the result is that of the test alone, to the last bit.

    Cost: about 0.1 ms a step, and 2 µs a test.

    >>> tests = [ConformalTest.fit(scores, tolerance=0.0) for scores in ([0.1, 0.3, 0.2, 0.1, 0.2], [0.5, 0.1] * 3)]
    >>> before = [test.initial_state() for test in tests]
    >>> after = ConformalTests.of(tests).step(before, [0.4, 0.5])
    >>> after == [test.step(state, score) for test, state, score in zip(tests, before, [0.4, 0.5])]
    True
    """

    etas: Floats
    bounds: Floats
    fixed_etas: Floats
    log_calibration_sums: Floats
    mean: Floats
    tolerance: Floats
    ar1: Floats
    first_innovation_scale: Floats
    innovation_std: Floats
    windows: NDArray[np.int64]
    mean_error: Floats
    adds_live_windows: NDArray[np.bool_]
    observed_variance_ratio: Floats
    row_variance: Floats
    reference_rows: Floats
    variance_factor: Floats
    innovation_variance: Floats

    @classmethod
    def of(cls, tests: Sequence[ConformalTest]) -> ConformalTests:
        """Tests that have as many `etas` as each other, and as many `fixed_etas`."""
        return cls(
            etas=np.array([test.etas for test in tests]),
            bounds=np.array([test.clipping_bounds for test in tests]),
            fixed_etas=np.array([test.fixed_etas for test in tests]),
            log_calibration_sums=np.array([test.log_calibration_sums for test in tests]),
            mean=np.array([test.mean for test in tests]),
            tolerance=np.array([test.tolerance for test in tests]),
            ar1=np.array([test.ar1 for test in tests]),
            first_innovation_scale=np.array([test.first_innovation_scale for test in tests]),
            innovation_std=np.array([test.innovation_std for test in tests]),
            windows=np.array([test.windows for test in tests]),
            mean_error=np.array([test.mean_error for test in tests]),
            adds_live_windows=np.array([test.adds_live_windows for test in tests]),
            observed_variance_ratio=np.array([test.observed_variance_ratio for test in tests]),
            row_variance=np.array([test.sampling_variance.row_variance for test in tests]),
            reference_rows=np.array([test.sampling_variance.reference_rows for test in tests]),
            variance_factor=np.array([1.0 + test.ar1**2 for test in tests]),
            innovation_variance=np.array([test.innovation_std**2 for test in tests]),
        )

    def at(self, places: Sequence[int]) -> ConformalTests:
        """Some of the tests, in the order of their places."""
        chosen = np.asarray(places, dtype=np.int64)
        return ConformalTests(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})

    def read(
        self,
        states: Sequence[WatchState],
        scores: Sequence[float] | Floats,
        rows: Sequence[int] | None = None,
        offsets: Sequence[float] | Floats = (),
    ) -> WindowReading:
        """What the next window says, before any state goes on.

        Args:
            states: The state of each test, [K].
            scores: The mean score of each window, [K].
            rows: Rows of each window, [K]; None if row counts do not matter.
            offsets: The level of an open incident, from the baseline's mean, [K]; empty for none. Rises are measured
                from a positive one, falls from a negative one; the way back to the baseline is no change.
        """
        offset = np.asarray(offsets if len(offsets) else np.zeros(len(states)), dtype=np.float64)
        last = np.array([math.nan if state.last_score is None else state.last_score for state in states])
        innovation, scale = innovations(
            np.asarray(scores, dtype=np.float64) - self.mean, last - self.mean, self.ar1, self.first_innovation_scale
        )
        excess, unit = np.zeros(len(states)), self.innovation_std
        if rows is not None:
            # The previous window is assumed to have had as few rows, so its prediction varies as well.
            variance = excess_variance(self.row_variance, self.reference_rows, np.asarray(rows))
            excess = variance * self.variance_factor / self.innovation_variance
            unit = self.innovation_std * np.sqrt(1.0 + excess)
        innovation, scale, unit = innovation[:, None], scale[:, None], unit[:, None]
        log_f = self.etas * clipped((innovation - self._tolerated(self.etas, offset) * scale) / unit, self.bounds)
        correction = small_sample_correction(self.etas, excess[:, None], self.observed_variance_ratio[:, None])
        live = np.array([state.log_live_sums for state in states])
        shares = log_f - np.logaddexp(log_f, np.logaddexp(self.log_calibration_sums + correction, live))
        counts = self.windows.tolist()
        log_counts = [math.log(count + state.live_windows + 1) for count, state in zip(counts, states, strict=True)]
        conformal = np.array(log_counts)[:, None] + shares
        joins = self.etas * clipped((innovation - offset[:, None] * scale) / unit, self.bounds)
        if not self.fixed_etas.shape[1]:
            return WindowReading(log_e_values=conformal, log_f=joins)
        fixed = self.fixed_etas
        z = (innovation - self._tolerated(fixed, offset) * scale) / unit - np.sign(fixed) * self.mean_error[:, None]
        normal = fixed * clipped(z, np.full_like(fixed, FIXED_CLIPPING_BOUND)) - fixed**2 / 2.0
        return WindowReading(log_e_values=np.concatenate([conformal, normal], axis=1), log_f=joins)

    def _tolerated(self, etas: Floats, offset: Floats) -> Floats:
        """The deviation, in score units, from which each point of the grid measures a change; negative for falls."""
        rise, fall = self.tolerance + np.maximum(offset, 0.0), -self.tolerance + np.minimum(offset, 0.0)
        return np.where(etas > 0.0, rise[:, None], fall[:, None])

    def step(
        self,
        states: Sequence[WatchState],
        scores: Sequence[float] | Floats,
        rows: Sequence[int] | None = None,
        offsets: Sequence[float] | Floats = (),
    ) -> list[WatchState]:
        """One window on: its evidence is added, and the window joins the calibration set of the next.

        Args:
            states: As the other arguments, those of `read`.
        """
        reading = self.read(states, scores, rows, offsets)
        log_m = shiryaev_roberts_step(np.array([state.detector.log_m for state in states]), reading.log_e_values)
        live = np.logaddexp(np.array([state.log_live_sums for state in states]), reading.log_f)
        steps = zip(states, scores, self.adds_live_windows.tolist(), log_m.tolist(), live.tolist(), strict=True)
        return [
            WatchState(
                detector=EDetectorState(tuple(sums)),
                log_live_sums=tuple(live_sums) if adds else state.log_live_sums,
                live_windows=state.live_windows + adds,
                last_score=float(score),
            )
            for state, score, adds, sums, live_sums in steps
        ]


def innovations(off: Floats, last_off: Floats, ar1: Floats, first_scale: Floats) -> tuple[Floats, Floats]:
    """What the scores of the windows before do not predict.

    Args:
        off: Scores from the mean of their baseline, of any shape that the others broadcast to.
        last_off: Those of the windows before; NaN before the first.
        first_scale: `ConformalTest.first_innovation_scale`.

    Returns:
        Innovations in score units, and by what a constant deviation of scores is multiplied in them.
    """
    is_first = np.isnan(last_off)
    innovation = np.where(is_first, off * first_scale, off - ar1 * last_off)
    return innovation, np.where(is_first, first_scale, 1.0 - ar1)


def series_innovations(off: Floats, ar1: Floats | float, first_scale: Floats | float) -> Floats:
    """The innovations of consecutive windows, the first of which has none before it.

    Args:
        off: Scores from their mean, [..., windows].
        ar1: Of any shape that broadcasts to it, as `first_scale`.
    """
    before = np.concatenate([np.zeros_like(off[..., :1]), off[..., :-1]], axis=-1)
    values: Floats = off - ar1 * before
    values[..., :1] *= first_scale
    return values


def _grid(windows: int, direction: Direction) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The exponents η and their clipping bounds; a two-sided test has every η twice, the second time negative."""
    short = windows < SHORT_BASELINE
    etas, bounds = (SHORT_BASELINE_ETAS, SHORT_BASELINE_CLIPPING_BOUNDS) if short else (ETAS, CLIPPING_BOUNDS)
    return (etas, bounds) if direction == "up" else (etas + tuple(-eta for eta in etas), bounds + bounds)


def small_sample_correction(
    etas: NDArray[np.float64], excess: NDArray[np.float64] | float, observed_variance_ratio: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """The small-sample variance correction: what is added to the log of the baseline's sums for a window of few rows.

    In its own unit such a window has variance ``(observed + excess) / (1 + excess)``, the baseline `observed`. The mean
    of f of a normal innovation grows by ``exp(η² / 2)`` to the power of the difference.

    Args:
        observed_variance_ratio: The baseline's observed innovation variance over the one assumed, in [0, 1].

    Returns:
        The correction, of the shape that the three broadcast to; 0 where the observed variance is the one assumed.

    >>> small_sample_correction(np.array([1.0, 2.0]), 3.0, 0.0).tolist()
    [0.375, 1.5]
    >>> small_sample_correction(np.array([1.0]), 3.0, 1.0).tolist()
    [0.0]
    """
    return np.asarray(0.5 * etas**2 * excess / (1.0 + excess) * (1.0 - observed_variance_ratio), dtype=np.float64)


def clipped(deviations: NDArray[np.float64], bounds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Deviations clipped to bounds. Returns deviations in [-bound, bound], of the shape that the two broadcast to.

    Args:
        deviations: Of any shape.

    >>> clipped(np.array([-9.0, 1.0]), np.array([[3.0], [4.0]])).tolist()
    [[-3.0, 1.0], [-4.0, 1.0]]
    """
    near: NDArray[np.float64] = np.minimum(np.maximum(deviations, -bounds), bounds)
    return near
