from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.reports.drift_sample import MOST_CATEGORIES, OTHER, drift_sample
from monitoring.tasks.outputs_only import OutputsOnly
from monitoring.tasks.regression import Regression
from tests.monitoring.reports.drift_rows import SPEC, rows


def test_rare_categories_share_one_place_and_the_draw_repeats() -> None:
    many = [f"carrier {number:03}" for number in range(300)]
    now, then = rows(900, 1, shift=0.0, carriers=many), rows(900, 2, shift=0.0, carriers=many)
    first = drift_sample(now, then, spec=SPEC, rows=400, rng=np.random.default_rng(9))
    again = drift_sample(now, then, spec=SPEC, rows=400, rng=np.random.default_rng(9))
    assert first.current.equals(again.current)
    assert first.current["carrier"].nunique() <= MOST_CATEGORIES + 1
    assert OTHER in set(first.current["carrier"])
    assert len(first.current) == 400


def test_predicted_numbers_are_compared_as_numbers_with_their_truth() -> None:
    spec = BaselineSpec(classes=(), features=(FeatureSpec(name="x", kind="number"),), other_task=Regression())
    moments = pa.array([datetime(2013, 4, 23, tzinfo=UTC)] * 4, pa.timestamp("us", tz="UTC"))
    table = pa.table(
        {
            "event_time": moments,
            "x": [1.0, 2.0, 3.0, 4.0],
            "probabilities": [[1.5], [2.5], [3.5], [float("nan")]],
            "label": ["1.25", None, "3", "4"],
        }
    )
    found = drift_sample(table, table, spec=spec, rows=10, rng=np.random.default_rng(0))
    assert (found.numbers, found.categories, found.quality) == (("x", "predicted number"), (), True)
    assert found.current["predicted number"].tolist()[:3] == [1.5, 2.5, 3.5]
    assert found.current["label"].dropna().tolist() == [1.25, 3.0, 4.0]
    alone = replace(spec, other_task=OutputsOnly(watched=()))
    inputs = drift_sample(table, table, spec=alone, rows=10, rng=np.random.default_rng(0))
    assert inputs.numbers == ("x",)
    unlabelled = drift_sample(table, table.drop_columns("label"), spec=spec, rows=10, rng=np.random.default_rng(0))
    assert not unlabelled.quality
