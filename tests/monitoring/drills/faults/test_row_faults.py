"""Faults of rows and answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from monitoring.drills.faults.fault import FaultScope, with_column
from monitoring.drills.faults.row_faults import ROW_FAULTS, sources
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
    alone = replace(scope.spec, outputs_only=OutputsOnly(watched=()))
    assert scores.targets(replace(scope, spec=alone)) == ()
