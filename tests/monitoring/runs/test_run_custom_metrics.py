"""Metrics of the user's own in the config: judged within the budget as other losses are, and told when they change."""

from __future__ import annotations

import numpy as np
import pytest

from monitoring.errors import BadInput
from monitoring.records import MonitorStatus
from monitoring.runs.run import RunResult
from tests.own_table import Watched, own_rows, watch
from tests.small_deployment import Days

MISSED = 'def missed(rows):\n    return (rows.label == "late") & (rows.prediction == "on_time")\n'
SECTION = '\n[[metric]]\nname = "missed"\nfunction = "own:missed"\ninputs = ["temp"]\n'
ROWS = own_rows(Days(days=12, broken_from=8))


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Watched, RunResult, MonitorStatus]:
    watched = watch(tmp_path_factory.mktemp("judged"))
    (watched.adopted.config.parent / "own.py").write_text(MISSED)
    with watched.adopted.config.open("a") as config:
        config.write(SECTION)
    watched.live("a.parquet", ROWS)
    return watched, *watched.run()


def test_a_metric_is_judged_on_the_whole_and_on_slices(judged: tuple[Watched, RunResult, MonitorStatus]) -> None:
    _, _, found = judged
    scored = [[one for one in window.scores if one.watch == "metric:missed"] for window in found.windows]
    assert {one.slice for one in scored[3]} == {"", "origin=EWR", "origin=JFK"}
    labelled = ROWS.filter(ROWS["y"].is_valid())
    late, told = np.array(labelled["y"].to_pylist()) == "late", np.asarray(labelled["late"]) > 0.5
    whole = [one for window in scored[:-1] for one in window if not one.slice and one.value is not None]
    mean = sum((one.value or 0.0) * one.rows for one in whole) / sum(one.rows for one in whole)
    assert mean == pytest.approx(float((late & ~told).mean()), rel=0.1)
    assert any(one.watch == "surprise_metric:missed" for one in found.windows[3].scores)
    assert any(one.metric == "metric:missed" for one in found.sensitivity)
    assert any(one.level == "page" for one in found.incidents)
    shown = {one.metric: one for one in found.windows[3].measured}
    assert set(shown) == {"auc", "f1", "precision", "recall", "calibration_error", "log_loss"}
    assert shown["auc"].low < shown["auc"].value < shown["auc"].high
    assert {one.metric for one in found.measured} == set(shown)
    assert not any(one.kind == "metric changed" for window in found.windows for one in window.findings)


def test_changed_code_begins_anew_and_an_error_ends_the_run_in_its_own_words(
    judged: tuple[Watched, RunResult, MonitorStatus],
) -> None:
    watched, first, _ = judged
    code = watched.adopted.config.parent / "own.py"
    code.write_text(MISSED.replace("return ", 'return (rows["temp"] > 0) & '))
    anew, found = watched.run()
    assert (anew.deployment, anew.follows) == (first.deployment + 1, first.deployment)
    told = [[one.feature for one in window.findings if one.kind == "metric changed"] for window in found.windows]
    assert told == [["missed"], *([] for _ in told[1:])]
    hot = np.asarray(ROWS["temp"]).copy()
    hot[-1] = 1e7
    watched.live("a.parquet", ROWS.set_column(2, "temp", [hot]))
    code.write_text(
        MISSED.replace("\n", "\n    if (rows['temp'] > 1e6).any():\n        raise ValueError('too hot')\n", 1)
    )
    with pytest.raises(BadInput, match=r"missed cannot be used\. Got ValueError: too hot \(own\.py, line 3\)"):
        watched.run()
