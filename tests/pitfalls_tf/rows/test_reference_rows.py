"""The reference table: a row for each prediction, named so that no row of traffic has its id."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from pitfalls_tf.rows.reference_rows import reference_table
from pitfalls_tf.rows.table import Table


def test_rows_keep_their_features_and_labels_and_gain_ids_and_predictions(few_flights: Table) -> None:
    shares = np.random.default_rng(2).uniform(size=len(few_flights))
    found = reference_table(few_flights, np.column_stack([1 - shares, shares]))
    names = [feature.name for feature in few_flights.features]
    assert found.column_names == ["prediction_id", "event_time", *names, "probabilities", "label", "label_time"]
    ids = found["prediction_id"].to_pylist()
    assert ids[0] == f"reference-{few_flights.rows['row_id'][0]}:0"
    assert len(set(ids)) == len(few_flights)
    for name in ("event_time", *names, "label", "label_time"):
        assert repr(found[name].to_pylist()) == repr(few_flights.rows[name].to_pylist()), (
            name
        )  # NaN is not equal to NaN
    assert found["probabilities"].type == pa.list_(pa.float32())
    assert [row[1] for row in found["probabilities"].to_pylist()] == pytest.approx(shares, abs=1e-7)


def test_an_empty_table_has_an_empty_reference(few_flights: Table) -> None:
    assert len(reference_table(few_flights.take(np.zeros(0, dtype=np.int64)), np.zeros((0, 2)))) == 0
