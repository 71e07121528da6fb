"""Builders of reference tables: two inputs, answers and labels."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from monitoring.baseline.spec import BaselineSpec, FeatureSpec

SPEC = BaselineSpec(
    classes=("a", "b"), features=(FeatureSpec(name="x", kind="number"), FeatureSpec(name="c", kind="category"))
)

MICROSECONDS = pa.timestamp("us", "UTC")


def table(x: list[float | None], c: list[str | None]) -> pa.Table:
    """Rows with those inputs, answered .5 each, without labels."""
    count = len(x)
    return pa.table(
        {
            "prediction_id": [str(place) for place in range(count)],
            "event_time": pa.array([0] * count).cast(MICROSECONDS),
            "x": pa.array(x, pa.float64()),
            "c": pa.array(c, pa.string()),
            "probabilities": pa.array([[0.5, 0.5]] * count, pa.list_(pa.float64())),
        }
    )


def reference(rows: int = 200, seed: int = 0) -> pa.Table:
    """A reference table, in no order of time, three of four rows with a label."""
    rng = np.random.default_rng(seed)
    late = rng.random(rows)
    known = rng.random(rows) < 0.75
    times = rng.permutation(rows) * 1_000_000
    return pa.table(
        {
            "prediction_id": [f"r{place}" for place in range(rows)],
            "event_time": pa.array(times).cast(MICROSECONDS),
            "x": pa.array(rng.normal(size=rows), mask=rng.random(rows) < 0.1),
            "c": pa.array(rng.choice(["p", "q", "ü"], rows).tolist(), pa.string(), mask=rng.random(rows) < 0.1),
            "probabilities": pa.array(np.stack([1 - late, late], axis=1).tolist(), pa.list_(pa.float64())),
            "label": pa.array(np.where(rng.random(rows) < late, "b", "a").tolist(), pa.string(), mask=~known),
            "label_time": pa.array(times + 60_000_000, mask=~known).cast(MICROSECONDS),
        }
    )
