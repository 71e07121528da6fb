"""The last drill of a deployment, in a sentence and as rows."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from monitoring.records import DrillRecord
from monitoring.reports.sections.formatting import format_count, format_moment
from monitoring.watches.descriptions import LONGEST_MESSAGE, NOTHING, printable

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
