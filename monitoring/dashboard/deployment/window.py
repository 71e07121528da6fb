"""The page of one window: everything that was counted in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from monitoring.dashboard.stores.stores import StoredDeployment, existing
from monitoring.dashboard.view.charts import window_address
from monitoring.dashboard.view.table import Cell, TableView, cell
from monitoring.dashboard.view.words import name_of, zone_words
from monitoring.evidence.budget import finite_evidence
from monitoring.records import BaselineScore, MeasuredMetric, ScoreRecord, WindowRecord
from monitoring.reports.sections.estimates import METHODS
from monitoring.reports.sections.formatting import format_evidence, window_name
from monitoring.sentences.finding_text import finding_text
from monitoring.store.overview import DeploymentSummary
from monitoring.watches.descriptions import (
    LONGEST_MESSAGE,
    NOTHING,
    format_value,
    metric_title,
    printable,
    slice_title,
    watch_title,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowView:
    """Everything that the page of a window shows; `before` and `after` are the addresses of its neighbours."""

    address: str
    parent: str
    name: str
    title: str
    status: str
    counted: TableView
    findings: TableView
    scores: TableView
    metrics: TableView | None
    estimates: TableView | None
    before: str
    after: str
    timezone: str

    @property
    def key(self) -> str:
        """When the window begins, as addresses have it."""
        return self.address.rpartition("/")[2]

    @property
    def tables(self) -> tuple[TableView, ...]:
        """Every table of the page."""
        optional = (self.counted, self.findings, self.scores, self.metrics, self.estimates)
        return tuple(table for table in optional if table is not None)


def read_window(deployment: StoredDeployment, start: datetime) -> WindowView:
    """The view of the window that begins at a time. Raises BadInput if there is none."""
    store, number = deployment.store, deployment.number
    window = existing("window", store.windows.at(number, start), start.isoformat())
    before = store.windows.recent(number, latest=1, before=start)
    later = store.windows.recent(number, latest=2, before=window.end + (window.end - window.start))
    after = [other.start for other in later if other.start > start]
    return window_view(
        window,
        deployment.summary,
        store.deployments.baseline(number),
        deployment.address,
        (before[0].start if before else None, after[0] if after else None),
        store.deployments.measured(number),
    )


def window_view(
    window: WindowRecord,
    summary: DeploymentSummary,
    baseline: tuple[BaselineScore, ...],
    parent: str,
    neighbours: tuple[datetime | None, datetime | None] = (None, None),
    benchmark: tuple[MeasuredMetric, ...] = (),
) -> WindowView:
    """The page of a window."""
    zone = summary.zone
    before, after = ("" if start is None else window_address(start, parent) for start in neighbours)
    return WindowView(
        address=window_address(window.start, parent),
        parent=parent,
        name=printable(name_of(summary)),
        title=window_name(window, zone),
        status=window.status,
        counted=_counted(window, summary),
        findings=_findings(window),
        scores=score_table(window.scores, baseline),
        metrics=metric_table(window.measured, benchmark),
        estimates=_estimates(window),
        before=before,
        after=after,
        timezone=zone_words(summary),
    )


def score_table(scores: tuple[ScoreRecord, ...], baseline: tuple[BaselineScore, ...]) -> TableView:
    """Every score of a window, the largest evidence first within a level."""
    baseline_scores = {(score.level, score.watch, score.slice): score for score in baseline}
    ordered = sorted(scores, key=lambda score: (score.level != "page", -score.log_evidence, score.watch, score.slice))
    return TableView(
        name="scores",
        title="Scores",
        columns=("Watch", "Slice", "Level", "Rows", "Value", "Baseline", "Evidence"),
        rows=tuple(
            (
                cell(watch_title(score.watch), score.watch, style="text"),
                cell(slice_title(score.slice), score.slice),
                cell(score.level),
                cell(f"{score.rows:,}", score.rows),
                cell(format_value(score.watch, score.value), score.value),
                _baseline_cell(score, baseline_scores.get((score.level, score.watch, score.slice))),
                cell(format_evidence(score.log_evidence), finite_evidence(score.log_evidence)),
            )
            for score in ordered
        ),
        numeric=frozenset(range(3, 7)),
    )


def _baseline_cell(score: ScoreRecord, baseline: BaselineScore | None) -> Cell:
    if baseline is None:
        return cell(NOTHING, "")
    return cell(format_value(score.watch, baseline.mean), baseline.mean)


def metric_table(metrics: tuple[MeasuredMetric, ...], benchmark: tuple[MeasuredMetric, ...]) -> TableView | None:
    """The metrics that are shown of a window, beside those of the baseline; None without any."""
    if not metrics:
        return None
    benchmarks = {metric.metric: metric for metric in benchmark}
    return TableView(
        name="metrics",
        title="Metrics",
        columns=("Metric", "Rows", "Value", "Low", "High", "Benchmark"),
        rows=tuple(
            (
                cell(metric_title(metric.metric), metric.metric),
                cell(f"{metric.rows:,}", metric.rows),
                *(cell(format_value(metric.metric, value), value) for value in (metric.value, metric.low, metric.high)),
                _benchmark_cell(benchmarks.get(metric.metric)),
            )
            for metric in metrics
        ),
        numeric=frozenset(range(1, 6)),
        note="Shown, not tested: what is tested are the losses. With 95 % intervals, as if rows were independent; the "
        "benchmark is the mean over the baseline's windows.",
    )


def _benchmark_cell(benchmark: MeasuredMetric | None) -> Cell:
    if benchmark is None:
        return cell(NOTHING, "")
    return cell(format_value(benchmark.metric, benchmark.value), benchmark.value)


def _counted(window: WindowRecord, summary: DeploymentSummary) -> TableView:
    record = summary.record
    rows = (
        ("Rows", f"{window.rows:,}", window.rows),
        ("Rows answered but not seen", f"{window.unseen:,}", window.unseen),
        ("Duplicate rows, dropped", f"{window.repeats:,}", window.repeats),
        ("Labels", f"{window.labels:,}", window.labels),
        ("Labels due", f"{window.labels_due:,}", window.labels_due),
        ("Labels of unknown predictions", f"{window.labels_unknown:,}", window.labels_unknown),
        ("Labels that contradict an earlier one", f"{window.labels_conflicting:,}", window.labels_conflicting),
        (
            f"Page evidence (threshold {record.page_threshold:,.0f})",
            format_evidence(window.page_log_evidence),
            finite_evidence(window.page_log_evidence),
        ),
        (
            f"Notice evidence (threshold {record.notice_threshold:,.0f})",
            format_evidence(window.notice_log_evidence),
            finite_evidence(window.notice_log_evidence),
        ),
    )
    return TableView(
        name="counted",
        title="Counted",
        columns=("What", "Value"),
        rows=tuple((cell(name), cell(text, value)) for name, text, value in rows),
        numeric=frozenset({1}),
    )


def _findings(window: WindowRecord) -> TableView:
    return TableView(
        name="findings",
        title="Findings",
        columns=("Kind", "Feature", "Finding"),
        rows=tuple(
            (
                cell(
                    printable(finding.kind) + (" (pages)" if finding.fact else ""), style="page" if finding.fact else ""
                ),
                cell(printable(finding.feature), style="text"),
                cell(printable(finding_text(finding), LONGEST_MESSAGE), style="text"),
            )
            for finding in sorted(window.findings, key=lambda finding: not finding.fact)
        ),
    )


def _estimates(window: WindowRecord) -> TableView | None:
    if not window.estimates:
        return None
    return TableView(
        name="estimates",
        title="Losses estimated without labels",
        columns=("Metric", "Method", "Rows", "Estimate", "Low", "High", "Trusted"),
        rows=tuple(
            (
                cell(metric_title(estimate.metric), estimate.metric),
                cell(METHODS.get(estimate.method, estimate.method), estimate.method),
                cell(f"{estimate.rows:,}", estimate.rows),
                cell(format_value(estimate.metric, estimate.value), estimate.value),
                cell(format_value(estimate.metric, estimate.low), estimate.low),
                cell(format_value(estimate.metric, estimate.high), estimate.high),
                cell("yes" if estimate.interval_checks.trusted else "no"),
            )
            for estimate in window.estimates
        ),
        numeric=frozenset(range(2, 6)),
        note="With a 90 % interval.",
    )
