"""The state of a deployment on a terminal, in eighty columns and readable without colour."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from monitoring.records import MonitorStatus, Rebaseline, VersionInUse
from monitoring.records.incident_order import by_cause
from monitoring.reports.sections.estimates import trust_summary
from monitoring.reports.sections.formatting import (
    MONTHS,
    format_count,
    format_evidence,
    format_moment,
    format_window,
    window_name,
)
from monitoring.reports.sections.headline import headline
from monitoring.reports.sections.incidents import counted_anew, pages_of, remarks
from monitoring.reports.sections.sensitivity import sensitivity_rows, unwatched_losses
from monitoring.reports.sections.tables import (
    FindingGroup,
    drill_sentence,
    finding_groups,
    label_delay_sentence,
    labels_by_output,
)
from monitoring.sentences.incident_text import cause_line
from monitoring.watches.descriptions import printable

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

#: Heights of a bar, from nothing to the threshold; an alarm has a mark of its own.
BARS = "▁▂▃▄▅▆▇"
ALARM = "█"

#: Begins the months' evidence.
_EVIDENCE = "How sure, by month      "

#: Months shown, the last ones.
MOST_MONTHS = 24

#: Incidents shown, the last ones.
MOST_INCIDENTS = 12

#: How the verdict is written, by the deployment's health.
_STYLES = {"page": "bold red", "fact": "bold red", "overdue": "bold red", "suspected": "bold yellow"}

#: Findings shown: facts first, then those of most windows.
MOST_FINDINGS = 6
LONGEST_FINDING = 240


def _other_version(other: VersionInUse) -> str:
    pages = format_count(other.open_pages, "open page") if other.open_pages else "no open page"
    return f"Version {other.version} answers traffic too: {pages}. --deployment {other.number} shows it."


def render(status: MonitorStatus) -> RenderableType:
    """Summarise a deployment for a terminal.

    Returns:
        What `rich.console.Console.print` takes; text out of the traffic is never read as markup or escape codes.
    """
    from rich.console import Group  # noqa: PLC0415  # only a terminal needs it
    from rich.text import Text  # noqa: PLC0415  # as above

    top = headline(status)
    parts: list[RenderableType] = [
        Text.assemble((top.model, "bold"), f"  {top.period}"),
        Text(top.verdict, style=_STYLES.get(top.health.state, "bold")),
    ]
    parts += [Text(_other_version(version)) for version in status.versions]
    if top.page:
        parts.append(Text(top.page))
        if top.explanation:
            parts.append(Text(top.explanation))
    parts.append(Text(top.budget, style="dim"))
    parts += [Text(_rebaseline(rebaseline, ZoneInfo(status.timezone))) for rebaseline in status.rebaselines[-1:]]
    if status.windows:
        parts += [Text(), _evidence(status)]
    if status.incidents:
        parts += [Text(), _incidents(status)]
    if any(window.findings for window in status.windows):
        parts += [Text(), _findings(status)]
    parts += [Text(), _sensitivity(status), *(Text(line) for line in trust_summary(status))]
    if status.drill is not None:
        parts += [Text(), Text(drill_sentence(status.drill, ZoneInfo(status.timezone)))]
    parts += [Text(), _coverage(status)]
    return Group(*parts)


def bar(log_evidence: float, threshold: float) -> str:
    """Draw evidence as the height of one character, on a log scale from 1 to the threshold.

    >>> "".join(bar(math.log(evidence), 365.0) for evidence in (0.5, 1, 10, 100, 364, 365))
    '▁▁▃▆▇█'
    """
    at = math.log(threshold)
    if log_evidence >= at:
        return ALARM
    return BARS[min(max(int(len(BARS) * log_evidence / at), 0), len(BARS) - 1)] if log_evidence > 0 else BARS[0]


def _evidence(status: MonitorStatus) -> Text:
    """How sure the monitor was of a harm in each month: the largest page evidence, over the months' first letters."""
    from rich.text import Text  # noqa: PLC0415  # as above

    zone = ZoneInfo(status.timezone)
    months: dict[tuple[int, int], float] = {}
    for window in status.windows:
        day = window.start.astimezone(zone)
        key = (day.year, day.month)
        months[key] = max(months.get(key, -math.inf), window.page_log_evidence)
    shown = list(months.items())[-MOST_MONTHS:]
    line = Text(_EVIDENCE)
    for _, log_evidence in shown:
        mark = bar(log_evidence, status.page_threshold)
        line.append(mark + " ", style="red" if mark == ALARM else "")
    line.append(
        f" {ALARM} threshold {status.page_threshold:,.0f}; latest "
        f"{format_evidence(status.windows[-1].page_log_evidence)}"
    )
    page_open = any(page.closed_at is None for page in pages_of(status))
    if counted_anew(status.windows[-1].page_log_evidence, status.page_threshold, page_open=page_open):
        line.append(", counted anew since the page")
    letters = " ".join(MONTHS[month - 1][0] for (_, month), _ in shown)
    line.append(f"\n{'':{len(_EVIDENCE)}}{letters}")
    return line


