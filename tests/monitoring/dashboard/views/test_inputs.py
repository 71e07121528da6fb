from __future__ import annotations

from dataclasses import replace

from monitoring.dashboard.history import DeploymentHistory
from monitoring.dashboard.moves import Move
from monitoring.dashboard.views.inputs import moved_inputs


def test_what_moved_is_drawn_with_its_size_and_its_table(history: DeploymentHistory) -> None:
    assert moved_inputs(history) == ()
    known = next(one for one in history.baseline if one.watch == "brier" and not one.slice)
    (chart,) = moved_inputs(replace(history, moves=(Move(baseline=known, mean=0.2, deviations=2.34),), table_rows=5))
    assert chart.name == "brier"
    assert chart.note == "0.200, baseline 0.146: 2.3 standard deviations."
    assert chart.table is not None
    assert (len(chart.table.rows), chart.table.total) == (5, len(history.windows))
    assert chart.table.left_out


def test_a_watch_without_a_series_is_left_out(history: DeploymentHistory) -> None:
    known = replace(history.baseline[0], watch="input:none:location")
    assert moved_inputs(replace(history, moves=(Move(baseline=known, mean=0.2, deviations=2.0),))) == ()
