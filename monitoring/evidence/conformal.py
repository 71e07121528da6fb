"""Conformal e-values: how strange is this window's score among the baseline's own, and those seen since?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from monitoring.errors import BadInput
from monitoring.evidence.detector import DetectorState
from monitoring.evidence.sampling_variance import NONE, Chance
from monitoring.records import Direction

#: Steepness of the score ``exp(η z)``: small values gather many small rises, large ones catch a single jump.
ETAS = (0.85, 1.15, 2.0)

#: For each of them, from where on all deviations count alike. Without an end, the first window of a huge harm, which no
#: memory foretells, would dwarf all that follow it, and a harm of twenty deviations might never be told. What gathers
#: small rises has the nearest end, so that a baseline's own storms do not hide them; what catches jumps, the farthest.
ENDS = (2.75, 3.2, 3.9)

#: Baselines of fewer windows than this have both of their own. Few windows make no e-value large, and harmed ones soon
#: are a good part of the yardstick: steeper points with nearer ends find more there, at fewer false alarms.
FEW = 60
ETAS_OF_FEW = (1.1, 1.4, 1.8)
ENDS_OF_FEW = (2.5, 3.0, 3.6)

#: Fewer baseline windows than this carry no usable spread.
FEWEST_WINDOWS = 5

#: A tolerance of so many standard errors of the baseline's mean leaves luck no room: such a yardstick stays as it is.
COVERED = 4.0

_NOTHING = -math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchState:
    """What one watch's test remembers: its running evidence, and the windows that have joined its yardstick.

    `log_seen` is, for each point of the grid, the log of the sum of f over the `seen` windows since the test began;
    `last` is the score of the window before, None at the very first.

    >>> state = WatchState.fresh(2)
    >>> WatchState.from_text(state.to_text()) == state
    True
    """

    detector: DetectorState
    log_seen: tuple[float, ...]
    seen: int = 0
    last: float | None = None

    @classmethod
    def fresh(cls, grid: int, *, last: float | None = None) -> WatchState:
        """The state before any window, or after a restart: what was seen is forgotten, but not the window before."""
        return cls(detector=DetectorState.fresh(grid), log_seen=(_NOTHING,) * grid, last=last)

    @property
    def log_evidence(self) -> float:
        """Log of the mean over the grid."""
        return self.detector.log_evidence

    def to_text(self) -> str:
        """Exact: evidence, sums, count and last score, floats in hexadecimal."""
        sums = " ".join(value.hex() for value in self.log_seen)
        last = "-" if self.last is None else self.last.hex()
        return f"{self.detector.to_text()};{sums};{self.seen};{last}"

    @classmethod
    def from_text(cls, text: str) -> WatchState:
        """The inverse of `to_text`."""
        detector, sums, seen, last = text.split(";")
        return cls(
            detector=DetectorState.from_text(detector),
            log_seen=tuple(float.fromhex(word) for word in sums.split()),
            seen=int(seen),
            last=None if last == "-" else float.fromhex(last),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConformalTest:
    """Turns a window's mean score into e-values against R baseline windows and the n seen since the test began.

    First the part that the window before foretells is taken out: with `memory` φ, the innovation of a score g after a
    score h is ``u = (g - mean) - φ (h - mean)``; the first one, with nothing before it, is ``(g - mean) √(1 - φ²)``,
    which has the same spread. Then, with ``f(u) = exp(η z)`` and ``z = u / scatter``, no farther out than η's own end,
    ``e = (R + n + 1) f(u - forgiven) / (f(u - forgiven) + Σ_r f(u_r) + Σ_i f(u_i))``, where r runs over the baseline
    and i over the n windows since. `forgiven` is the tolerance, in innovations: ``tolerance (1 - φ)``.

    Assumes that innovations, less what is forgiven, are exchangeable with the baseline's. Then the candidates for e
    average to exactly 1 given all windows so far without their order, and so does the product of e-values over any
    run of windows, over baselines and streams together: a lucky baseline needs no allowance, because the windows that
    show it to be lucky join it. They join unforgiven, which only lowers what follows; where the tolerance is wide (see
    `learns`) that would hide a lasting harm, and no allowance is needed, so there none joins. The scale is the
    baseline's alone, which costs a little exactness; what that and optional stopping amount to is measured
    in docs/truth.md. No window gives more than R + n + 1. A test in both directions carries every η twice, the second
    time for a fall. Source: Vovk, Gammerman & Shafer, *Algorithmic learning in a random world* (2nd ed. 2022), on
    conformal e-testing; Vovk & Wang, *E-values: calibration, combination and applications* (2021), §2.

    >>> test = ConformalTest.fit([0.1, 0.2, 0.3, 0.2, 0.1, 0.3, 0.2], tolerance=0.0)
    >>> fresh = WatchState.fresh(len(ETAS))
    >>> np.exp(test.log_e_values(fresh, 0.2)).round(2).tolist()[:3]
    [0.66, 0.52, 0.36]
    >>> np.exp(test.log_e_values(fresh, 0.9)).round(2).tolist()[-2:]
    [6.57, 7.75]
    """

    mean: float
    deviation: float
    tolerance: float
    memory: float
    scatter: float
    steepness: tuple[float, ...]
    ends: tuple[float, ...]
    log_sums: tuple[float, ...]
    known: tuple[float, ...]
    smallest: float
    shown: float = 1.0
    chance: Chance = NONE

    @property
    def windows(self) -> int:
        """R, how many windows the baseline has."""
        return len(self.known)

    def remembering(self, memory: float) -> ConformalTest:
        """The same test with another memory."""
        if memory == self.memory:
            return self
        return ConformalTest.fit(
            self.known,
            tolerance=self.tolerance,
            direction="up" if min(self.steepness) > 0.0 else "both",
            memory=memory,
            smallest_deviation=self.smallest,
            chance=self.chance,
        )

    @classmethod
    def fit(
        cls,
        scores: Sequence[float] | NDArray[np.float64],
        *,
        tolerance: float,
        direction: Direction = "up",
        memory: float = 0.0,
        smallest_deviation: float = 1e-6,
        chance: Chance = NONE,
    ) -> ConformalTest:
        """Learn the yardstick from the baseline's window scores, shape [R], in order of time.

        `memory` is what a window remembers of the one before (see `monitoring.evidence.autocorrelation`).
        `smallest_deviation` keeps a score that never moved in the baseline (a share of missing values, say) from
        turning the first odd row into a certainty. `chance` is what windows of few rows answer for; without it their
        rows do not matter. Raises BadInput for fewer than 5 windows.
        """
        values = np.asarray(scores, dtype=np.float64)
        if values.size < FEWEST_WINDOWS:
            raise BadInput(
                "The baseline has too few windows to judge by.",
                got=f"{values.size} windows",
                expected=f"at least {FEWEST_WINDOWS} (20 or more to be useful)",
                fix="Use a longer reference or shorter windows.",
            )
        mean = float(values.mean())
        off = values - mean
        innovations = off.copy()
        innovations[0] *= math.sqrt(1.0 - memory**2)
        innovations[1:] -= memory * off[:-1]
        moved = float(innovations.std(ddof=1))
        scatter = max(moved, smallest_deviation)
        etas, rise_ends = (ETAS_OF_FEW, ENDS_OF_FEW) if values.size < FEW else (ETAS, ENDS)
        steepness = etas if direction == "up" else etas + tuple(-eta for eta in etas)
        ends = rise_ends if direction == "up" else rise_ends + rise_ends
        log_f = np.asarray(steepness)[:, None] * within(innovations / scatter, np.asarray(ends)[:, None])
        return cls(
            mean=mean,
            deviation=max(float(values.std(ddof=1)), smallest_deviation),
            tolerance=tolerance,
            memory=memory,
            scatter=scatter,
            steepness=steepness,
            ends=ends,
            log_sums=tuple(float(v) for v in np.logaddexp.reduce(log_f, axis=1)),
            known=tuple(values.tolist()),
            smallest=smallest_deviation,
            shown=1.0 if moved >= scatter else (moved / scatter) ** 2,
            chance=chance,
        )

    def innovation(self, score: float, last: float | None) -> float:
        """What the window before did not foretell, in score units."""
        if last is None:
            return (score - self.mean) * self.first_scale
        return (score - self.mean) - self.memory * (last - self.mean)

    @property
    def learns(self) -> bool:
        """Whether windows join the yardstick: not where the tolerance is beyond any luck of the baseline's mean."""
        return self.tolerance * (1.0 - self.memory) < COVERED * self.scatter / math.sqrt(self.windows)

    @property
    def first_scale(self) -> float:
        """What brings a score with no window before it to the spread of an innovation."""
        return math.sqrt(1.0 - self.memory**2)

    def thinness(self, rows: int | None) -> float:
        """What chance adds to the variance of an innovation of a window of so many rows, in parts of scatter².

        The window before is taken to have been as thin: what it foretells varies as well. 0 for as many rows as the
        baseline's windows have or more, and where rows are not said.
        """
        return 0.0 if rows is None else self.chance.beyond(rows) * (1.0 + self.memory**2) / self.scatter**2

    def log_e_values(self, state: WatchState, score: float, rows: int | None = None) -> NDArray[np.float64]:
        """Logs of the e-values, shape [grid], for the next window's mean score over so many rows."""
        slopes = np.asarray(self.steepness)
        scale = self.first_scale if state.last is None else 1.0 - self.memory
        thinness = self.thinness(rows)
        unit = self.scatter * math.sqrt(1.0 + thinness)
        innovation = self.innovation(score, state.last)
        forgiven = np.sign(slopes) * self.tolerance * scale
        log_f = slopes * within((innovation - forgiven) / unit, np.asarray(self.ends))
        known = np.asarray(self.log_sums) + toll(slopes, thinness, self.shown)
        others = np.logaddexp(known, np.asarray(state.log_seen))
        shares = log_f - np.logaddexp(log_f, others)
        return np.asarray(math.log(self.windows + state.seen + 1) + shares, dtype=np.float64)

    def after(self, state: WatchState, score: float, rows: int | None = None) -> WatchState:
        """One window on: its evidence is added, and the window itself joins the yardstick of the next."""
        detector = state.detector.after(self.log_e_values(state, score, rows))
        if not self.learns:
            return replace(state, detector=detector, last=float(score))
        unit = self.scatter * math.sqrt(1.0 + self.thinness(rows))
        deviation = np.asarray(self.innovation(score, state.last) / unit)
        log_f = np.asarray(self.steepness) * within(deviation, np.asarray(self.ends))
        log_seen = tuple(float(v) for v in np.logaddexp(np.asarray(state.log_seen), log_f))
        return WatchState(detector=detector, log_seen=log_seen, seen=state.seen + 1, last=float(score))


def toll(
    slopes: NDArray[np.float64], thinness: NDArray[np.float64] | float, shown: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """What is added to the log of the baseline's sums for a thin window, of the shape that the three broadcast to.

    In its own unit the thin window varies by ``(shown + thinness) / (1 + thinness)``, the baseline by ``shown``; f of a
    normal innovation is larger on average by ``exp(η² / 2)`` to the power of the difference. 0 where all was shown.

    >>> toll(np.array([1.0, 2.0]), 3.0, 0.0).tolist(), toll(np.array([1.0]), 3.0, 1.0).tolist()
    ([0.375, 1.5], [0.0])
    """
    return np.asarray(0.5 * slopes**2 * thinness / (1.0 + thinness) * (1.0 - shown), dtype=np.float64)


def within(deviations: NDArray[np.float64], ends: NDArray[np.float64]) -> NDArray[np.float64]:
    """Deviations, those beyond an end brought back to it; of the shape that the two broadcast to.

    >>> within(np.array([-9.0, 1.0]), np.array([[3.0], [4.0]])).tolist()
    [[-3.0, 1.0], [-4.0, 1.0]]
    """
    near: NDArray[np.float64] = np.clip(deviations, -ends, ends)
    return near
