"""A deployment's state as one JSON document: what ``pitfalls monitor run --json`` prints."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby

from monitoring.records import (
    IncidentAction,
    IncidentRecord,
    MeasuredMetric,
    MonitorStatus,
    RealisedLosses,
    Rebaseline,
    SlicePart,
    Subgroup,
    WindowRecord,
)
from monitoring.reports.document_types import (
    ActionDocument,
    CoverageDocument,
    CycleDocument,
    DecompositionDocument,
    FindingDocument,
    IncidentDocument,
    MetricDocument,
    RebaselineDocument,
    SpanDocument,
    StatusDocument,
    SubgroupDocument,
    WindowDocument,
)
from monitoring.reports.sections.estimates import realised, settled_by_window, trust_rows
from monitoring.reports.sections.findings import finding_groups
from monitoring.reports.sections.formatting import finite_evidence
from monitoring.reports.sections.sensitivity import detectable
from monitoring.watches.label_delays import arrival_curve, merged_counts


def status_document(status: MonitorStatus, *, since: datetime | None = None) -> StatusDocument:
    """Convert a deployment's state to plain types that any JSON encoder takes.

    Args:
        status: The deployment's state.
        since: Only windows that end after that time are listed; None: all.

    Returns:
        The document: times as ISO 8601 ending in Z, every number finite.
    """
    settled, known = settled_by_window(status), {one.metric: one.value for one in status.measured}
    return {
        "model": status.model,
        "version": status.version,
        "timezone": status.timezone,
        "checked_at": iso(status.checked_at) if status.checked_at else None,
        "next_due_at": iso(status.next_due_at) if status.next_due_at else None,
        "budget": {
            "page": {"text": status.page_budget, "threshold": _finite(status.page_threshold)},
            "notice": {"text": status.notice_budget, "threshold": _finite(status.notice_threshold)},
        },
        "windows": [_window(one, settled, known) for one in status.windows if since is None or one.end > since],
        "incidents": [incident_document(incident) for incident in status.incidents],
        "sensitivity": [
            {
                "metric": entry.metric,
                "slice": entry.slice,
                "windows": entry.windows,
                "rise": entry.rise if entry.rise is not None and math.isfinite(entry.rise) else None,
            }
            for entry in detectable(status)
        ],
        "cycles": _cycles(status),
        "coverage": _coverage(status),
        "findings": _findings(status),
        "trust": [
            {
                "method": entry.method,
                "metric": entry.metric,
                "trusted": entry.trusted,
                "checks": entry.checks,
                "misses": entry.misses,
                "distrusted_since": iso(entry.since) if entry.since else None,
                "unchecked_since": iso(entry.unchecked_since) if entry.unchecked_since else None,
            }
            for entry in trust_rows(status)
        ],
        "rebaselines": [rebaseline_document(one) for one in status.rebaselines],
        "benchmark": [_metric(one) for one in status.measured],
        "columns": {name: {"unit": one.unit, "description": one.description} for name, one in status.columns.items()},
    }


def _findings(status: MonitorStatus) -> list[FindingDocument]:
    return [
        {
            "kind": group.kind,
            "feature": group.feature,
            "fact": group.fact,
            "windows": group.windows,
            "first": _span(group.first_start, group.first_end),
            "last": _span(group.last_start, group.last_end),
            "message": group.message,
        }
        for group in finding_groups(status)
    ]


def rebaseline_document(one: Rebaseline) -> RebaselineDocument:
    """Convert a new baseline made from traffic to plain types.

    Args:
        one: The change of the baseline.

    Returns:
        The document.
    """
    return {
        "at": iso(one.at),
        "by": one.by,
        "reason": one.reason,
        "window": _span(one.start, one.end),
        "since": iso(one.since),
        "closed": list(one.closed),
    }


def _cycles(status: MonitorStatus) -> list[CycleDocument]:
    return [
        {"level": one.level, "watch": one.watch, "slice": one.slice, "cycle": one.cycle, "gain": one.gain}
        for one in status.baseline
        if one.cycle
    ]


def _coverage(status: MonitorStatus) -> CoverageDocument:
    coverage = status.coverage
    return {
        "rows": coverage.rows,
        "repeats": coverage.repeats,
        "labels": coverage.labels,
        "labels_due": coverage.labels_due,
        "labels_unknown": coverage.labels_unknown,
        "labels_conflicting": coverage.labels_conflicting,
        "arrival": [
            {"within": edge, "share": share}
            for edge, share in arrival_curve(merged_counts(window.label_delays for window in status.windows))
        ],
        "windows": coverage.windows,
        "thin_windows": coverage.thin_windows,
        "answered": coverage.answered,
    }


def iso(moment: datetime) -> str:
    """Write a moment as ISO 8601 in UTC, with microseconds only where there are any.

    Args:
        moment: An aware time.

    Returns:
        Text that ends in Z.

    >>> iso(datetime(2013, 4, 23, 6, tzinfo=UTC))
    '2013-04-23T06:00:00Z'
    """
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _finite(number: float) -> float:
    """A finite number: the largest float instead of infinity, 0 instead of NaN."""
    if math.isnan(number):
        return 0.0
    return min(max(number, -1.7e308), 1.7e308)


def _span(start: datetime, end: datetime) -> SpanDocument:
    return {"start": iso(start), "end": iso(end)}


def _window(
    window: WindowRecord, settled: Mapping[datetime, RealisedLosses], known: Mapping[str, float]
) -> WindowDocument:
    return {
        "start": iso(window.start),
        "end": iso(window.end),
        "rows": window.rows,
        "labels": window.labels,
        "labels_due": window.labels_due,
        "repeats": window.repeats,
        "unseen": window.unseen,
        "status": window.status,
        "expected": window.expected,
        "evidence": {
            "page": finite_evidence(window.page_log_evidence),
            "notice": finite_evidence(window.notice_log_evidence),
        },
        "estimates": [
            {
                "method": one.method,
                "metric": one.metric,
                "estimate": one.value,
                "low": one.low,
                "high": one.high,
                "realised": realised(settled.get(window.start), one.metric),
                "labelled": settled[window.start].rows if window.start in settled else 0,
                "trusted": one.interval_checks.trusted,
                "confusion": [list(row) for row in one.confusion] or None,
                "effective_rows": one.effective,
                "outside": one.outside,
            }
            for one in window.estimates
        ],
        "metrics": [{**_metric(one), "benchmark": known.get(one.metric)} for one in window.measured],
    }


def _metric(one: MeasuredMetric) -> MetricDocument:
    return {"metric": one.metric, "rows": one.rows, "value": one.value, "low": one.low, "high": one.high}


def incident_document(incident: IncidentRecord) -> IncidentDocument:
    """Convert an incident to plain types that any JSON encoder takes."""
    detail = incident.detail
    return {
        "id": incident.number,
        "level": incident.level,
        "opened_at": iso(incident.opened_at),
        "acknowledged_at": iso(incident.acknowledged_at) if incident.acknowledged_at else None,
        "closed_at": iso(incident.closed_at) if incident.closed_at else None,
        "window": _span(incident.window_start, incident.window_end),
        "watch": incident.watch,
        "slice": incident.slice,
        "cause": incident.cause,
        "message": incident.message,
        "state": incident.state,
        "history": [{"at": iso(event.at), "state": event.state} for event in incident.history],
        "previous": incident.previous,
        "owner": incident.owner or None,
        "snoozed_until": iso(incident.snoozed_until) if incident.snoozed_until else None,
        "snoozed_until_worse": incident.snoozed_until_worse,
        "actions": [_action(action) for action in incident.actions],
        "split": None
        if detail.split is None
        else {
            "metric": detail.split.metric,
            "change": detail.split.change,
            "difficulty": detail.split.difficulty,
            "surprise": detail.split.surprise,
        },
        "decomposition": [
            _decomposition(list(parts))
            for _, parts in groupby(detail.parts, key=lambda part: (part.metric, part.column))
        ],
        "inputs": [
            {
                "input": one.input,
                "evidence": finite_evidence(one.log_evidence),
                "explained": one.explained,
                "change": one.change,
            }
            for one in detail.inputs
        ],
        "rows": [
            {"prediction_id": row.prediction_id, "event_time": iso(row.event_time), "score": row.score}
            for row in detail.rows
        ],
        "subgroup": None if detail.subgroup is None else _subgroup(detail.subgroup),
    }


def _subgroup(one: Subgroup) -> SubgroupDocument:
    return {
        "conditions": [{"input": each.input, "sign": each.sign, "value": each.value} for each in one.conditions],
        "watch": one.watch,
        "rows": one.rows,
        "rise": one.rise,
        "others": one.others,
        "p_value": one.p_value,
    }


def _action(action: IncidentAction) -> ActionDocument:
    return {
        "at": iso(action.at),
        "by": action.by,
        "kind": action.kind,
        "text": action.text,
        "until": iso(action.until) if action.until else None,
        "until_worse": action.until_worse,
    }


def _decomposition(parts: Sequence[SlicePart]) -> DecompositionDocument:
    return {
        "metric": parts[0].metric,
        "column": parts[0].column,
        "change": math.fsum(number for part in parts for number in (part.mix, part.loss)),
        "parts": [{"slice": part.slice, "mix": part.mix, "loss": part.loss} for part in parts],
    }
