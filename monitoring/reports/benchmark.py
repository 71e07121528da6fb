"""What was promised: a benchmark out of the baseline's own out-of-fold predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from monitoring.reports.months import LOSSES, weighted_interval
from monitoring.reports.records import Benchmark, BenchmarkMetric, Interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from monitoring.baseline.folder import Baseline


def benchmark_of(baseline: Baseline, *, slices: tuple[str, ...] = (), timezone: str = "UTC") -> Benchmark:
    """Each loss over the baseline's labelled rows, whole and by slice, with its 95 % interval by day.

    `slices` are category inputs; every value that at least 1 % of the labelled rows have becomes a slice,
    ``column=value``. The day is the unit of chance, as bad days are bad for all of their rows. A baseline without
    labels gives a benchmark without metrics. Cost: one pass over the rows and one for each slice.
    """
    import numpy as np  # noqa: PLC0415  # the reports that have no use for it need not load it

    from monitoring.baseline.predictions import NO_LABEL  # noqa: PLC0415  # brings PyArrow
    from monitoring.watches.performance import scores  # noqa: PLC0415  # as above

    reference = baseline.reference.take(baseline.reference.labels != NO_LABEL)
    if len(reference) == 0:
        return Benchmark(metrics=())
    days = _days(reference.event_times, timezone)
    losses = scores(reference.probabilities, reference.labels)
    masks: dict[str, NDArray[np.bool_]] = {}
    for column in slices:
        values = np.asarray(reference.features[column].to_pylist(), dtype=object)
        for value in sorted({value for value in values.tolist() if value is not None}):
            mask = np.asarray(values == value, dtype=np.bool_)
            if mask.mean() >= 0.01:
                masks[f"{column}={value}"] = mask
    metrics = []
    for metric in LOSSES:
        whole = _by_day(losses[metric], days)
        metrics.append(
            BenchmarkMetric(
                metric=metric,
                mean=whole.mean,
                low=whole.low,
                high=whole.high,
                by_slice={part: _by_day(losses[metric][mask], days[mask]) for part, mask in masks.items()},
            )
        )
    return Benchmark(metrics=tuple(metrics))


def _days(event_times: NDArray[np.int64], timezone: str) -> NDArray[np.int64]:
    """The calendar day of each moment in the deployment's zone, as days since 1970."""
    import numpy as np  # noqa: PLC0415  # as above
    import pyarrow as pa  # noqa: PLC0415  # as above
    import pyarrow.compute as pc  # noqa: PLC0415  # as above

    moments = pa.array(event_times).cast(pa.timestamp("us", tz=ZoneInfo(timezone).key))
    days = pc.local_timestamp(moments).cast(pa.date32(), safe=False).cast(pa.int32())
    return np.asarray(days, dtype=np.int64)


def _by_day(loss: NDArray[np.float64], days: NDArray[np.int64]) -> Interval:
    import numpy as np  # noqa: PLC0415  # as above

    _, places = np.unique(days, return_inverse=True)
    rows = np.bincount(places)
    means = np.bincount(places, weights=loss) / rows
    return weighted_interval(list(zip(means.tolist(), rows.tolist(), strict=True)))
