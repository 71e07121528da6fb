"""Calibration: the scale of a level's evidence at which its false alarms come near the budget, by simulation."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from monitoring.evidence.level import LevelTest
from monitoring.evidence.simulation import SimulatedStreams, StreamSampling
from monitoring.records import WatchKey

#: The alarms of simulated streams in A windows: those of a Poisson process that has any in as many streams. Below 1,
#: since alarms come in groups: a baseline that is unlucky is told again once its first incident has been closed.
SPENT = 0.75

#: Windows of a simulated stream at most, and streams.
MAX_WINDOWS = 365
STREAMS = 240

#: The factor lies between these, whatever the simulated streams are like.
MIN_SCALE = 0.05
MAX_SCALE = 20.0

#: Baselines of fewer windows than this are not calibrated: a resample of so few says too little about the tail.
MIN_CALIBRATION_WINDOWS = 20


def calibrated_log_scale(
    test: LevelTest, baseline: Mapping[WatchKey, NDArray[np.float64]], rng: np.random.Generator
) -> float:
    """The log of the factor by which the level's evidence is multiplied before it is compared with the threshold.

    The guarantee of an e-detector, an average run length of at least A windows, holds for every law, and so it leaves
    most of the budget unspent on any one. Here streams without harm are put together from the baseline's own
    innovations, each with tests that are fitted to a resample of the baseline, so that the error of its means and
    standard deviations counts, and with AR(1) coefficients drawn by their standard error; c is the evidence that a
    share ``1 - exp(-SPENT · n / A)`` of streams of n windows reaches, which is that of a Poisson process with `SPENT`
    alarms per A windows; and the factor is ``A / c``. What is guaranteed whatever the law remains an average run length
    of c windows.

    Assumes that live windows come from the same stationary law as the baseline's. Traffic that has drifted is not told
    apart here: its alarms are assessed by `monitoring.incidents.harm`.

    Args:
        baseline: Baseline window scores of each watch, [R].

    Returns:
        The log of the factor, between those of `MIN_SCALE` and `MAX_SCALE`; 0 for baselines of fewer than
        `MIN_CALIBRATION_WINDOWS`.

    Cost: about a second for 20 watches. Source of resampling as if the sample were the truth: Gandy & Kvaløy,
    *Guaranteed conditional performance of control charts via bootstrap methods* (2013).
    """
    longest = max((baseline[key].size for key in test.tests), default=0)
    if longest < MIN_CALIBRATION_WINDOWS:
        return 0.0
    windows = min(MAX_WINDOWS, math.ceil(test.budget.threshold))
    sampling = StreamSampling(simulations=STREAMS, windows=windows, length=1, resample_reference=True, redraw_ar1=True)
    streams = SimulatedStreams(test, baseline, rng, sampling)
    highest = streams.evidence().max(axis=1)
    share = 1.0 - math.exp(-SPENT * windows / test.budget.threshold)
    reached = float(np.quantile(highest, 1.0 - share))
    scale = test.budget.threshold / max(reached, 1e-9)
    return math.log(min(max(scale, MIN_SCALE), MAX_SCALE))
