"""The smallest harm that would be noticed: "no alarm" from a blind monitor must be readable as such."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.evidence.level import LevelTest
from monitoring.evidence.simulation import SimulatedStreams
from monitoring.records import Sensitivity, WatchKey

#: Windows within which a harm should be caught.
HORIZONS = (7, 30, 90)

#: Share of simulated streams in which a harm must be caught to count as noticed.
POWER = 0.9

#: Sizes tried, as parts of the largest harm: steps of 14 %.
SIZES = np.geomspace(0.005, 1.0, 41)


@dataclass(frozen=True, slots=True, kw_only=True)
class Harm:
    """A harm to simulate: a rise of 1 in `metric` moves each watch of `moves` by so many score units."""

    metric: str
    slice: str
    moves: Mapping[WatchKey, float]
    largest: float


def smallest_harms(
    test: LevelTest,
    baseline: Mapping[WatchKey, NDArray[np.float64]],
    harms: Sequence[Harm],
    rng: np.random.Generator,
    *,
    simulations: int = 200,
) -> tuple[Sensitivity, ...]:
    """The smallest rise of each harm that the level catches within each horizon.

    Streams are simulated from the baseline's blocks (see `SimulatedStreams`), with the harm planted from the first
    window on. Cost: about a second for 20 watches and two harms.
    """
    if not harms:
        return ()
    streams = SimulatedStreams(test, baseline, rng, simulations=simulations, windows=max(HORIZONS))
    found = []
    for harm in harms:
        alarms: dict[int, NDArray[np.int64]] = {}
        for horizon in HORIZONS:
            low, high = 0, len(SIZES)  # the answer's position; len(SIZES) stands for "never"
            while low < high:
                middle = (low + high) // 2
                if middle not in alarms:
                    size = float(SIZES[middle]) * harm.largest
                    alarms[middle] = streams.first_alarms(
                        {key: size * per_unit for key, per_unit in harm.moves.items()}
                    )
                if float((alarms[middle] <= horizon).mean()) >= POWER:
                    high = middle
                else:
                    low = middle + 1
            rise = float(SIZES[low]) * harm.largest if low < len(SIZES) else None
            found.append(Sensitivity(metric=harm.metric, slice=harm.slice, windows=horizon, rise=rise))
    return tuple(found)
