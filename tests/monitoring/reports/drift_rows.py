"""Rows of a window and of a baseline, with every kind of column that a drift report meets."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from monitoring.baseline.spec import BaselineSpec, FeatureSpec

HOSTILE = "</script><script>document.title='broken out'</script>"
SPEC = BaselineSpec(
    classes=("on_time", "late"),
    features=(
        FeatureSpec(name="temp", kind="number"),
        FeatureSpec(name="visib", kind="number"),
        FeatureSpec(name="gone", kind="number"),
        FeatureSpec(name="empty", kind="number"),
        FeatureSpec(name="steady", kind="number"),
        FeatureSpec(name="label", kind="category"),  # an input may be called like a column of ours
        FeatureSpec(name="carrier", kind="category"),
        FeatureSpec(name="blank", kind="category"),
    ),
)


def rows(count: int, seed: int, *, shift: float, carriers: list[str], labelled: float = 0.9) -> pa.Table:
    """So many rows whose `temp` lies at `shift`, a share of them with a label."""
    rng = np.random.default_rng(seed)
    late = rng.random(count)
    truth = np.where(rng.random(count) < late, "late", "on_time")
    known = rng.random(count) < labelled
    when = datetime(2013, 4, 23, tzinfo=UTC)
    moments = pa.array([when] * count, pa.timestamp("us", tz="UTC"))
    temp = rng.normal(shift, 1.0, count)
    temp[:3] = [np.inf, -np.inf, np.nan]
    return pa.table(
        {
            "event_time": moments,
            "temp": temp,
            "visib": rng.normal(10.0, 1.0, count),
            "empty": np.full(count, np.nan),
            "steady": np.ones(count),
            "label": [str(truth[row]) if known[row] else None for row in range(count)],
            "carrier": rng.choice(np.asarray(carriers), count),
            "blank": pa.nulls(count, pa.string()),
            "probabilities": pa.array(np.stack([1 - late, late], axis=1).tolist(), pa.list_(pa.float64())),
        }
    )
