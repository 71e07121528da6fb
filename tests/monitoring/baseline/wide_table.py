"""A table of numbers and text of many kinds, and TFDV's own statistics of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

ROWS = 20_000


def wide_table() -> pa.Table:
    """Numbers of several shapes, some missing, and text with few and many values."""
    rng = np.random.default_rng(5)
    wide = rng.normal(3.0, 2.0, ROWS)
    skewed = rng.lognormal(0.0, 1.5, ROWS)
    holes = np.where(rng.random(ROWS) < 0.1, np.nan, wide)
    return pa.table(
        {
            "wide": wide,
            "skewed": skewed,
            "holes": pa.array(holes, mask=rng.random(ROWS) < 0.05),
            "constant": np.full(ROWS, 7.5),
            "counted": rng.poisson(1.0, ROWS).astype(np.float64),
            "negative": -skewed,
            "few": pa.array(rng.choice(["a", "b", "ü \U0001f600", ""], ROWS), mask=rng.random(ROWS) < 0.2),
            "many": pa.array([f"w{int(place)}" for place in rng.zipf(1.3, ROWS) % 900]),
        }
    )


def tfdv_statistics(table: pa.Table) -> dict[str, Any]:
    """Each column's statistics by TFDV's generator."""
    import tensorflow_data_validation as tfdv
    from tensorflow_data_validation.statistics import stats_impl
    from tfx_bsl.arrow import table_util

    columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        whole = column.combine_chunks()
        if pa.types.is_floating(whole.type):
            values = np.asarray(whole)
            whole = pa.array(values, mask=np.isnan(values))
        columns[name] = whole
    batch = table_util.CanonicalizeRecordBatch(pa.record_batch(columns))
    options = tfdv.StatsOptions(num_quantiles_histogram_buckets=10)
    with np.errstate(all="ignore"):
        found = stats_impl.generate_statistics_in_memory(batch, options)
    return {one.path.step[0]: one for one in found.datasets[0].features}
