"""The reference table: held-out predictions with their rows, of which a baseline is made."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pitfalls_tf.rows.table import Table


def reference_table(table: Table, probabilities: NDArray[np.float64]) -> pa.Table:
    """One row per held-out prediction, in order of event time.

    Args:
        probabilities: shape [rows, classes], each from a network that was not trained on that row.

    Returns:
        Columns `prediction_id` ("reference-ROW:0"), `event_time`, the features, `probabilities` list<float>, `label`
        and `label_time` (null where there is no label).
    """
    flat = pa.array(probabilities.astype(np.float32).reshape(-1))
    offsets = pa.array(np.arange(len(table) + 1, dtype=np.int32) * probabilities.shape[1])
    ids = [f"reference-{row}:0" for row in table.rows["row_id"].to_pylist()]
    columns = {
        "prediction_id": pa.array(ids, pa.string()),
        "event_time": table.rows["event_time"],
        **{feature.name: table.rows[feature.name] for feature in table.features},
        "probabilities": pa.ListArray.from_arrays(offsets, flat),
        "label": table.rows["label"],
        "label_time": table.rows["label_time"],
    }
    return pa.table(columns)
