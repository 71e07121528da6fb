"""A cost matrix in the config: the mean cost of a row is judged, and shown in the user's unit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from monitoring.errors import BadInput
from tests.own_table import Watched, own_rows, watch
from tests.small_deployment import Days

#: By true class (on_time, late) and then by answer: a late flight that nobody was told of costs ten.
COSTS = "[[0.0, 1.0], [10.0, 0.0]]"


def priced(folder: Path, matrix: str = COSTS) -> Watched:
    watched = watch(folder)
    with watched.adopted.config.open("a") as config:
        config.write(f"\n[cost]\nmatrix = {matrix}\n")
    return watched


def test_the_cost_is_judged_estimated_and_shown_in_the_users_unit(tmp_path: Path) -> None:
    watched, rows = priced(tmp_path), own_rows(Days(days=8))
    watched.live("a.parquet", rows)
    _, found = watched.run()
    assert [incident for incident in found.incidents if incident.level == "page"] == []
    late, told = np.array(rows["y"].to_pylist()) == "late", np.asarray(rows["late"]) > 0.5
    known = np.asarray(rows["y"].is_valid())
    cost = float((10.0 * (late & ~told) + 1.0 * (~late & told))[known].mean())
    scored = [score for window in found.windows for score in window.scores if score.watch == "cost" and not score.slice]
    mean = sum(score.value * score.rows for score in scored if score.value) / sum(score.rows for score in scored)
    assert mean == pytest.approx(cost, rel=0.15)
    assert any(score.watch == "surprise_cost" for score in found.windows[-1].scores)
    estimates = [one for one in found.windows[-2].estimates if (one.method, one.metric) == ("calibrated", "cost")]
    assert estimates[0].value == pytest.approx(cost, rel=0.4)
    assert {sensitivity.metric for sensitivity in found.sensitivity} == {"error", "brier", "cost"}


@pytest.mark.parametrize("matrix", ["[[0.0, 1.0]]", "[[0.0, 0.0], [0.0, 0.0]]", "[[0.0, -1.0], [1.0, 0.0]]", '["a"]'])
def test_what_is_no_matrix_of_costs_is_refused_with_its_line(tmp_path: Path, matrix: str) -> None:
    with pytest.raises(BadInput, match=r"\[cost\]"):
        priced(tmp_path, matrix).run()


def test_costs_of_other_classes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="not of the model's classes"):
        priced(tmp_path, "[[0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0]]").run()
