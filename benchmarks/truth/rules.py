"""Simpler rules on the same streams: CUSUM, bands, and p-values.

They are implemented here in numpy; products differ in details.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.truth.level_streams import Alarms
from monitoring.records import Direction, WatchKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Cusum:
    """The optimal sequential test of a known rise between known normal distributions, `rise` standard deviations apart.

    ``S ← max(0, S + rise · (z - rise/2))``, alarm at ``S >= threshold``; z is the score in standard deviations from its
    mean. Source: Page, *Continuous inspection schemes* (1954); optimal for known distributions (Moustakides 1986).
    """

    rise: float
    threshold: float

    def alarms(self, z: NDArray[np.float64]) -> Alarms:
        """Run the test over z-scores [streams, windows], restarted after each alarm."""
        at = np.zeros(z.shape, dtype=np.bool_)
        running = np.zeros(z.shape[0])
        steps = self.rise * (z - self.rise / 2.0)
        for window in range(z.shape[1]):
            running = np.maximum(running + steps[:, window], 0.0)
            at[:, window] = running >= self.threshold
            running[at[:, window]] = 0.0
        return Alarms(at=at)


def calibrated(rise: float, z: NDArray[np.float64], run_length: float) -> Cusum:
    """The CUSUM whose measured run length on the streams `z` without change is closest to `run_length`."""
    low, high = 0.0, 60.0
    for _ in range(20):
        middle = (low + high) / 2.0
        if Cusum(rise=rise, threshold=middle).alarms(z).run_length < run_length:
            low = middle
        else:
            high = middle
    return Cusum(rise=rise, threshold=high)


def outside_bands(
    scores: Mapping[WatchKey, NDArray[np.float64]],
    directions: Mapping[WatchKey, Direction],
    moves: Mapping[WatchKey, float],
) -> NDArray[np.bool_]:
    """Shifted baseline windows outside mean ± 3 SD of any of these watches, bool [longest baseline]."""
    longest = max(values.size for values in scores.values())
    mask = np.zeros(longest, dtype=np.bool_)
    for key, values in scores.items():
        deviation = values.std(ddof=1)
        moved = values[(np.arange(longest) * values.size) // longest] + moves.get(key, 0.0)
        off = moved - values.mean()
        mask |= (np.abs(off) if directions[key] == "both" else off) > 3.0 * deviation + 1e-12
    return mask


def kolmogorov_p(statistic: float, rows: float) -> float:
    """The p-value of the two-sample Kolmogorov-Smirnov test for large samples.

    Kolmogorov's series with Stephens' correction for finite samples (1970).

    >>> round(kolmogorov_p(0.1, 150.0), 3)
    0.093
    """
    scaled = (np.sqrt(rows) + 0.12 + 0.11 / np.sqrt(rows)) * statistic
    if scaled < 0.2:
        return 1.0
    terms = np.arange(1, 101)
    return float(np.clip(2.0 * np.sum((-1.0) ** (terms - 1) * np.exp(-2.0 * (terms * scaled) ** 2)), 0.0, 1.0))


def kolmogorov_flags(
    columns: Sequence[NDArray[np.float64]], parts: Sequence[NDArray[np.int64]], *, level: float = 0.05
) -> NDArray[np.bool_]:
    """Test parts of the rows against all rows in each column; missing values are left out.

    Returns:
        Whether a part differs, bool [parts, columns].
    """
    flags = np.zeros((len(parts), len(columns)), dtype=np.bool_)
    for place, column in enumerate(columns):
        reference = np.sort(column[~np.isnan(column)])
        for number, rows in enumerate(parts):
            part = column[rows]
            part = np.sort(part[~np.isnan(part)])
            if part.size < 5:
                continue
            at = np.concatenate([part, reference])
            gap = np.abs(
                np.searchsorted(part, at, side="right") / part.size
                - np.searchsorted(reference, at, side="right") / reference.size
            ).max()
            rows_together = part.size * reference.size / (part.size + reference.size)
            flags[number, place] = kolmogorov_p(float(gap), rows_together) < level
    return flags
