"""The report's table of metrics: of the last window with labels, of all windows, and of the baseline."""

from __future__ import annotations

from dataclasses import replace

from monitoring.records import MeasuredMetric, MonitorStatus
from monitoring.reports.page import page_text
from monitoring.reports.sections.tables import MetricRow, labels_by_output, metric_rows


def test_values_have_their_intervals_and_the_benchmark_beside_them(status: MonitorStatus) -> None:
    def auc(value: float) -> MeasuredMetric:
        return MeasuredMetric(metric="auc", rows=100, value=value, low=value - 0.1, high=value + 0.1)

    first, second, third, *rest = status.windows
    windows = (replace(first, measured=(auc(0.7),)), replace(second, measured=(auc(0.8),)), third, *rest)
    measured = replace(status, windows=windows, measured=(auc(0.75),))
    assert metric_rows(measured) == (
        MetricRow(
            name="AUC",
            last="0.800 (0.700 to 0.900)",
            whole="0.750 (0.652 to 0.848)",
            benchmark="0.750 (0.650 to 0.850)",
        ),
    )
    assert metric_rows(replace(measured, measured=()))[0].benchmark == "\N{EN DASH}"
    assert metric_rows(status) == ()
    assert "0.750 (0.652 to 0.848)" in page_text(measured, benchmark=None, slices=(), link="")


def test_labels_of_several_outputs_are_counted_by_output(status: MonitorStatus) -> None:
    def measured(metric: str, rows: int) -> MeasuredMetric:
        return MeasuredMetric(metric=metric, rows=rows, value=0.5, low=0.4, high=0.6)

    first, second, *rest = status.windows
    one = (measured("of:kind:auc", 100), measured("of:kind:f1", 100), measured("of:price:r_squared", 60))
    windows = (replace(first, measured=one), replace(second, measured=(measured("of:kind:auc", 20),)), *rest)
    found = replace(status, windows=windows)
    assert labels_by_output(found) == (("kind", 120), ("price", 60))
    assert labels_by_output(status) == ()
    assert "<dt>Labels of price</dt><dd>60</dd>" in page_text(found, benchmark=None, slices=(), link="")
