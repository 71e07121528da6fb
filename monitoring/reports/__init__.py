"""What is shown of a deployment: the monitor's own page, a picture, a terminal summary, a drift report.

Importing this room loads none of the libraries that draw; each function loads what it needs when it is called.
"""

from monitoring.reports.charts.summary import write_picture
from monitoring.reports.drift import write_drift_report
from monitoring.reports.drift_summary import ColumnDrift, DriftSubject, DriftSummary, WatchVerdict
from monitoring.reports.page import write_page
from monitoring.reports.sections.benchmark import Benchmark, BenchmarkMetric, Interval
from monitoring.reports.sections.months import Month, SliceSeries
from monitoring.reports.terminal import render

__all__ = [
    "Benchmark",
    "BenchmarkMetric",
    "ColumnDrift",
    "DriftSubject",
    "DriftSummary",
    "Interval",
    "Month",
    "SliceSeries",
    "WatchVerdict",
    "render",
    "write_drift_report",
    "write_page",
    "write_picture",
]
