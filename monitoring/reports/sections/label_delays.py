"""How long labels take, in words."""

from __future__ import annotations

from monitoring.records import MonitorStatus
from monitoring.reports.sections.formatting import format_duration
from monitoring.watches.label_delays import delay_quantile, merged_counts

#: Windows with labels that count as the last ones.
LAST_WINDOWS = 30


def arrival_words(status: MonitorStatus) -> str:
    """How soon half of the labels came, and nine in ten; empty where none did, or each with its prediction."""
    counts = merged_counts(window.label_delays for window in status.windows)
    if sum(counts) == sum(counts[:1]):  # none, or each with its prediction
        return ""
    half, most = delay_quantile(counts, 0.5), delay_quantile(counts, 0.9)
    if half is None:
        return "Of the labels that came, most took longer than 90 days."
    rest = f", nine in ten within {format_duration(most)}" if most is not None else ""
    return f"Of the labels that came, half came within {format_duration(half)}{rest}."
