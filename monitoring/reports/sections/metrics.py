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
        name: Its name.
        last: Its value in the last window in which a label arrived.
        whole: Its mean over all windows.
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
    whole = {one.metric: one for one in over_windows(measured)}
    known = {one.metric: one for one in status.measured}
    return tuple(
        MetricRow(
            name=metric_title(one.metric),
            last=_text(one),
            whole=_text(whole[one.metric]),
            benchmark=_text(known.get(one.metric)),
        )
        for one in measured[-1]
    )


def labels_by_output(status: MonitorStatus) -> tuple[tuple[str, int], ...]:
    """How many labels have come for each of several outputs, of rows with a usable answer; none of one output."""
    found: dict[str, int] = {}
    for window in status.windows:
        rows: dict[str, int] = {}
        for one in window.measured:
            output = split_output(one.metric)[0]
            rows[output] = max(rows.get(output, 0), one.rows)
        for output, count in rows.items():
            found[output] = found.get(output, 0) + count
    return tuple((output, count) for output, count in found.items() if output)


def _text(found: MeasuredMetric | None) -> str:
    if found is None:
        return NOTHING
    value, low, high = (format_value(found.metric, number) for number in (found.value, found.low, found.high))
    return value if found.low == found.high else f"{value} ({low} to {high})"
