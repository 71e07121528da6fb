from __future__ import annotations

from dataclasses import replace

import pytest

from monitoring.records import BURN_IN, LABELS_STOPPED, Finding, MonitorStatus, Sensitivity
from monitoring.reports.sections.sensitivity import (
    RECENT_WINDOWS,
    detectable,
    sensitivity_rows,
    unwatched_losses,
    watches_no_loss,
)
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


def without_losses(status: MonitorStatus, *, last: int) -> MonitorStatus:
    """The same deployment, no loss of which was evaluated in the last windows."""
    blind = tuple(
        replace(window, labels=5, scores=tuple(replace(score, value=None) for score in window.scores))
        for window in status.windows[-last:]
    )
    return replace(status, windows=(*status.windows[:-last], *blind))


def test_without_labels_that_count_no_rise_is_said_to_be_detectable(status: MonitorStatus) -> None:
    blind = without_losses(status, last=RECENT_WINDOWS)
    assert unwatched_losses(blind) == (
        "No rise of a loss would be detected: no label has counted in the last 30 windows (150 arrived)."
    )
    assert [entry.rise for entry in detectable(blind)] == [None] * len(status.sensitivity)


def test_a_model_of_which_no_loss_is_known_is_said_to_have_none(status: MonitorStatus) -> None:
    inputs = tuple(score for score in status.baseline if score.watch not in ("error", "brier"))
    lossless = replace(status, baseline=inputs, sensitivity=())
    assert inputs
    assert watches_no_loss(lossless.baseline)
    assert unwatched_losses(lossless) == "No rise of a loss would be detected: no loss is watched."
    assert not watches_no_loss(status.baseline)
    assert not watches_no_loss(())


@pytest.mark.parametrize("last", [1, RECENT_WINDOWS - 1])
def test_one_evaluated_loss_among_the_last_windows_is_enough(status: MonitorStatus, last: int) -> None:
    seeing = without_losses(status, last=last)
    assert unwatched_losses(seeing) == ""
    assert detectable(seeing) == status.sensitivity


def test_before_any_window_and_without_a_simulation_nothing_is_said(status: MonitorStatus) -> None:
    assert unwatched_losses(replace(status, windows=())) == ""
    assert unwatched_losses(replace(without_losses(status, last=365), sensitivity=())) == ""


def test_once_labels_have_stopped_no_rise_is_said_to_be_detectable(status: MonitorStatus) -> None:
    text = "No label of a known prediction has arrived for 3 days."
    said = Finding(kind=LABELS_STOPPED, feature="label arrivals", message=text, fact=True)
    blind = replace(status, windows=(*status.windows[:-1], replace(status.windows[-1], findings=(said,))))
    assert unwatched_losses(blind) == f"No rise of a loss would be detected. {text}"
    assert {entry.rise for entry in detectable(blind)} == {None}


def test_in_a_burn_in_no_rise_is_said_to_be_detectable(status: MonitorStatus) -> None:
    said = Finding(kind=BURN_IN, feature="baseline", message="Burn-in until 2 May 2013: nothing pages but facts.")
    learning = replace(status, windows=(*status.windows[:-1], replace(status.windows[-1], findings=(said,))))
    wanted = "No rise of a loss would be detected: burn-in until 2 May 2013, in which nothing pages but facts."
    assert unwatched_losses(learning) == wanted
    assert {entry.rise for entry in detectable(learning)} == {None}
