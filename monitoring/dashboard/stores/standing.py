"""How a deployment stands: its state, and what happened in one plain sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeAlias, get_args
from zoneinfo import ZoneInfo

from monitoring.documents.deployment import StateName
from monitoring.records import IncidentRecord, Level, WindowClaims
from monitoring.records.incident_order import by_cause
from monitoring.reports.sections.formatting import format_count, format_moment, format_window
from monitoring.reports.sections.health import SUSPECTED_HARM, is_overdue
from monitoring.reports.sections.incidents import remarks
from monitoring.sentences.incident_text import cause_line
from monitoring.store.notifications import Undelivered
from monitoring.store.overview import DeploymentSummary
from monitoring.watches.descriptions import printable

State: TypeAlias = StateName

#: The start and the end of a window.
Span: TypeAlias = tuple[datetime, datetime]

#: The states, worst first, as a report has them: several may hold, and a deployment is listed by the worst.
STATES: Final[tuple[State, ...]] = get_args(State)

#: Where no window is due by the clock, a deployment is late when its last run is longer ago than so many of its
#: windows, and than this.
LATE_WINDOWS = 2
SHORTEST_LATE = timedelta(hours=1)

#: Before the first window the length of windows is not known: then so long.
FIRST_LATE = timedelta(days=2)

_SENTENCE = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a deployment stands. `incident`: the number of the incident to look at first; None if there is none."""

    state: State
    sentence: str
    incident: int | None = None
    acknowledged: bool = False
    snoozed: int = 0
    facts: tuple[State, ...] = ()
    also: tuple[str, ...] = ()


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


class Subject(Protocol):
    """A deployment, as far as it decides how it stands."""

    @property
    def incidents(self) -> Sequence[Attention]:
        """Its incidents that are not closed."""

    @property
    def last(self) -> Span | None:
        """The start and the end of its last window; None before the first."""

    @property
    def used_at(self) -> datetime:
        """When it was run last."""

    @property
    def next_due_at(self) -> datetime | None:
        """No window is due before; None where that is not known."""

    @property
    def failure(self) -> str:
        """The error of its last run; empty where it had none."""

    @property
    def suspected(self) -> bool:
        """Whether its last window suspects harm."""

    @property
    def claims(self) -> WindowClaims:
        """What its windows alone say against it."""

    @property
    def undelivered(self) -> Undelivered:
        """Its notifications that did not reach all who are to get them."""


def facts_of(subject: Subject, now: datetime, unread: str = "") -> tuple[State, ...]:
    """What holds of a deployment, worst first: each fact by itself, whatever else holds.

    Args:
        unread: Why its config or its store cannot be read; empty where they can.

    Returns:
        The facts; `ok` alone where there is none.
    """
    levels, claims = {incident.level for incident in subject.incidents}, subject.claims
    paged = "page" in levels
    holds: dict[State, bool] = {
        "page": paged,
        "failing": bool(subject.failure or unread),
        "late": is_late(subject, now),
        "undelivered": bool(subject.undelivered.total),
        "suspected": subject.suspected and not paged,
        "fact": bool(claims.fact) and not paged,
        "unlabelled": bool(claims.unlabelled),
        "burn-in": bool(claims.burn_in),
        "notice": "notice" in levels,
        "unknown": subject.last is None,
    }
    return tuple(state for state in STATES if holds.get(state, False)) or ("ok",)


def standing(subject: DeploymentSummary, now: datetime, unread: str = "") -> Standing:
    """Judge how a deployment stands. `unread`: why its config or its store cannot be read; empty where they can."""
    zone, incidents, facts = subject.zone, subject.incidents, facts_of(subject, now, unread)
    ordered = by_cause(incidents, now)
    pages = [incident for incident in ordered if incident.level == "page"]
    notices = [incident for incident in ordered if incident.level == "notice"]
    sentences: dict[State, str] = {}
    if pages:
        sentences["page"] = _page_sentence(pages, now, zone)
    if "failing" in facts:
        sentences["failing"] = unread or (
            f"The run of {format_moment(subject.used_at, zone)} failed: {printable(subject.failure, _SENTENCE)}"
        )
    if "late" in facts:
        sentences["late"] = _late_sentence(subject, zone)
    if "undelivered" in facts:
        sentences["undelivered"] = undelivered_sentence(subject.undelivered, zone)
    if notices:
        newest = notices[0]
        more = f", and {format_count(len(notices) - 1, 'other notice')}" if len(notices) > 1 else ""
        since = format_moment(newest.window_start, zone)
        sentences["notice"] = f"{cause_line(newest)[:_SENTENCE]}, window of {since}{more}."
    if subject.last is not None:
        judged = f"Judged up to {format_window(*subject.last, zone)}."
        sentences["suspected"] = f"{SUSPECTED_HARM} {judged}"
        sentences["fact"] = printable(subject.claims.fact, _SENTENCE)
        sentences["unlabelled"] = f"No loss is watched: {subject.claims.unlabelled}."
        burn_in = subject.claims.burn_in
        sentences["burn-in"] = f"{burn_in[:1].upper()}{burn_in[1:]}: nothing pages but facts."
        sentences["ok"] = f"No open incident. {judged}"
    else:
        sentences["unknown"] = "No window has been judged yet."
    first = next(iter(ordered), None)
    return Standing(
        state=facts[0],
        sentence=sentences[facts[0]],
        incident=first.number if first is not None and facts[0] == first.level else None,
        acknowledged=bool(pages) and all(is_seen(page, now) for page in pages),
        snoozed=sum(incident.is_snoozed(now) for incident in incidents),
        facts=facts,
        also=tuple(sentences[fact] for fact in facts[1:] if fact != "unknown"),
    )


def _late_sentence(subject: DeploymentSummary, zone: ZoneInfo) -> str:
    """Why nothing is judged: nobody runs it, or its runs find no traffic."""
    checked, due = subject.checked_at, subject.next_due_at or subject.used_at
    if checked is not None and checked > due:
        since = subject.used_at if subject.last is None else min(subject.last[1], due)
        return (
            f"No row has come since {format_moment(since, zone)}: the run of "
            f"{format_moment(checked, zone)} found no window to judge."
        )
    return f"The last run was on {format_moment(subject.used_at, zone)}: nothing has been judged since."


def undelivered_sentence(undelivered: Undelivered, zone: ZoneInfo) -> str:
    """What did not reach anybody, and what to do about it."""
    events = format_count(undelivered.total, "notification")
    since = "" if undelivered.since is None else f" since {format_moment(undelivered.since, zone)}"
    lost = f"; {undelivered.given_up} of them given up" if undelivered.given_up else ""
    return f"{events}{since} did not reach everybody{lost}. `pitfalls monitor notify retry` sends them again."


def is_late(subject: Subject, now: datetime) -> bool:
    """Whether a deployment has windows that should have been judged, or has not been run for longer than they are.

    Returns:
        True if a window is overdue, as the report says it; where none is due by the clock, if the last run is more than
        `LATE_WINDOWS` windows and `SHORTEST_LATE` ago, or `FIRST_LATE` where no window was ever judged.
    """
    if subject.last is None:
        return now - subject.used_at > FIRST_LATE
    length = subject.last[1] - subject.last[0]
    if subject.next_due_at is not None:
        return is_overdue(subject.next_due_at, length, now)
    return now - subject.used_at > max(LATE_WINDOWS * length, SHORTEST_LATE)


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
    return f"{cause_line(first)[:_SENTENCE]}, window of {since} ({state}{people}{more})."
