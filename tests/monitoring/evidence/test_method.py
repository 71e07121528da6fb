"""The method as data: the same windows give the same evidence as long as it has the same number and constants."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

from monitoring.evidence import autocorrelation, betting, calibration, conformal, sampling_variance, seasonality
from monitoring.evidence.autocorrelation import level_ar1
from monitoring.evidence.conformal import ConformalTest, WatchState
from monitoring.evidence.method import METHOD, method

#: SHA-256 of the constants as JSON.
DIGEST = "b392dce80b0700a7d95513fa73cb526d2330197d6f65e99a40cf2c44099aa005"


def test_the_same_windows_give_the_same_evidence_as_long_as_the_method_has_its_number() -> None:
    # If this fails and no constant of `method()` was changed, raise METHOD: old evidence must not be continued.
    days = np.arange(40)
    baseline = 0.2 + 0.02 * np.sin(days * days / 90.0) + 0.01 * np.cos(7.0 * days)
    ar1 = level_ar1({"error": baseline})["error"]
    test = ConformalTest.fit(baseline, tolerance=0.002, ar1=ar1)
    state = WatchState.initial(len(test.etas))
    for day in range(12):
        state = test.step(state, 0.21 + 0.004 * day)
    assert METHOD == 10
    assert (round(ar1, 9), round(state.log_evidence, 9)) == (0.752376852, 7.843154426)


def test_the_digest_of_the_method_is_that_of_monitors_that_run_already() -> None:
    # It changes with a constant, and evidence starts anew then; a renamed constant must not change it.
    text = json.dumps(method(), sort_keys=True)
    assert hashlib.sha256(text.encode()).hexdigest() == DIGEST


def test_the_keys_are_those_of_monitors_that_run_already() -> None:
    names = {"method", "steepness", "of few", "yardstick", "memory", "learning", "chance", "cycle", "recovery"}
    names |= {"fixed reference", "calibration"}
    assert set(method()) == names


@pytest.mark.parametrize(
    ("module", "name", "value"),
    [
        (autocorrelation, "MAX_LAGS", 8),
        (betting, "MAX_BOUNDARY", 0.7),
        (conformal, "ETAS", (0.8, 1.2, 2.0)),
        (conformal, "FIXED_ETAS", (0.5, 2.0)),
        (calibration, "SPENT", 0.9),
        (sampling_variance, "ROWS_QUANTILE", 0.2),
        (seasonality, "MIN_GAIN", 1.2),
    ],
)
def test_another_constant_is_another_method(
    module: object, name: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = method()
    monkeypatch.setattr(module, name, value)
    assert method() != before
