"""The metrics that are shown beside the losses and not tested: of the last window, of all, and of the baseline."""

from __future__ import annotations

from dataclasses import dataclass

from monitoring.records import MeasuredMetric, MonitorStatus
from monitoring.tasks.output_names import split_output
from monitoring.watches.descriptions import NOTHING, format_value, metric_title
from monitoring.watches.measured.window_means import over_windows


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRow:
    """One metric as text, each value with its 95 % interval.

    Attributes:
        last: Its value in the last window in which a label arrived.
        benchmark: Its mean over the baseline's windows.
    """

    name: str
    last: str
    whole: str
    benchmark: str


def metric_rows(status: MonitorStatus) -> tuple[MetricRow, ...]:
    """The metrics of a deployment; none before the first label.

    Returns:
        A row for each metric of the last window in which a label arrived.
    """
    measured = [window.measured for window in status.windows if window.measured]
    if not measured:
        return ()
    whole = {metric.metric: metric for metric in over_windows(measured)}
    benchmarks = {metric.metric: metric for metric in status.measured}
    return tuple(
        MetricRow(
            name=metric_title(metric.metric),
            last=_text(metric),
            whole=_text(whole[metric.metric]),
            benchmark=_text(benchmarks.get(metric.metric)),
        )
        for metric in measured[-1]
    )


def labels_by_output(status: MonitorStatus) -> tuple[tuple[str, int], ...]:
    """How many labels have come for each of several outputs, of rows with a usable answer; none of one output."""
    label_counts: dict[str, int] = {}
    for window in status.windows:
        rows: dict[str, int] = {}
        for metric in window.measured:
            output = split_output(metric.metric)[0]
            rows[output] = max(rows.get(output, 0), metric.rows)
        for output, count in rows.items():
            label_counts[output] = label_counts.get(output, 0) + count
    return tuple((output, count) for output, count in label_counts.items() if output)


def _text(metric: MeasuredMetric | None) -> str:
    if metric is None:
        return NOTHING
    value, low, high = (format_value(metric.metric, number) for number in (metric.value, metric.low, metric.high))
    return value if metric.low == metric.high else f"{value} ({low} to {high})"
