"""Words that several views say in the same way: names, times ago, label coverage, and the first step of an incident."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from monitoring.records import WindowRecord
from monitoring.sentences.incident_text import IncidentText
from monitoring.store.overview import DeploymentSummary
from monitoring.watches.descriptions import printable


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number of the page's top: what it is, its text, and a smaller text beside it."""

    title: str
    text: str
    beside: str = ""
    alarm: bool = False


def name_of(summary: DeploymentSummary) -> str:
    """The name of a deployment."""
    return summary.record.called


def zone_words(summary: DeploymentSummary) -> str:
    """In which time zone a page of a deployment has its times, and whose that is where it is not the deployment's."""
    zone = printable(summary.record.timezone)
    return zone if summary.shown_in in ("", zone) else f"{summary.shown_in}, yours; the deployment's is {zone}"


def coverage(windows: Sequence[WindowRecord]) -> float | None:
    """Labels that arrived as a share of those due, at most 1 as labels of earlier rows come too; None: none was due."""
    due = sum(window.labels_due for window in windows)
    return min(sum(window.labels for window in windows) / due, 1.0) if due else None


def next_step(said: IncidentText) -> str:
    """What to do first; empty where it is not known."""
    step = printable(said.step, 500).strip()
    return step[:1].upper() + step[1:]


def ago(length: timedelta) -> str:
    """How long ago something was.

    >>> ago(timedelta(seconds=20)), ago(timedelta(minutes=61)), ago(timedelta(days=12))
    ('just now', '1 h ago', '12 d ago')
    """
    seconds = int(length.total_seconds())
    if seconds < 60:
        return "just now"
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= unit:
            return f"{seconds // unit:,} {name} ago"
    return "just now"
