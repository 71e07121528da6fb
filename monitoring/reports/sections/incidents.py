"""Incidents in one line each."""

from __future__ import annotations

import math
from datetime import datetime
from zoneinfo import ZoneInfo

from monitoring.records import IncidentAction, IncidentRecord, MonitorStatus
from monitoring.reports.sections.formatting import format_moment
from monitoring.watches.descriptions import LONGEST_MESSAGE, printable


def pages_of(status: MonitorStatus) -> tuple[IncidentRecord, ...]:
    """The incidents that paged, in the order of their windows."""
    pages = [incident for incident in status.incidents if incident.level == "page"]
    return tuple(sorted(pages, key=lambda incident: (incident.window_start, incident.number)))


def counted_anew(log_evidence: float, threshold: float, *, page_open: bool) -> bool:
    """Whether evidence below its threshold stands beside an open page: since the page it is counted from the beginning.

    >>> counted_anew(math.log(0.02), 1825.0, page_open=True), counted_anew(math.log(0.02), 1825.0, page_open=False)
    (True, False)
    """
    return page_open and log_evidence < math.log(threshold)


def remarks(incident: IncidentRecord, now: datetime | None, zone: ZoneInfo) -> tuple[str, ...]:
    """What people have done with an incident, and whether it came back, in a few words each.

    Args:
        now: The time, aware; None where it is not known: then nothing is said of snoozes.
    """
    texts = []
    if incident.acknowledged_at is not None and incident.state == "recovering":
        texts.append("acknowledged")
    if now is not None and incident.is_snoozed(now):
        texts.append(snooze_text(incident.snoozed_until, zone, until_worse=incident.snoozed_until_worse))
    if incident.owner:
        texts.append(f"owner {printable(incident.owner)}")
    if incident.previous is not None:
        texts.append(f"came back, see #{incident.previous}")
    return tuple(texts)


def snooze_text(until: datetime | None, zone: ZoneInfo, *, until_worse: bool) -> str:
    """Until when an incident is snoozed.

    >>> from datetime import UTC
    >>> snooze_text(datetime(2013, 4, 22, 9, tzinfo=UTC), ZoneInfo("UTC"), until_worse=True)
    'snoozed until 22 Apr 2013 09:00 or worse'
    """
    if until is None:
        return "snoozed until worse"
    return f"snoozed until {format_moment(until, zone)}{' or worse' if until_worse else ''}"


#: What an action is called in a log.
_DONE = {
    "acknowledge": "acknowledged",
    "assign": "assigned",
    "note": "note",
    "close": "closed",
    "reopen": "reopened",
    "run": "ran",
}


def action_text(action: IncidentAction, zone: ZoneInfo) -> str:
    """What a person did with an incident, in a few words, without who and when."""
    text = printable(" ".join(action.text.splitlines()), LONGEST_MESSAGE)
    if action.kind == "assign":
        return f"assigned to {text}" if text else "assigned to nobody"
    if action.kind == "snooze":
        ended = action.until is not None and action.until <= action.at
        what = "snooze ended" if ended else snooze_text(action.until, zone, until_worse=action.until_worse)
    else:
        what = _DONE[action.kind]
    return f"{what}: {text}" if text else what
