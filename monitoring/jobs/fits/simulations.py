"""What is simulated of a fit before its first window, and once all is judged; kept within the process."""

from __future__ import annotations

import numpy as np

from monitoring.evidence.calibration import calibrated_log_scale
from monitoring.evidence.level import LevelState, LevelTest
from monitoring.evidence.sensitivity import smallest_detectable_harms
from monitoring.evidence.simulation_cache import SimulationCache
from monitoring.judging.fit.harms import harms_of
from monitoring.judging.fit.reference_fit import ReferenceFit
from monitoring.records import Level, Sensitivity

#: Simulations of this process, by what was simulated: deployments of one baseline, and later runs, share them.
CALIBRATIONS: SimulationCache[float] = SimulationCache()
SENSITIVITIES: SimulationCache[tuple[Sensitivity, ...]] = SimulationCache()


def initial_level(fit: ReferenceFit, level: Level) -> LevelState:
    """A level before its first window. The page level is calibrated, which takes some seconds; the notice level not.

    Returns:
        The same state each time: a run that is killed before its first window is committed begins again from it.
    """
    if level != "page":
        return LevelState()
    test = fit.tests[level]
    return LevelState(log_scale=_log_scale(fit, test.paging()), loss_log_scale=_log_scale(fit, test.losses()))


def _log_scale(fit: ReferenceFit, detector: LevelTest) -> float:
    """The calibration of one detector of the page level."""
    means = fit.means
    return CALIBRATIONS.get(detector, means, lambda: calibrated_log_scale(detector, means, np.random.default_rng(0)))


def simulated_sensitivity(fit: ReferenceFit, test: LevelTest, log_scale: float) -> tuple[Sensitivity, ...]:
    """How small a harm the page level detects."""
    means, harms = fit.means, harms_of(fit)

    def simulate() -> tuple[Sensitivity, ...]:
        return smallest_detectable_harms(test, means, harms, np.random.default_rng(0), log_scale=log_scale)

    return SENSITIVITIES.get((test, harms, log_scale), means, simulate)
