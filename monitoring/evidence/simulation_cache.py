"""Results of simulations, kept while the process lives: a service simulates each baseline once, not at each run."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from monitoring.records import WatchKey

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
            settings: What was simulated: records of plain values, whose `repr` says all of them.
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
