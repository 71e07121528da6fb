"""Incidents in one line each."""

from __future__ import annotations

from monitoring.records import IncidentRecord, MonitorStatus
from monitoring.reports.sections.formatting import LONGEST_MESSAGE
from monitoring.watches.descriptions import printable, slice_title, watch_title


def pages_of(status: MonitorStatus) -> tuple[IncidentRecord, ...]:
    """The incidents that paged, in the order of their windows."""
    pages = [incident for incident in status.incidents if incident.level == "page"]
    return tuple(sorted(pages, key=lambda incident: (incident.window_start, incident.number)))


def cause_line(incident: IncidentRecord) -> str:
    """What an incident is about, in one line without a full stop.

    Args:
        incident: An incident of a watch, or of a fact about the schema.

    Returns:
        The watch, its slice and the cause; the cause alone where it names the watch itself.
    """
    cause = printable(incident.cause, LONGEST_MESSAGE).strip().rstrip(".")
    title = watch_title(incident.watch)
    if incident.watch == "schema":
        return f"{_capital(cause)}: {printable(incident.slice)}"
    if not cause:
        return f"{title} at {slice_title(incident.slice)}" if incident.slice else title
    if incident.watch == "joint" or cause.casefold().startswith(title.casefold()):
        return _capital(cause)
    where = f" at {slice_title(incident.slice)}" if incident.slice else ""
    return f"{title}{where}: {cause}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
