"""Sensitivity: the smallest harm that a level detects, without which "no alarm" says nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.evidence.level import LevelTest
from monitoring.evidence.simulation import SimulatedStreams, StreamSampling
from monitoring.records import Sensitivity, WatchKey

#: Windows within which a harm should be detected.
HORIZONS = (7, 30, 90)

#: Share of simulated streams in which a harm must be detected.
POWER = 0.9

#: Simulated streams for each harm and size.
SIMULATIONS = 200

#: Sizes tried, as fractions of the largest harm: steps of 14 %.
SIZES = np.geomspace(0.005, 1.0, 41)


@dataclass(frozen=True, slots=True, kw_only=True)
class Harm:
    """A harm to simulate: a rise of 1 in `metric` on `slice` shifts each watch by `score_shifts`, in score units.

    `largest` is the largest rise to try, in the metric's unit.
    """

    metric: str
    slice: str
    score_shifts: Mapping[WatchKey, float]
    largest: float


def smallest_detectable_harms(
    test: LevelTest,
    baseline: Mapping[WatchKey, NDArray[np.float64]],
    harms: Sequence[Harm],
    rng: np.random.Generator,
    *,
    simulations: int | None = None,
    log_scale: float = 0.0,
) -> tuple[Sensitivity, ...]:
    """The smallest rise of each harm that the level detects within each horizon, by simulation.

    Streams are block bootstraps of the baseline (`SimulatedStreams`), with the harm present from the first window.
    Cost: about half a second for 20 watches and two harms.

    Args:
        baseline: Baseline window scores of each watch, [R].
        simulations: Streams per harm and size, None for `SIMULATIONS`.

    Returns:
        One entry per harm and horizon; its rise is None where even the largest is not detected.
    """
    if not harms:
        return ()
    sampling = StreamSampling(simulations=simulations or SIMULATIONS, windows=max(HORIZONS), resample_reference=True)
    streams = SimulatedStreams(test.paging(), baseline, rng, sampling, log_scale=log_scale)
    sensitivities = []
    for harm in harms:
        smallest: dict[int, int] = {}
        detected: dict[int, int] = {}  # the window by which each size that was tried is detected
        for horizon in sorted(HORIZONS, reverse=True):
            low = max((size for size, window in detected.items() if window > horizon), default=-1) + 1
            high = min((size for size, window in detected.items() if window <= horizon), default=len(SIZES))
            while low < high:  # bisection; len(SIZES) stands for "never"
                middle = (low + high) // 2
                rise = float(SIZES[middle]) * harm.largest
                shifts = {key: rise * per_unit for key, per_unit in harm.score_shifts.items()}
                detected[middle] = streams.detected_in(shifts, within=horizon, share=POWER)
                if detected[middle] <= horizon:
                    high = middle
                else:
                    low = middle + 1
            smallest[horizon] = low
        for horizon in HORIZONS:
            size_index = smallest[horizon]
            least = float(SIZES[size_index]) * harm.largest if size_index < len(SIZES) else None
            sensitivities.append(Sensitivity(metric=harm.metric, slice=harm.slice, windows=horizon, rise=least))
    return tuple(sensitivities)
