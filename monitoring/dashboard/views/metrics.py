"""Metrics of every deployment in Prometheus' text format, from the same rows as the overview."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from monitoring.dashboard.views.overview import Entry, Failure, name_of
from monitoring.dashboard.views.standing import STATES
from monitoring.records import LEVELS, IncidentState, WindowRecord
from monitoring.reports.sections.formatting import finite_evidence

#: Who a metric is about.
LABELS = ("deployment", "version", "store")

#: Of the states that an incident may have, those that are counted.
OPEN_STATES: Final[tuple[IncidentState, ...]] = ("open", "acknowledged", "worse", "recovering")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One deployment and its last window; None before the first."""

    entry: Entry
    last: WindowRecord | None

    @property
    def labels(self) -> list[str]:
        """Values of `LABELS`."""
        summary = self.entry.summary
        return [name_of(summary), str(summary.record.version), self.entry.source]


def metrics_text(measured: Sequence[Measured], failures: Sequence[Failure] = ()) -> str:
    """The metrics of some deployments.

    Args:
        measured: The deployments.
        failures: Configs and stores that cannot be read, or whose last run failed.

    Returns:
        Prometheus' text format; its own library escapes every label.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(measured, failures))
    return generate_latest(registry).decode()


class _Collector:
    """Gives the library what was read, in the order of the metrics."""

    def __init__(self, measured: Sequence[Measured], failures: Sequence[Failure]) -> None:
        self._measured = measured
        self._failures = failures

    def collect(self) -> Iterator[Metric]:
        """Every metric with its samples.

        Yields:
            One metric after the other.
        """
        yield from self._problems()
        yield self._states()
        yield self._evidence()
        yield self._thresholds()
        yield self._incidents()
        yield self._unacknowledged()
        yield from self._last_windows()

    def _problems(self) -> Iterator[Metric]:
        unreadable = sum(one.unreadable for one in self._failures)
        yield GaugeMetricFamily(
            "pitfalls_unreadable_configs", "Configs and stores that cannot be read.", value=unreadable
        )
        failing = GaugeMetricFamily(
            "pitfalls_failing_config", "1 for a config that cannot be read or run, by its name.", labels=["config"]
        )
        for name in sorted({one.config for one in self._failures}):
            failing.add_metric([name], 1.0)
        yield failing

    def _states(self) -> Metric:
        metric = GaugeMetricFamily(
            "pitfalls_deployment_state", "1 for the state that a deployment is in, else 0.", labels=[*LABELS, "state"]
        )
        for one in self._measured:
            for state in STATES:
                metric.add_metric([*one.labels, state], float(one.entry.standing.state == state))
        return metric

    def _evidence(self) -> Metric:
        metric = GaugeMetricFamily(
            "pitfalls_evidence", "Evidence of a level after the last window.", labels=[*LABELS, "level"]
        )
        for one in self._measured:
            if one.last is not None:
                logs = {"page": one.last.page_log_evidence, "notice": one.last.notice_log_evidence}
                for level in LEVELS:
                    metric.add_metric([*one.labels, level], finite_evidence(logs[level]))
        return metric

    def _thresholds(self) -> Metric:
        metric = GaugeMetricFamily(
            "pitfalls_evidence_threshold", "Evidence at which a level alarms.", labels=[*LABELS, "level"]
        )
        for one in self._measured:
            record = one.entry.summary.record
            metric.add_metric([*one.labels, "page"], record.page_threshold)
            metric.add_metric([*one.labels, "notice"], record.notice_threshold)
        return metric

    def _incidents(self) -> Metric:
        metric = GaugeMetricFamily(
            "pitfalls_open_incidents",
            "Incidents that are not closed, by level and state.",
            labels=[*LABELS, "level", "state"],
        )
        for one in self._measured:
            found = [(incident.level, incident.state) for incident in one.entry.summary.incidents]
            for level in LEVELS:
                for state in OPEN_STATES:
                    metric.add_metric([*one.labels, level, state], found.count((level, state)))
        return metric

    def _unacknowledged(self) -> Metric:
        metric = GaugeMetricFamily(
            "pitfalls_unacknowledged_page",
            "1 while a page is open that nobody has acknowledged or snoozed, else 0.",
            labels=LABELS,
        )
        for one in self._measured:
            how = one.entry.standing
            metric.add_metric(one.labels, float(how.state == "page" and not how.acknowledged))
        return metric

    def _last_windows(self) -> Iterator[Metric]:
        run = GaugeMetricFamily(
            "pitfalls_last_run_timestamp_seconds", "When the deployment was run last.", labels=LABELS
        )
        end = GaugeMetricFamily(
            "pitfalls_last_window_end_timestamp_seconds", "End of the last window that was judged.", labels=LABELS
        )
        rows = GaugeMetricFamily("pitfalls_last_window_rows", "Rows of the last window.", labels=LABELS)
        labels = GaugeMetricFamily(
            "pitfalls_last_window_labels", "Labels that arrived in the last window.", labels=LABELS
        )
        due = GaugeMetricFamily(
            "pitfalls_last_window_labels_due", "Rows of the last window, whose labels are due.", labels=LABELS
        )
        for one in self._measured:
            run.add_metric(one.labels, one.entry.summary.used_at.timestamp())
            if one.last is not None:
                end.add_metric(one.labels, one.last.end.timestamp())
                rows.add_metric(one.labels, one.last.rows)
                labels.add_metric(one.labels, one.last.labels)
                due.add_metric(one.labels, one.last.labels_due)
        yield from (run, end, rows, labels, due)
