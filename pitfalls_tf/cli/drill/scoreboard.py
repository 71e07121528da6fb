"""A drill's results on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from monitoring.documents.drill import AS_LOGGED
from monitoring.reports.sections.formatting import format_count
from monitoring.watches.descriptions import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from monitoring.records import DrillRecord, FaultResult


def scoreboard(drill: DrillRecord) -> RenderableType:
    """A table of a drill's faults, with what the windows without a fault had to say."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("fault", "detected", "window", "named", "cause"):  # where there is no room, the cause is cut
        right = name in ("window", "named")
        table.add_column(name, justify="right" if right else "left", no_wrap=name != "cause")
    for fault in drill.faults:
        *cells, cause = _cells(fault)
        table.add_row(*map(Text, cells), Text(cause, no_wrap=True, overflow="ellipsis"))
    lines = [_about(drill), AS_LOGGED, *(f"Left out: {fault.title}; it {fault.reason}." for fault in drill.unfit)]
    missed = [fault for fault in drill.faults if fault.outcome == "missed"]
    small = [fault.title for fault in drill.faults if fault.outcome == "too small"]
    if small:
        lines.append(f"Smaller than what is detected within {drill.windows} windows: {', '.join(small)}.")
    lines += [f"Missed: {fault.title}{f' ({fault.nearest})' if fault.nearest else ''}." for fault in missed]
    lines += [] if missed else ["Nothing was missed."]
    return Group(table, Text(), *map(Text, lines))


def _cells(fault: FaultResult) -> tuple[str, ...]:
    detected, runs = len(fault.detected), len(fault.runs)
    mark = {"detected": "", "missed": ", missed", "too small": ""}[fault.outcome]
    delay = "" if fault.median_delay is None else str(fault.median_delay)
    named = f"{fault.named_rightly}/{detected}" if detected else ""
    lower = f"a notice in {fault.noticed} of {runs}" if fault.noticed else ""
    return fault.title, f"{fault.level} {detected}/{runs}{mark}", delay, named, printable(fault.cause or lower)


def _about(drill: DrillRecord) -> str:
    span = " to ".join(f"{at:%Y-%m-%d}" for at in drill.span or ()) or "without dates"
    source = "clean windows of the traffic" if drill.source == "traffic" else "windows of the reference"
    false = f"{format_count(drill.false_pages, 'page')} and {format_count(drill.false_notices, 'notice')}"
    drawn = f"{format_count(drill.replicates, 'replicate')}, drawn from {drill.source_windows} {source} ({span})"
    return (
        f"{drawn}; {drill.lead} windows before each fault, at most {drill.windows} with it. Without a fault: {false} "
        f"in {drill.clean_windows:,} windows. Window: in which one with the fault it was detected, the median. Named: "
        "how often the faulty input was named first, or none if none is."
    )
