"""What is simulated of a fit before its first window, and once all is judged; kept within the process."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from monitoring.evidence.calibration import calibrated_log_scale
from monitoring.evidence.level import LevelState, LevelTest
from monitoring.evidence.sensitivity import smallest_detectable_harms
from monitoring.judging.fit.harms import harms_of
from monitoring.judging.fit.reference_fit import ReferenceFit
from monitoring.records import Level, Sensitivity, WatchKey

Result = TypeVar("Result")

#: Results kept; those that were not asked for the longest are dropped. A result is a number, or a few.
MAX_RESULTS = 1024


class SimulationCache(Generic[Result]):
    """Results by the content of what was simulated: its settings, and the baseline's scores, as a digest.

    A simulation must depend on nothing else: its random numbers begin at the same seed each time.

    >>> cache, baseline = SimulationCache[int](), {WatchKey(watch="error", slice=""): np.zeros(3)}
    >>> [cache.get("a test", baseline, lambda result=result: result) for result in (1, 2)]
    [1, 1]
    >>> cache.get("another", baseline, lambda: 3)
    3
    """

    def __init__(self) -> None:
        """An empty cache."""
        self._results: OrderedDict[bytes, Result] = OrderedDict()
        self._lock = Lock()

    def get(
        self, settings: object, baseline: Mapping[WatchKey, NDArray[np.float64]], simulate: Callable[[], Result]
    ) -> Result:
        """The result of a simulation, from the cache if it has run before.

        Args:
            baseline: Baseline window scores of each watch, [R].
            simulate: Runs the simulation. Two threads that ask at once may both run it.
        """
        content = hashlib.sha256(repr((settings, [(key, scores.shape) for key, scores in baseline.items()])).encode())
        for scores in baseline.values():
            content.update(scores.tobytes())
        key = content.digest()
        with self._lock:
            if key in self._results:
                self._results.move_to_end(key)
                return self._results[key]
        result = simulate()
        with self._lock:
            self._results[key] = result
            while len(self._results) > MAX_RESULTS:
                self._results.popitem(last=False)
        return result


#: Simulations of this process, by what was simulated: deployments of one baseline, and later runs, share them.
CALIBRATIONS: SimulationCache[float] = SimulationCache()
SENSITIVITIES: SimulationCache[tuple[Sensitivity, ...]] = SimulationCache()


def initial_level(fit: ReferenceFit, level: Level) -> LevelState:
    """A level before its first window. The page level is calibrated, which takes some seconds; the notice level not."""
    if level != "page":
        return LevelState()
    test = fit.tests[level]
    return LevelState(log_scale=_log_scale(fit, test.paging()), loss_log_scale=_log_scale(fit, test.losses()))


def _log_scale(fit: ReferenceFit, detector: LevelTest) -> float:
    """The calibration of one detector of the page level."""
    means = fit.means
    return CALIBRATIONS.get(detector, means, lambda: calibrated_log_scale(detector, means, np.random.default_rng(0)))


def simulated_sensitivity(fit: ReferenceFit, test: LevelTest, log_scale: float) -> tuple[Sensitivity, ...]:
    """How small a harm the page level detects; nothing where labels are to come for fewer rows than of the baseline."""
    means, harms = fit.means, harms_of(fit) if not fit.few_labels else ()

    def simulate() -> tuple[Sensitivity, ...]:
        return smallest_detectable_harms(test, means, harms, np.random.default_rng(0), log_scale=log_scale)

    return SENSITIVITIES.get((test, harms, log_scale), means, simulate)
