from __future__ import annotations

from dataclasses import replace

from monitoring.dashboard.view.history import WINDOWS, DeploymentHistory
from monitoring.dashboard.view.loss import headline_loss, headline_losses, watch_view


def test_the_loss_is_the_mean_of_the_last_windows_by_rows(history: DeploymentHistory) -> None:
    found = headline_loss(history.last_scores, history.baseline)
    assert found is not None
    assert (found.watch, found.windows) == ("brier", WINDOWS)
    scored = [one for window in history.last_scores for one in window if (one.watch, one.slice) == ("brier", "")]
    mean = sum(one.value * one.rows for one in scored if one.value is not None) / sum(one.rows for one in scored)
    assert abs(found.value.mean - mean) < 1e-12
    assert found.value.low < mean < found.value.high
    assert found.against.startswith("0.146 (")


def test_without_labels_the_estimate_is_shown(history: DeploymentHistory) -> None:
    estimated = [
        [replace(one, watch=f"estimated_{one.watch}") for one in window if one.watch in ("brier", "error")]
        for window in history.last_scores
    ]
    found = headline_loss(estimated, ())
    assert found is not None
    assert (found.watch, found.mark, found.baseline) == ("estimated_brier", None, None)


def test_of_several_outputs_each_has_its_loss_and_the_one_that_rose_most_stands_for_all(
    history: DeploymentHistory,
) -> None:
    known = {one.watch: one for one in history.baseline if not one.slice}
    baseline = [replace(known["brier"], watch=f"of:{output}:brier") for output in ("kind", "risk")]
    scores = [
        [
            replace(one, watch=f"of:{output}:brier", value=one.value + more)
            for one in window
            if (one.watch, one.slice) == ("brier", "") and one.value is not None
            for output, more in (("kind", 0.0), ("risk", 0.1))
        ]
        for window in history.last_scores
    ]
    found = headline_losses(scores, baseline)
    assert [one.title for one in found] == ["Brier score of kind", "Brier score of risk"]
    assert headline_loss(scores, baseline) == found[1]


def test_without_scores_there_is_no_loss(history: DeploymentHistory) -> None:
    assert headline_loss((), history.baseline) is None
    assert watch_view("brier", history.last_scores, history.baseline, "origin=XXX") is None
