"""What a monitor has found as tables for BI, notebooks and SQL: scores, windows, incidents."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from monitoring.evidence.budget import finite_evidence
from monitoring.records import BaselineScore, MeasuredMetric, MonitorStatus, ScoreRecord, WatchKey, WindowRecord
from monitoring.sentences.incident_text import incident_text

if TYPE_CHECKING:
    import pyarrow as pa

#: The tables, and what a row of each is.
TABLES: Final[Mapping[str, str]] = {
    "scores": "a watch in a window",
    "metrics": "a metric that is shown and not tested, in a window",
    "windows": "a window",
    "incidents": "an incident",
}


def results_table(status: MonitorStatus, table: str = "scores") -> pa.Table:
    """One of `TABLES`. Cost: some µs a row.

    >>> sorted(TABLES)
    ['incidents', 'metrics', 'scores', 'windows']
    """
    import pyarrow as pa  # noqa: PLC0415 - importing the room loads no library

    rows = {"scores": _scores, "metrics": _metrics, "windows": _windows, "incidents": _incidents}[table](status)
    named = [{"model": status.model, "version": status.version, **row} for row in rows]
    return pa.Table.from_pylist(named, schema=pa.schema(_columns(table)))


def _columns(table: str) -> list[tuple[str, pa.DataType]]:
    """The columns of a table, in order, with their types."""
    import pyarrow as pa  # noqa: PLC0415 - as above

    moment = pa.timestamp("us", "UTC")
    model = [("model", pa.string()), ("version", pa.int64())]
    window = [("window_start", moment), ("window_end", moment)]
    number, text = pa.float64(), pa.string()
    columns: dict[str, list[tuple[str, pa.DataType]]] = {
        "scores": [
            *model,
            *window,
            *((name, text) for name in ("level", "watch", "slice")),
            ("rows", pa.int64()),
            *((name, number) for name in ("value", "baseline", "deviation", "tolerance", "effect", "evidence")),
            ("threshold", number),
        ],
        "metrics": [
            *model,
            *window,
            ("metric", text),
            ("rows", pa.int64()),
            *((name, number) for name in ("value", "low", "high", "benchmark", "benchmark_low", "benchmark_high")),
        ],
        "windows": [
            *model,
            ("start", moment),
            ("end", moment),
            *((name, pa.int64()) for name in ("rows", "labels", "labels_due", "repeats", "unseen", "findings")),
            ("status", text),
            ("expected", text),
            ("evidence_page", number),
            ("evidence_notice", number),
            ("evidence_losses", number),
        ],
        "incidents": [
            *model,
            ("number", pa.int64()),
            *((name, text) for name in ("level", "state", "watch", "slice", "cause", "message", "next_step", "owner")),
            *((name, moment) for name in ("opened_at", "acknowledged_at", "closed_at", "window_start", "window_end")),
            ("previous", pa.int64()),
            ("consequence_of", pa.int64()),
            ("snoozed_until", moment),
            ("snoozed_until_worse", pa.bool_()),
        ],
    }
    return columns[table]


def _scores(status: MonitorStatus) -> list[dict[str, Any]]:
    baseline = {WatchKey(watch=score.watch, slice=score.slice): score for score in status.baseline}
    thresholds = {"page": status.page_threshold, "notice": status.notice_threshold}
    return [
        {
            **_span(window),
            "level": score.level,
            "watch": score.watch,
            "slice": score.slice,
            "rows": score.rows,
            "value": score.value,
            **_against(score, baseline.get(WatchKey(watch=score.watch, slice=score.slice))),
            "evidence": finite_evidence(score.log_evidence),
            "threshold": thresholds[score.level],
        }
        for window in status.windows
        for score in window.scores
    ]


def _against(score: ScoreRecord, baseline: BaselineScore | None) -> dict[str, float | None]:
    """The baseline of a score, and how far it lies from it."""
    if baseline is None:
        return {}
    spread = baseline.seasonal_deviation
    effect = None if score.value is None or not spread else (score.value - baseline.mean) / spread
    return {
        "baseline": baseline.mean,
        "deviation": baseline.deviation,
        "tolerance": baseline.tolerance,
        "effect": effect,
    }


def _metrics(status: MonitorStatus) -> list[dict[str, Any]]:
    benchmarks = {metric.metric: metric for metric in status.measured}
    return [
        {**_span(window), **asdict(metric), **_benchmark(benchmarks.get(metric.metric))}
        for window in status.windows
        for metric in window.measured
    ]


def _benchmark(benchmark: MeasuredMetric | None) -> dict[str, float]:
    if benchmark is None:
        return {}
    return {"benchmark": benchmark.value, "benchmark_low": benchmark.low, "benchmark_high": benchmark.high}


def _windows(status: MonitorStatus) -> list[dict[str, Any]]:
    return [
        {
            "start": window.start,
            "end": window.end,
            "rows": window.rows,
            "labels": window.labels,
            "labels_due": window.labels_due,
            "repeats": window.repeats,
            "unseen": window.unseen,
            "findings": len(window.findings),
            "status": window.status,
            "expected": window.expected,
            "evidence_page": finite_evidence(window.page_log_evidence),
            "evidence_notice": finite_evidence(window.notice_log_evidence),
            "evidence_losses": finite_evidence(window.loss_log_evidence),
        }
        for window in status.windows
    ]


def _incidents(status: MonitorStatus) -> list[dict[str, Any]]:
    names = ("number", "level", "state", "watch", "slice", "opened_at", "acknowledged_at")
    more = (
        "closed_at",
        "window_start",
        "window_end",
        "previous",
        "consequence_of",
        "snoozed_until",
        "snoozed_until_worse",
    )
    return [
        {
            **{name: getattr(incident, name) for name in (*names, *more)},
            "cause": said.cause,
            "message": said.message,
            "next_step": said.step or None,
            "owner": incident.owner or None,
        }
        for incident in status.incidents
        for said in (incident_text(incident),)
    ]


def _span(window: WindowRecord) -> dict[str, Any]:
    return {"window_start": window.start, "window_end": window.end}


Value: TypeAlias = str | int | float | datetime | None

#: With these a spreadsheet begins a formula.
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

#: Characters of a part, about.
_PART: Final = 1 << 16


def csv_lines(columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> Iterator[str]:
    """Rows as CSV with a header.

    Yields:
        Parts of the file, whose lines end with CR LF: times are in ISO 8601; a text that a spreadsheet would take for a
        formula begins with an apostrophe.
    """
    part = io.StringIO()
    writer = csv.writer(part)
    for row in chain([columns], rows):
        writer.writerow([_plain(value) for value in row])
        if part.tell() >= _PART:
            yield part.getvalue()
            part.seek(0)
            part.truncate()
    yield part.getvalue()


def _plain(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA) else value
    return repr(value)
