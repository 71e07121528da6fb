"""Faults of rows and answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.predictions import predictions_from
from monitoring.drills.faults.fault import FaultScope, with_column
from monitoring.drills.faults.row_faults import HARDER, LOST, RETRIES, ROW_FAULTS, ZONE, sources
from monitoring.tasks.label_codes import has_label
from monitoring.tasks.outputs_only import OutputsOnly

FAULTS = {fault.name: fault for fault in ROW_FAULTS}
RNG = np.random.default_rng(0)


def test_a_source_that_is_gone_takes_its_rows_with_it(scope: FaultScope) -> None:
    assert sources(scope) == ("origin=EWR", "origin=JFK")
    rows = FAULTS["source-gone"].plant(scope.sample, "origin=EWR", scope, RNG)
    left = [one for one in scope.sample.to_pylist() if one["origin"] != "EWR"]
    assert rows.to_pylist() == left


def test_rows_without_the_value_stay_though_theirs_is_missing(scope: FaultScope) -> None:
    some = with_column(scope.sample.slice(0, 3), "origin", pa.array(["EWR", None, "JFK"]))
    assert FAULTS["source-gone"].plant(some, "origin=EWR", scope, RNG)["origin"].to_pylist() == [None, "JFK"]


def test_a_source_is_a_slice_where_there_are_slices_and_has_a_part_of_the_rows(scope: FaultScope) -> None:
    assert sources(replace(scope, slices=())) == sources(scope)
    rows = scope.sample.num_rows
    rare = pa.array(["EWR" if place % 20 else "JFK" for place in range(rows)])
    assert sources(replace(scope, sample=with_column(scope.sample, "origin", rare))) == ()


def test_traffic_that_stops_has_no_rows(scope: FaultScope, bare: FaultScope) -> None:
    silence = FAULTS["silence"]
    assert silence.plant(scope.sample, "", scope, RNG).num_rows == 0
    assert (silence.targets(scope), silence.targets(bare)) == (("",), ())


def test_scores_in_another_unit(scope: FaultScope, bare: FaultScope) -> None:
    scores = FAULTS["scores"]
    before = np.asarray(scope.sample["probabilities"].combine_chunks().flatten())
    rows = scores.plant(scope.sample, "", scope, RNG)
    assert np.allclose(np.asarray(rows["probabilities"].combine_chunks().flatten()), 100 * before)
    plain = with_column(scope.sample.slice(0, 2), "probabilities", pa.array([1.0, 2.5]))
    assert scores.plant(plain, "", scope, RNG)["probabilities"].to_pylist() == [100.0, 250.0]
    assert (scores.targets(scope), scores.targets(bare)) == (("",), ())
    alone = replace(scope.spec, other_task=OutputsOnly(watched=()))
    assert scores.targets(replace(scope, spec=alone)) == ()


def errors_of(rows: pa.Table, scope: FaultScope) -> tuple[float, float]:
    """The error rate of labelled rows, and the one that their answers promise."""
    found = predictions_from(rows, scope.spec)
    known = found.take(has_label(found.labels))
    error = scope.spec.task.losses(known.probabilities, known.labels)["error"].mean()
    return float(error), float(1.0 - known.probabilities.max(axis=1).mean())


def test_harder_traffic_is_what_the_model_expects_of_it(scope: FaultScope) -> None:
    rows = FAULTS["harder"].plant(scope.sample, "", scope, RNG)
    (_, before), (realised, promised) = errors_of(scope.sample, scope), errors_of(rows, scope)
    assert promised - before == pytest.approx(HARDER, abs=0.03)
    assert realised == pytest.approx(promised, abs=0.06)
    assert len(set(rows["prediction_id"].to_pylist())) == rows.num_rows == scope.sample.num_rows


def test_lost_rows_have_no_time_and_keep_their_labels(scope: FaultScope) -> None:
    rows = FAULTS["log-loss"].plant(scope.sample, "", scope, RNG)
    assert rows["event_time"].null_count / rows.num_rows == pytest.approx(LOST, abs=0.1)
    assert rows.drop_columns(["event_time"]).equals(scope.sample.drop_columns(["event_time"]))


def test_retried_rows_come_again_with_their_ids(scope: FaultScope) -> None:
    rows = FAULTS["retries"].plant(scope.sample, "", scope, RNG)
    assert rows.num_rows == RETRIES * scope.sample.num_rows
    assert set(rows["prediction_id"].to_pylist()) == set(scope.sample["prediction_id"].to_pylist())


def test_another_time_zone_matters_where_windows_are_shorter_than_a_day(scope: FaultScope) -> None:
    zone = FAULTS["time-zone"]
    rows = zone.plant(scope.sample, "", scope, RNG)
    moved = np.asarray(rows["event_time"]) - np.asarray(scope.sample["event_time"])
    assert set(moved.tolist()) == {ZONE}
    assert zone.targets(replace(scope, length=timedelta(days=1))) == ()
    assert zone.targets(replace(scope, length=timedelta(hours=1))) == ("",)
