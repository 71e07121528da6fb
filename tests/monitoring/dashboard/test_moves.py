from __future__ import annotations

from dataclasses import replace

from monitoring.dashboard.history import DeploymentHistory
from monitoring.dashboard.moves import MOST, SMALLEST, moves


def test_only_what_moved_counts(history: DeploymentHistory) -> None:
    assert moves(history.last, history.baseline) == ()
    far = tuple(
        replace(one, mean=one.mean - 5 * one.deviation) if one.watch == "input:temp:location" else one
        for one in history.baseline
    )
    (found,) = moves(history.last, far)
    assert found.baseline.watch == "input:temp:location"
    assert 4 < found.deviations < 6


def test_the_largest_change_comes_first_and_few_are_kept(history: DeploymentHistory) -> None:
    far = tuple(replace(one, mean=one.mean - 50 * (one.deviation + one.tolerance)) for one in history.baseline)
    found = moves(history.last, far)
    assert 1 < len(found) <= MOST
    assert [one.deviations for one in found] == sorted((one.deviations for one in found), reverse=True)
    assert min(one.deviations for one in found) >= SMALLEST
    assert not {"brier", "error"} & {one.baseline.watch for one in found}
