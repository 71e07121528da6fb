"""Faults of labels."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.predictions import predictions_from
from monitoring.drills.faults.fault import FaultScope
from monitoring.drills.faults.label_faults import LABEL_FAULTS
from monitoring.tasks.label_codes import has_label
from monitoring.tasks.regression import Regression
from tests.small_deployment import SPEC

FAULTS = {fault.name: fault for fault in LABEL_FAULTS}


def planted(name: str, scope: FaultScope) -> pa.Table:
    return FAULTS[name].plant(scope.sample, "", scope, np.random.default_rng(0))


def error_rate(rows: pa.Table) -> float:
    found = predictions_from(rows, SPEC)
    found = found.take(has_label(found.labels))
    return float(SPEC.task.losses(found.probabilities, found.labels)["error"].mean())


@pytest.mark.parametrize(("name", "rise"), [("labels-wrong-5", 0.05), ("labels-wrong-10", 0.1)])
def test_wrong_labels_raise_the_error_by_just_so_much(name: str, rise: float, scope: FaultScope) -> None:
    assert FAULTS[name].rise == rise
    rows = planted(name, scope)
    assert error_rate(rows) - error_rate(scope.sample) == pytest.approx(rise, abs=1e-3)
    assert rows["label"].null_count == scope.sample["label"].null_count
    assert rows.drop_columns(["label"]).equals(scope.sample.drop_columns(["label"]))


def test_inverted_labels_are_wrong_where_the_model_was_right(scope: FaultScope) -> None:
    assert error_rate(planted("labels-inverted", scope)) == pytest.approx(1.0 - error_rate(scope.sample))


def test_labels_without_classes_change_rows(scope: FaultScope) -> None:
    regression = replace(scope, spec=replace(SPEC, classes=(), other_task=Regression(bound=1.0)))
    for name, share in (("labels-wrong-10", 0.1), ("labels-inverted", 1.0)):
        numbered = scope.sample.set_column(
            scope.sample.column_names.index("label"), "label", pa.array(map(str, range(scope.sample.num_rows)))
        )
        rows = FAULTS[name].plant(numbered, "", regression, np.random.default_rng(0))
        others = np.array(rows["label"].to_pylist()) != np.array(numbered["label"].to_pylist())
        assert others.mean() == pytest.approx(share, abs=0.01)
        assert sorted(rows["label"].to_pylist()) == sorted(numbered["label"].to_pylist())


def test_labels_that_stop_and_labels_that_come_too_late(scope: FaultScope) -> None:
    stopped, late = planted("labels-stop", scope), planted("labels-late", scope)
    assert stopped["label"].null_count == stopped["label_time"].null_count == scope.sample.num_rows
    assert late["label"].equals(scope.sample["label"])
    delays = {row["label_time"] - row["event_time"] for row in late.to_pylist() if row["label"] is not None}
    assert delays == {timedelta(days=8)}
    assert late["label_time"].null_count == scope.sample["label_time"].null_count


def test_labels_too_late_need_more_windows_than_the_label_horizon_has(scope: FaultScope) -> None:
    late = FAULTS["labels-late"]
    assert late.targets(replace(scope, span=timedelta(days=8))) == ()
    assert late.targets(replace(scope, span=timedelta(days=9))) == late.targets(replace(scope, span=None)) == ("",)


def test_without_labels_there_is_nothing_to_change(scope: FaultScope, bare: FaultScope) -> None:
    assert all(fault.targets(scope) == ("",) for fault in LABEL_FAULTS)
    assert not any(fault.targets(bare) for fault in LABEL_FAULTS)
    none = planted("labels-stop", scope)
    assert planted("labels-wrong-5", replace(scope, sample=none)).equals(none)


def test_one_bad_day_is_the_first_window_alone(scope: FaultScope) -> None:
    assert error_rate(planted("bad-day", scope)) - error_rate(scope.sample) == pytest.approx(0.25, abs=1e-3)
    assert planted("bad-day", replace(scope, window=2)) is scope.sample


@pytest.mark.parametrize(("window", "rise"), [(6, 0.01), (60, 0.1), (90, 0.1)])
def test_a_slow_creep_grows_for_sixty_windows(window: int, rise: float, scope: FaultScope) -> None:
    rows = planted("creep", replace(scope, window=window))
    assert error_rate(rows) - error_rate(scope.sample) == pytest.approx(rise, abs=1e-3)


def test_labels_all_alike_are_the_commonest_where_there_is_one(scope: FaultScope) -> None:
    rows = planted("labels-one-class", scope)
    words = scope.sample["label"].drop_null().to_pylist()
    assert set(rows["label"].drop_null().to_pylist()) == {max(set(words), key=words.count)}
    assert rows["label"].null_count == scope.sample["label"].null_count


def test_stale_rows_have_inputs_and_answers_of_others_and_their_own_labels(scope: FaultScope) -> None:
    rows = planted("stale", scope)
    own = ["prediction_id", "event_time", "label", "label_time"]
    assert rows.select(own).equals(scope.sample.select(own))
    same = [one == other for one, other in zip(rows.to_pylist(), scope.sample.to_pylist(), strict=True)]
    assert np.mean(same) == pytest.approx(0.5, abs=0.1)
    pairs = {(one["temp"], tuple(one["probabilities"])) for one in scope.sample.to_pylist()}
    assert {(one["temp"], tuple(one["probabilities"])) for one in rows.to_pylist()} <= pairs
