from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.records import EstimateRecord, IntervalChecks, RealisedLosses, WindowRecord
from monitoring.store.estimates import estimates_of, estimates_text

APRIL = datetime(2013, 4, 1, tzinfo=UTC)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
CHECKS = st.builds(
    IntervalChecks,
    rows=st.integers(0, 10**6),
    expected=st.integers(0, 2**60),
    realised=st.integers(0, 2**60),
    variance=FINITE,
    checks=st.integers(0, 1000),
    misses=st.integers(0, 1000),
    log_capital=st.lists(FINITE, max_size=4).map(tuple),
    trusted=st.booleans(),
)
ESTIMATES = st.builds(
    EstimateRecord,
    method=st.sampled_from(["calibrated", "threshold", "weighted"]),
    metric=st.sampled_from(["error", "brier"]),
    rows=st.integers(0, 10**6),
    value=st.none() | FINITE,
    low=st.none() | FINITE,
    high=st.none() | FINITE,
    checked=st.integers(0, 10**6),
    expected=st.none() | FINITE,
    half=st.none() | FINITE,
    realised=st.none() | FINITE,
    trusted=st.booleans(),
    interval_checks=CHECKS,
    confusion=st.lists(st.lists(FINITE, min_size=2, max_size=2).map(tuple), max_size=2).map(tuple),
    effective=st.none() | FINITE,
)
REALISED = st.builds(
    RealisedLosses,
    start=st.just(APRIL),
    rows=st.integers(0, 100),
    losses=st.dictionaries(st.sampled_from(["error", "brier", "absolute_error"]), st.integers(0, 2**40)),
)
WINDOW = WindowRecord(
    start=APRIL,
    end=APRIL,
    rows=1,
    labels=0,
    labels_due=1,
    labels_unknown=0,
    repeats=0,
    status="ok",
    page_log_evidence=0.0,
    notice_log_evidence=0.0,
)


@given(st.lists(ESTIMATES, max_size=2).map(tuple), st.lists(REALISED, max_size=2).map(tuple))
def test_estimates_come_back_to_the_last_bit(
    estimates: tuple[EstimateRecord, ...], realised: tuple[RealisedLosses, ...]
) -> None:
    text = estimates_text(replace(WINDOW, estimates=estimates, realised_losses=realised))
    assert repr(estimates_of(text)) == repr((estimates, realised))


def test_a_window_without_any_has_no_text(window: Callable[..., WindowRecord]) -> None:
    assert estimates_text(window()) is None
    assert estimates_of(None) == ((), ())


def test_the_keys_are_those_of_stores_of_earlier_versions() -> None:
    record = EstimateRecord(
        method="calibrated",
        metric="error",
        rows=9,
        value=0.5,
        low=0.25,
        high=0.75,
        checked=0,
        expected=None,
        half=None,
        realised=None,
        trusted=True,
        interval_checks=IntervalChecks(log_capital=(0.5,)),
    )
    losses = RealisedLosses(start=APRIL, rows=2, losses={"error": 1, "brier": 0})
    text = estimates_text(replace(WINDOW, estimates=(record,), realised_losses=(losses,)))
    assert text is not None
    document = json.loads(text)
    (estimate,) = document["estimates"]
    assert estimate["account"]["log_doubt"] == [0.5]
    assert document["settled"] == [{"start": "2013-04-01T00:00:00+00:00", "rows": 2, "error": 1, "brier": 0}]


def test_a_number_that_is_not_finite_is_refused() -> None:
    record = EstimateRecord(
        method="weighted",
        metric="error",
        rows=9,
        value=math.nan,
        low=None,
        high=None,
        checked=0,
        expected=None,
        half=None,
        realised=None,
        trusted=True,
        interval_checks=IntervalChecks(),
    )
    with pytest.raises(ValueError, match="not JSON compliant"):
        estimates_text(replace(WINDOW, estimates=(record,)))
