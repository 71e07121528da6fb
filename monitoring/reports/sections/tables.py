"""Every watch in one line: its baseline, its latest score, and its share of the evidence."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from monitoring.records import (
    BATCH,
    BaselineScore,
    DrillRecord,
    Finding,
    Level,
    MeasuredMetric,
    MonitorStatus,
    ScoreRecord,
)
from monitoring.reports.sections.formatting import format_count, format_duration, format_evidence, format_moment
from monitoring.sentences.finding_text import finding_text
from monitoring.tasks.output_names import split_output
from monitoring.watches.descriptions import (
    LONGEST_MESSAGE,
    NOTHING,
    format_amount,
    format_value,
    metric_title,
    printable,
    slice_title,
    watch_title,
)
from monitoring.watches.label_delays import delay_quantile, merged_counts
from monitoring.watches.measured.number_metrics import over_windows

#: What a cycle goes by.
CYCLES = {"day": "daily", "week": "weekly"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchRow:
    """`share` is the watch's share, in [0, 1], of the sum of its level's e-values after the latest window."""

    level: Level
    name: str
    slice: str
    baseline: str
    latest: str
    evidence: str
    share: float


def watch_rows(status: MonitorStatus) -> tuple[WatchRow, ...]:
    """Tabulate every watch of the baseline or of any window.

    The share is taken among the watches' own e-values, before the budget's weights.
    """
    latest: dict[tuple[Level, str, str], ScoreRecord] = {}
    valued: dict[tuple[Level, str, str], float] = {}
    for window in status.windows:
        for score in window.scores:
            key = (score.level, score.watch, score.slice)
            latest[key] = score
            if score.value is not None:
                valued[key] = score.value
    baseline = {(score.level, score.watch, score.slice): score for score in status.baseline}
    shares = _shares(latest)
    rows = []
    for key in dict.fromkeys([*baseline, *latest]):
        level, watch, part = key
        before = baseline.get(key)
        rows.append(
            WatchRow(
                level=level,
                name=watch_title(watch),
                slice=slice_title(part),
                baseline=_baseline(before) if before else NOTHING,
                latest=format_value(watch, valued.get(key)),
                evidence=format_evidence(latest[key].log_evidence) if key in latest else "0",
                share=shares.get(key, 0.0),
            )
        )
    return tuple(sorted(rows, key=lambda row: (row.level != "page", -row.share, row.name, row.slice)))


def _baseline(before: BaselineScore) -> str:
    """The baseline's mean and standard deviation, and the cycle that was removed."""
    text = f"{format_value(before.watch, before.mean)} ± {format_amount(before.watch, before.deviation)}"
    if not before.cycle:
        return text
    return f"{text} after removing the {CYCLES[before.cycle]} cycle (signal to noise {before.gain:.1f} times higher)"


def _shares(latest: dict[tuple[Level, str, str], ScoreRecord]) -> dict[tuple[Level, str, str], float]:
    shares: dict[tuple[Level, str, str], float] = {}
    for level in ("page", "notice"):
        logs = {key: score.log_evidence for key, score in latest.items() if key[0] == level}
        top = max(logs.values(), default=-math.inf)
        if top == -math.inf:
            continue
        parts = {key: math.exp(log - top) for key, log in logs.items()}
        total = math.fsum(parts.values())
        shares |= {key: part / total for key, part in parts.items()}
    return shares


#: What is shown of a drill's faults.
COLUMNS = ("Fault", "Should be", "Told", "Window", "Cause")


def drill_sentence(drill: DrillRecord, zone: ZoneInfo) -> str:
    """When a drill was, what it found, and what was told without a fault."""
    false = f"{format_count(drill.false_pages, 'page')} in {format_count(drill.clean_windows, 'window')}"
    return printable(f"Last drill, {format_moment(drill.at, zone)}: {drill.sentence} Without a fault: {false}.")


def drill_rows(drill: DrillRecord | None) -> tuple[tuple[str, ...], ...]:
    """The faults of a drill, a row of `COLUMNS` for each; none without a drill."""
    return tuple(
        (
            fault.title,
            f"a {fault.level}",
            f"{len(fault.detected)} of {len(fault.runs)}",
            NOTHING if fault.median_delay is None else str(fault.median_delay),
            printable(fault.cause, LONGEST_MESSAGE) if fault.cause else NOTHING,
        )
        for fault in (() if drill is None else drill.faults)
    )


#: Windows with labels that count as the last ones.
LAST_WINDOWS = 30


def label_delay_sentence(status: MonitorStatus) -> str:
    """The median and the 90 % quantile of label delays; empty where no label arrived, or each with its prediction."""
    counts = merged_counts(window.label_delays for window in status.windows)
    if sum(counts) == sum(counts[:1]):  # none, or each with its prediction
        return ""
    half, most = delay_quantile(counts, 0.5), delay_quantile(counts, 0.9)
    if half is None:
        return "Most labels took longer than 90 days."
    rest = f", 90 % within {format_duration(most)}" if most is not None else ""
    return f"Of the labels that arrived, half arrived within {format_duration(half)}{rest}."


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingGroup:
    """One kind of finding on one feature: the first and last window that had it, how many did, and the last message."""

    kind: str
    feature: str
    fact: bool
    windows: int
    first_start: datetime
    first_end: datetime
    last_start: datetime
    last_end: datetime
    message: str


def finding_groups(status: MonitorStatus) -> tuple[FindingGroup, ...]:
    """Group findings by kind and feature."""
    groups: dict[tuple[str, str], FindingGroup] = {}
    for window in status.windows:
        by_key: dict[tuple[str, str], Finding] = {}
        for finding in window.findings:
            if finding.kind == BATCH:
                continue  # the name of the window
            key = (finding.kind, finding.feature)
            fact = finding.fact or (key in by_key and by_key[key].fact)
            by_key[key] = replace(finding, fact=fact)
        for key, finding in by_key.items():
            before = groups.get(key)
            groups[key] = FindingGroup(
                kind=finding.kind,
                feature=finding.feature,
                fact=finding.fact or (before is not None and before.fact),
                windows=1 + (before.windows if before else 0),
                first_start=before.first_start if before else window.start,
                first_end=before.first_end if before else window.end,
                last_start=window.start,
                last_end=window.end,
                message=finding_text(finding),
            )
    return tuple(sorted(groups.values(), key=lambda group: (not group.fact, -group.windows, group.kind, group.feature)))


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRow:
    """One metric as text, each value with its 95 % interval."""

    name: str
    last: str
    whole: str
    benchmark: str


def metric_rows(status: MonitorStatus) -> tuple[MetricRow, ...]:
    """The metrics of a deployment; none before the first label."""
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
