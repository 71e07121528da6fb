"""Fresh baselines from known laws: what a baseline's luck costs, for few windows and for many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.level_streams import Alarms
from benchmarks.results import Cell, Table
from monitoring.evidence.conformal import ConformalTest
from monitoring.evidence.tolerance import standard_error

THRESHOLD = 365.0
YEAR = 365
WINDOWS = (20, 40, 90, 365)

#: Baselines judged together, so that one numpy call advances all of their streams.
TOGETHER = 50

Law = Callable[[np.random.Generator, int, int], NDArray[np.float64]]


def normal(rng: np.random.Generator, streams: int, windows: int) -> NDArray[np.float64]:
    """Independent normal scores."""
    return rng.normal(0.3, 0.05, (streams, windows))


def beta(rng: np.random.Generator, streams: int, windows: int) -> NDArray[np.float64]:
    """Independent, skewed to the side of harm: Beta(2, 8)."""
    return rng.beta(2.0, 8.0, (streams, windows))


def restless(rng: np.random.Generator, streams: int, windows: int) -> NDArray[np.float64]:
    """Normal, each window remembering half of the one before: not exchangeable, as real days are not."""
    noise = rng.normal(0.0, 0.05, (streams, windows))
    scores = np.empty_like(noise)
    scores[:, 0] = noise[:, 0] / np.sqrt(1.0 - 0.5**2)
    for window in range(1, windows):
        scores[:, window] = 0.5 * scores[:, window - 1] + noise[:, window]
    return scores + 0.3


LAWS: dict[str, Law] = {"normal": normal, "beta(2, 8)": beta, "normal, AR(1) 0.5": restless}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How many baselines, streams for each, and windows in a stream."""

    baselines: int
    streams: int
    windows: int


def fresh_baselines(law: Law, windows: int, sizes: Sizes, rng: np.random.Generator) -> tuple[Alarms, Alarms]:
    """One watch with the whole budget against `sizes.baselines` baselines of so many windows, and the 3 SD band.

    Nothing is forgiven but one standard error, as where a user calls no rise harmless.
    """
    at, outside = [], []
    for _ in range(0, sizes.baselines, TOGETHER):
        known = law(rng, TOGETHER, windows)
        scores = law(rng, TOGETHER * sizes.streams, sizes.windows).reshape(TOGETHER, sizes.streams, sizes.windows)
        logs = []
        for one, live in zip(known, scores, strict=True):
            tolerance = standard_error(one, np.random.default_rng(0))
            logs.append(ConformalTest.fit(one, tolerance=tolerance).log_e_values(live))
        at.append(_restarted(np.exp(np.concatenate(logs))))
        band = known.mean(axis=1) + 3.0 * known.std(axis=1, ddof=1)
        outside.append((scores > band[:, None, None]).reshape(-1, sizes.windows))
    return Alarms(at=np.concatenate(at)), Alarms(at=np.concatenate(outside))


def _restarted(e_values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Alarms of e-values [streams, windows, grid], restarted after each."""
    at = np.zeros(e_values.shape[:2], dtype=np.bool_)
    running = np.zeros((e_values.shape[0], e_values.shape[2]))
    for window in range(e_values.shape[1]):
        running = (running + 1.0) * e_values[:, window]
        at[:, window] = running.mean(axis=1) >= THRESHOLD
        running[at[:, window]] = 0.0
    return at


def law_table(sizes: Sizes, rng: np.random.Generator) -> Table:
    """Every law and every number of baseline windows."""
    rows: list[tuple[Cell, ...]] = []
    for name, law in LAWS.items():
        for windows in WINDOWS:
            budgeted, band = fresh_baselines(law, windows, sizes, rng)
            by_baseline = budgeted.at[:, :YEAR].any(axis=1).reshape(-1, sizes.streams).mean(axis=1)
            rows.append(
                (
                    name,
                    windows,
                    budgeted.share_with_any(YEAR),
                    budgeted.per(YEAR),
                    budgeted.mean_first,
                    float(np.quantile(by_baseline, 0.9)),
                    band.share_with_any(YEAR),
                    band.per(YEAR),
                )
            )
    return Table(
        title="Fresh baselines from known laws: one watch, A = 365, nothing changed",
        columns=(
            "law of window scores",
            "R",
            "any page in 365",
            "pages per 365",
            "mean first run",
            "any page, unluckiest tenth",
            "3 SD rule: any",
            "3 SD rule: per 365",
        ),
        rows=tuple(rows),
        note=(
            f"{sizes.baselines:,} baselines of R windows, each with {sizes.streams} streams of {sizes.windows:,} "
            "windows; nothing is forgiven but one SE. Mean first run: streams without a page count with their length. "
            "Unluckiest tenth: the 90 % quantile over baselines of the share of years with a page."
        ),
    )
