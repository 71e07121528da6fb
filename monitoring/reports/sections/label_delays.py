"""How long labels take, in words."""

from __future__ import annotations

from monitoring.records import MonitorStatus
from monitoring.reports.sections.formatting import format_duration
from monitoring.watches.label_delays import added, within

#: Windows with labels that count as the last ones.
LAST_WINDOWS = 30


def arrival_words(status: MonitorStatus) -> str:
    """How soon half of the labels came, and nine in ten; empty where none did, or each with its prediction."""
    counts = added(window.label_delays for window in status.windows)
    if sum(counts) == sum(counts[:1]):  # none, or each with its prediction
        return ""
    half, most = within(counts, 0.5), within(counts, 0.9)
    if half is None:
        return "Of the labels that came, most took longer than 90 days."
    rest = f", nine in ten within {format_duration(most)}" if most is not None else ""
    return f"Of the labels that came, half came within {format_duration(half)}{rest}."
