from __future__ import annotations

import numpy as np

from monitoring.evidence.autocorrelation import level_ar1
from monitoring.evidence.conformal import ConformalTest, WatchState
from monitoring.evidence.method import METHOD, method


def test_the_same_windows_give_the_same_evidence_as_long_as_the_method_has_its_number() -> None:
    # Where this fails and no constant of `method()` was changed, raise METHOD: old evidence must not be continued.
    days = np.arange(40)
    baseline = 0.2 + 0.02 * np.sin(days * days / 90.0) + 0.01 * np.cos(7.0 * days)
    ar1 = level_ar1({"error": baseline})["error"]
    test = ConformalTest.fit(baseline, tolerance=0.002, ar1=ar1)
    state = WatchState.initial(len(test.etas))
    for day in range(12):
        state = test.step(state, 0.21 + 0.004 * day)
    assert METHOD == 6
    assert (round(ar1, 9), round(state.log_evidence, 9)) == (0.752376852, 7.843154426)


def test_every_constant_of_the_method_is_in_it() -> None:
    names = {"method", "steepness", "of few", "yardstick", "memory", "learning", "chance", "cycle", "recovery"}
    assert set(method()) == names
