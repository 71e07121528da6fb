"""Rows of the traffic with the labels that have come for them, as a baseline is made of them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.baseline.predictions import Predictions
from monitoring.baseline.spec import BaselineSpec
from monitoring.judging.window.traffic_source import TrafficSource
from monitoring.traffic.windows import Window
from monitoring.watches.embedding import Embed, EmbeddingSource, embedded

_TIME = pa.timestamp("us", "UTC")


def live_reference(traffic: TrafficSource, window: Window, spec: BaselineSpec, embed: Embed | None) -> pa.Table:
    """The answered rows of a time, each with its last label.

    Args:
        embed: Computes embeddings; None where there are none, or no model to compute them.

    Returns:
        Columns as `monitoring.baseline.folder.write_baseline` takes them. Rows without a usable answer are left out,
        and of a baseline with an embedding those that cannot be embedded. Memory: all of the rows.
    """
    rows, _ = traffic.read(window)
    rows = rows.take(np.flatnonzero(np.isfinite(rows.probabilities).all(axis=1)))
    if spec.embedding is not None:
        rows = embedded(rows, EmbeddingSource(embedding=spec.embedding, embed=embed))
    return _table(rows, traffic.latest_labels())


def _table(rows: Predictions, labels: pa.Table) -> pa.Table:
    places = pc.index_in(rows.ids, labels["prediction_id"].combine_chunks())
    columns = {
        "prediction_id": rows.ids,
        "event_time": pa.array(rows.event_times).cast(_TIME),
        **{name: rows.features[name] for name in rows.features.column_names},
        "probabilities": _lists(rows),
        "label": labels["label"].combine_chunks().take(places),
        "label_time": labels["label_time"].combine_chunks().take(places).cast(_TIME),
    }
    return pa.table(columns)


def _lists(rows: Predictions) -> pa.Array:
    width = rows.probabilities.shape[1]
    starts = pa.array(np.arange(0, (len(rows) + 1) * width, width, dtype=np.int32))
    return pa.ListArray.from_arrays(starts, pa.array(rows.probabilities.ravel()))
