from __future__ import annotations

from monitoring.records import MonitorStatus, Sensitivity
from monitoring.reports.sections.sensitivity import sensitivity_rows
from monitoring.watches.descriptions import NOTHING


def test_each_metric_is_a_row_and_each_horizon_a_column(status: MonitorStatus) -> None:
    found = sensitivity_rows(status.sensitivity)
    assert found.horizons == (7, 30, 90)
    assert found.rows == (
        ("Brier score", ("+0.092", "+0.047", "+0.031")),
        ("Error rate", ("+16.1 points", "+8.1 points", "not within 90")),
    )


def test_a_slice_is_named_and_a_horizon_it_was_not_simulated_for_is_empty() -> None:
    found = sensitivity_rows(
        (
            Sensitivity(metric="error", slice="origin=EWR", windows=7, rise=0.1),
            Sensitivity(metric="brier", slice="", windows=30, rise=0.1),
        )
    )
    assert found.rows == (
        ("Error rate at origin = EWR", ("+10.0 points", NOTHING)),
        ("Brier score", (NOTHING, "+0.100")),
    )


def test_nothing_simulated_is_an_empty_table() -> None:
    assert sensitivity_rows(()).rows == ()
