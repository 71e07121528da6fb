"""Statistics of a window's values that a rule may bound."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from monitoring.records.rule_parts import Statistic


def statistic_of(statistic: Statistic, parts: Sequence[pa.ChunkedArray]) -> float:
    """A statistic of the values of a window that are not missing; NaN where it has none.

    The standard deviation is that of a sample (n - 1), and the median of an even number of values the mean of the two
    in the middle.

    >>> values = [pa.chunked_array([[1.0, None, 3.0]]), pa.chunked_array([[8.0]])]
    >>> [round(statistic_of(one, values), 3) for one in ("mean", "median", "stdev", "distinct")]
    [4.0, 3.0, 3.606, 3.0]
    """
    column = pa.chunked_array([chunk for part in parts for chunk in part.chunks], parts[0].type) if parts else None
    if column is None or column.null_count == len(column):
        return float("nan")
    if statistic == "distinct":
        return float(pc.count_distinct(column).as_py())
    numbers = pc.cast(column.drop_null(), pa.float64())
    if statistic == "median":
        return float(pc.quantile(numbers, q=0.5)[0].as_py())
    value = pc.mean(numbers) if statistic == "mean" else pc.stddev(numbers, ddof=1)
    return float("nan") if value.as_py() is None else float(value.as_py())
