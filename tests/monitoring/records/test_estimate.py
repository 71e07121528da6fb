from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from monitoring.records import SCORE_ONE, EstimateRecord, IntervalChecks, RealisedLosses

ESTIMATE = EstimateRecord(
    method="calibrated",
    metric="error",
    rows=100,
    value=0.2,
    low=0.15,
    high=0.25,
    checked=0,
    expected=None,
    half=None,
    realised=None,
    trusted=True,
    interval_checks=IntervalChecks(),
)


def test_before_the_first_label_an_estimate_is_trusted_and_unchecked() -> None:
    checks = ESTIMATE.interval_checks
    assert (checks.checks, checks.misses, checks.trusted, checks.log_capital) == (0, 0, True, ())


def test_a_confusion_matrix_and_an_effective_sample_size_are_optional() -> None:
    assert (ESTIMATE.confusion, ESTIMATE.effective) == ((), None)


def test_a_changed_trust_is_another_record() -> None:
    lost = replace(ESTIMATE, interval_checks=replace(ESTIMATE.interval_checks, trusted=False))
    assert lost != ESTIMATE
    assert lost.trusted  # decided before the window


def test_realised_losses_of_two_windows_differ() -> None:
    losses = RealisedLosses(start=datetime(2013, 4, 1, tzinfo=UTC), rows=2, losses={"error": 1, "brier": 1})
    assert replace(losses, start=datetime(2013, 4, 2, tzinfo=UTC)) != losses


def test_a_mean_loss_is_over_the_rows_that_have_it_and_parts_that_come_later_add_up() -> None:
    start = datetime(2013, 4, 1, tzinfo=UTC)
    some = RealisedLosses(start=start, rows=4, losses={"a": 2 * SCORE_ONE, "b": 0}, missing={"b": 4})
    later = RealisedLosses(start=start, rows=0, losses={"a": 0, "b": SCORE_ONE}, missing={"b": -2})
    assert (some.mean("a"), some.mean("b")) == (0.5, None)
    assert ((some + later).mean("a"), (some + later).mean("b")) == (0.5, 0.5)
