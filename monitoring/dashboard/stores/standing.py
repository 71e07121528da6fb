"""How a deployment stands: its state, and what happened in one plain sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol, TypeAlias
from zoneinfo import ZoneInfo

from monitoring.records import IncidentRecord, Level
from monitoring.reports.sections.formatting import format_count, format_moment, format_window
from monitoring.reports.sections.health import SUSPECTED_HARM
from monitoring.reports.sections.incidents import cause_line, remarks
from monitoring.store.overview import DeploymentSummary
from monitoring.watches.descriptions import printable

State: TypeAlias = Literal["page", "failing", "late", "suspected", "notice", "unknown", "ok"]

#: The start and the end of a window.
Span: TypeAlias = tuple[datetime, datetime]

#: The states, worst first.
STATES: Final[tuple[State, ...]] = ("page", "failing", "late", "suspected", "notice", "unknown", "ok")

#: A deployment is late when its last run is longer ago than so many of its windows, and than this.
LATE_WINDOWS = 2
SHORTEST_LATE = timedelta(hours=1)

_SENTENCE = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a deployment stands.

    Attributes:
        state: The state.
        sentence: What happened, in one sentence.
        incident: The number of the incident to look at first; None if there is none.
        acknowledged: Whether each open page is acknowledged or snoozed.
        snoozed: How many open incidents are snoozed.
    """

    state: State
    sentence: str
    incident: int | None = None
    acknowledged: bool = False
    snoozed: int = 0


class Attention(Protocol):
    """An incident that is not closed, as far as it decides how its deployment stands."""

    @property
    def level(self) -> Level:
        """Its level."""

    @property
    def acknowledged_at(self) -> datetime | None:
        """When it was acknowledged."""

    def is_snoozed(self, now: datetime) -> bool:
        """Whether nobody wants to hear of it at a time."""


def state_of(
    incidents: Sequence[Attention],
    last: Span | None,
    used_at: datetime,
    now: datetime,
    *,
    failed: bool,
    suspected: bool,
) -> State:
    """The state of a deployment: the first of `STATES` that holds.

    Args:
        incidents: Its incidents that are not closed.
        last: The start and end of its last window; None before the first.
        used_at: When it was run last.
        now: The time.
        failed: Whether its last run failed.
        suspected: Whether harm was suspected in its last window.

    Returns:
        The state.
    """
    levels = {one.level for one in incidents}
    if "page" in levels:
        return "page"
    if failed:
        return "failing"
    if is_late(last, used_at, now):
        return "late"
    if last is None:
        return "unknown"
    if suspected:
        return "suspected"
    return "notice" if levels else "ok"


def standing(summary: DeploymentSummary, now: datetime) -> Standing:
    """Judge how a deployment stands.

    Args:
        summary: The deployment.
        now: The time.

    Returns:
        The standing.
    """
    incidents, last, used_at, zone = summary.incidents, summary.last, summary.used_at, summary.zone
    failed = bool(summary.failure)
    state = state_of(incidents, last, used_at, now, failed=failed, suspected=summary.suspected)
    pages = sorted((one for one in incidents if one.level == "page"), key=lambda page: _urgency(page, now))
    snoozed = sum(one.is_snoozed(now) for one in incidents)
    if pages:
        first = pages[0]
        return Standing(
            state=state,
            sentence=_page_sentence(pages, now, zone),
            incident=first.number,
            acknowledged=all(is_seen(page, now) for page in pages),
            snoozed=snoozed,
        )
    if state == "failing":
        since = f"The run of {format_moment(used_at, zone)} failed: {printable(summary.failure, _SENTENCE)}"
        return Standing(state=state, sentence=since, snoozed=snoozed)
    if state == "late":
        since = f"The last run was on {format_moment(used_at, zone)}: nothing has been judged since."
        return Standing(state=state, sentence=since, snoozed=snoozed)
    if last is None:
        return Standing(state=state, sentence="No window has been judged yet.", snoozed=snoozed)
    notices = [one for one in incidents if one.level == "notice"]
    window = format_window(*last, zone)
    if notices:
        newest = max(notices, key=lambda one: one.opened_at)
        more = f", and {format_count(len(notices) - 1, 'other notice')}" if len(notices) > 1 else ""
        return Standing(
            state=state,
            sentence=f"{'Suspected: ' if state == 'suspected' else ''}{cause_line(newest)[:_SENTENCE]} since "
            f"{format_moment(newest.window_start, zone)}{more}.",
            incident=newest.number,
            snoozed=snoozed,
        )
    what = SUSPECTED_HARM if state == "suspected" else "No open incident."
    return Standing(state=state, sentence=f"{what} Judged up to {window}.")


def is_late(last: Span | None, used_at: datetime, now: datetime) -> bool:
    """Whether a deployment has not been run for longer than its windows are.

    Args:
        last: The start and end of its last window; None before the first.
        used_at: When it was run last.
        now: The time.

    Returns:
        True if the last run is more than `LATE_WINDOWS` windows and `SHORTEST_LATE` ago.
    """
    if last is None:
        return False
    return now - used_at > max(LATE_WINDOWS * (last[1] - last[0]), SHORTEST_LATE)


def _urgency(page: IncidentRecord, now: datetime) -> tuple[bool, float]:
    """Pages that nobody has acknowledged or snoozed first, then the newest."""
    return is_seen(page, now), -page.opened_at.timestamp()


def is_seen(page: Attention, now: datetime) -> bool:
    """Whether a page is acknowledged or snoozed."""
    return page.acknowledged_at is not None or page.is_snoozed(now)


def _page_sentence(pages: list[IncidentRecord], now: datetime, zone: ZoneInfo) -> str:
    first = pages[0]
    since = format_moment(first.window_start, zone)
    state = {
        "open": "not acknowledged",
        "acknowledged": "acknowledged",
        "worse": "worse since, not acknowledged",
        "recovering": "recovering",
        "closed": "closed",
    }[first.state]
    people = "".join(f", {text}" for text in remarks(first, now, zone) if text != state)
    more = f"; {format_count(len(pages) - 1, 'other page')} open" if len(pages) > 1 else ""
    return f"{cause_line(first)[:_SENTENCE]}, since {since} ({state}{people}{more})."
