"""The page on which windows of the traffic are made the new normal of a deployment, or the former baseline again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from monitoring.dashboard.view.words import name_of
from monitoring.errors import BadInput
from monitoring.records import IncidentRecord, Rebaseline
from monitoring.reports.sections.formatting import format_moment, format_window
from monitoring.store.overview import DeploymentSummary
from monitoring.timestamps import parse_moment
from monitoring.watches.cause_line import cause_line
from monitoring.watches.descriptions import printable

#: How a form writes a time, in the deployment's zone.
FORM: Final = "%Y-%m-%dT%H:%M"


@dataclass(frozen=True, slots=True, kw_only=True)
class RebaselineForm:
    """What a person has filled in, as text: `start` and `end` in the deployment's zone; `sure` is the tick."""

    start: str = ""
    end: str = ""
    reason: str = ""
    by: str = ""
    sure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RebaselineView:
    """Everything that the page shows.

    Attributes:
        refusal: Why it cannot be done here; empty where it can.
        problem: Why it was not done, in lines; empty where nothing was tried.
        done: What was done last, in sentences.
        closes: The open incidents, each with its title and when it was opened.
        timezone: The time zone of the form.
    """

    address: str
    parent: str
    name: str
    incident: int | None
    form: RebaselineForm
    refusal: str
    problem: tuple[str, ...]
    done: tuple[str, ...]
    closes: tuple[str, ...]
    standing: str
    timezone: str

    @property
    def back(self) -> str:
        """The path that it was opened from."""
        return self.parent if self.incident is None else f"{self.parent}/incidents/{self.incident}"


def rebaseline_view(
    summary: DeploymentSummary,
    parent: str,
    incident: IncidentRecord | None,
    changes: Sequence[Rebaseline],
    form: RebaselineForm,
) -> RebaselineView:
    """The page, before anything was tried.

    Args:
        changes: The changes of its baseline, in order.
        form: What the form has; times that are empty are filled in.
    """
    zone = ZoneInfo(summary.record.timezone)
    standing = [change for change in changes if change.undone_at is None]
    return RebaselineView(
        address=f"{parent}/rebaseline",
        parent=parent,
        name=printable(name_of(summary)),
        incident=None if incident is None else incident.number,
        form=_filled(form, summary, incident, zone),
        refusal="",
        problem=(),
        done=(),
        closes=tuple(
            f"#{incident.number} {cause_line(incident)}, opened {format_moment(incident.opened_at, zone)}"
            for incident in summary.incidents
        ),
        standing=_words(standing[-1], zone) if standing else "",
        timezone=printable(summary.record.timezone),
    )


def time_of(text: str, name: str, zone: ZoneInfo) -> datetime:
    """A time of the form.

    Raises:
        BadInput: It is none.

    >>> time_of("2026-03-01T06:30", "From", ZoneInfo("UTC")).isoformat()
    '2026-03-01T06:30:00+00:00'
    """
    try:
        return parse_moment(text, zone)
    except ValueError:
        raise BadInput(
            f"{name} is not a time.", got=printable(text) or "nothing", expected="YYYY-MM-DDTHH:MM", fix="Correct it."
        ) from None


def _filled(
    form: RebaselineForm, summary: DeploymentSummary, incident: IncidentRecord | None, zone: ZoneInfo
) -> RebaselineForm:
    """The form with the windows since the incident began, up to the last one judged."""
    if summary.last is None:
        return form
    first = summary.last[0] if incident is None else incident.window_start
    start, end = (f"{at.astimezone(zone):{FORM}}" for at in (first, summary.last[1]))
    return replace(form, start=form.start or start, end=form.end or end)


def _words(change: Rebaseline, zone: ZoneInfo) -> str:
    closed = f" It closed {', '.join(f'#{number}' for number in change.closed)}." if change.closed else ""
    return (
        f"Made of the windows {format_window(change.start, change.end, zone)} on {format_moment(change.at, zone)} by "
        f"{printable(change.by)}: {printable(change.reason, 300)} Windows from {format_moment(change.since, zone)} on "
        f"are judged against it.{closed}"
    )
