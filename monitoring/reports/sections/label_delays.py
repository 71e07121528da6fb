"""Label delays in a sentence."""

from __future__ import annotations

from monitoring.records import MonitorStatus
from monitoring.reports.sections.formatting import format_duration
from monitoring.watches.label_delays import delay_quantile, merged_counts

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