def _incidents(status: MonitorStatus) -> Table:
    from rich.text import Text  # noqa: PLC0415  # as above

    zone = ZoneInfo(status.timezone)
    left_out = len(status.incidents) - MOST_INCIDENTS
    title = "Incidents" + (f" (the first {MOST_INCIDENTS} of {len(status.incidents)})" if left_out > 0 else "")
    table = _table(title)
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("level", no_wrap=True)
    table.add_column("window", no_wrap=True)
    table.add_column("cause", ratio=1, overflow="fold")
    table.add_column("state", max_width=20)
    names = {window.start: window_name(window, zone) for window in status.windows}
    for incident in by_cause(status.incidents, status.asked_at)[:MOST_INCIDENTS]:
        closed = () if incident.closed_at is None else (format_moment(incident.closed_at, zone),)
        state = "\n".join((incident.state, *closed, *remarks(incident, status.asked_at, zone)))
        table.add_row(
            Text(f"{incident.number}"),
            Text(incident.level, style="bold red" if incident.level == "page" else "blue"),
            Text(names.get(incident.window_start) or format_window(incident.window_start, incident.window_end, zone)),
            Text(cause_line(incident)),
            Text(state),
        )
    return table


def _rebaseline(rebaseline: Rebaseline, zone: ZoneInfo) -> str:
    """Since when another baseline holds, and why."""
    return (
        f"Baseline: the traffic of {format_window(rebaseline.start, rebaseline.end, zone)}, since "
        f"{format_moment(rebaseline.since, zone)} "
        f"({printable(rebaseline.by)}: {printable(rebaseline.reason, LONGEST_FINDING)})"
    )


def _findings(status: MonitorStatus) -> Table:
    """Each kind of finding, and in how many windows it was; the message is that of the last of them."""
    from rich.text import Text  # noqa: PLC0415  # as above

    zone = ZoneInfo(status.timezone)
    groups = finding_groups(status)
    title = "Findings" + (f" ({MOST_FINDINGS} of {len(groups)} kinds)" if len(groups) > MOST_FINDINGS else "")
    table = _table(title)
    table.add_column("finding", ratio=1, overflow="fold")
    table.add_column("windows", justify="right", no_wrap=True)
    table.add_column("last", no_wrap=True)
    for group in groups[:MOST_FINDINGS]:
        table.add_row(
            Text(_finding(group), style="bold red" if group.fact else ""),
            Text(f"{group.windows:,}"),
            Text(format_window(group.last_start, group.last_end, zone)),
        )
    return table


def _finding(group: FindingGroup) -> str:
    """A finding's message, with the feature in front where the message does not name it."""
    message = printable(group.message, LONGEST_FINDING)
    feature = printable(group.feature)
    return message if feature in message else f"{feature}: {message}"


def _sensitivity(status: MonitorStatus) -> RenderableType:
    from rich.text import Text  # noqa: PLC0415  # as above

    unwatched = unwatched_losses(status)
    if unwatched:
        return Text(unwatched)
    sensitivity = sensitivity_rows(status.sensitivity)
    if not sensitivity.rows:
        return Text("The smallest detectable rise has not been simulated yet.")
    table = _table("Smallest rise detected in 9 of 10 simulations, by number of windows")
    table.add_column("rise of", ratio=1)
    for horizon in sensitivity.horizons:
        table.add_column(f"within {horizon}", justify="right", no_wrap=True)
    for name, cells in sensitivity.rows:
        table.add_row(Text(name), *(Text(cell) for cell in cells))
    return table


def _coverage(status: MonitorStatus) -> Text:
    from rich.text import Text  # noqa: PLC0415  # as above

    coverage = status.coverage
    parts = ", ".join(f"{printable(output)} {count:,}" for output, count in labels_by_output(status))
    by_output = f"By output: {parts}. " if parts else ""
    return Text(
        f"Coverage: {coverage.rows:,} of {coverage.answered:,} answered rows ({coverage.repeats:,} duplicates dropped) "
        f"in {format_count(coverage.windows, 'window')}, {coverage.thin_windows:,} of them with fewer rows than "
        f"min_rows (thin). Labels: {coverage.labels:,} of {coverage.labels_due:,} predictions, "
        f"{coverage.labels_unknown:,} for unknown predictions, {coverage.labels_conflicting:,} conflicting. "
        f"{by_output}{label_delay_sentence(status)}".rstrip()
    )


def _table(title: str) -> Table:
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415  # as above
    from rich.table import Table  # noqa: PLC0415  # as above

    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        expand=True,
        padding=(0, 1, 0, 0),
        show_edge=False,
    )
