"""The verdict on a deployment in a few sentences: the top of every report."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from monitoring.records import IncidentRecord, MonitorStatus
from monitoring.records.incident_order import by_cause
from monitoring.reports.sections.formatting import format_count, format_moment, format_window, window_name
from monitoring.reports.sections.health import Health, health_of
from monitoring.reports.sections.incidents import pages_of
from monitoring.reports.sections.sensitivity import detectable_rise, unnoticed, unwatched_losses, watches_no_loss
from monitoring.sentences.incident_text import cause_line, incident_text
from monitoring.watches.descriptions import LONGEST_MESSAGE, printable


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """The sentences at the top of a report.

    Attributes:
        page: The page to look at first, or else the last one, and why it was raised; where there was none the open
            notice to look at first; empty without either.
        explanation: What else it said when it was opened, and how often it became worse; empty without one.
        detectable_rise: The smallest rise of each loss that would be detected, or why none would be; empty where it was
            not simulated.
    """

    model: str
    period: str
    health: Health
    verdict: str
    page: str
    explanation: str
    budget: str
    detectable_rise: str


def _explanation(page: IncidentRecord) -> str:
    """What an incident said when it was opened, after its headline; what it said later is in the list of incidents."""
    said = incident_text(page)
    opening = itertools.takewhile(lambda paragraph: paragraph.kind != "worse", said.paragraphs)
    later = len(page.diagnoses) - 1
    times = "once" if later == 1 else f"{later} times"
    worse = f"It became worse {times} since." if later > 0 else ""
    text = " ".join(filter(None, (*(paragraph.text for paragraph in opening), worse)))
    parts = (printable(text, LONGEST_MESSAGE), printable(said.next_step, LONGEST_MESSAGE))  # no text cuts the advice
    return " ".join(filter(None, parts))


def headline(status: MonitorStatus) -> Headline:
    """Summarise a deployment."""
    zone = ZoneInfo(status.timezone)
    pages, health = pages_of(status), health_of(status)
    told = pages or tuple(each for each in status.incidents if each.state != "closed")
    period = "no window is due yet"
    if status.windows:
        first, last = status.windows[0], status.windows[-1]
        period = format_window(first.start, last.end, zone) + f" ({printable(status.timezone)})"
    return Headline(
        model=f"{printable(status.model)} version {status.version}",
        period=period,
        health=health,
        verdict=_verdict(status, health),
        page=_first_told(told, status, zone) if told else "",
        explanation=_explanation(_leading(told, status)) if told else "",
        budget=(
            f"False-alarm budget: pages at most {printable(status.page_budget)}, notices at most "
            f"{printable(status.notice_budget)}, on average while nothing changes; for the whole deployment, whatever "
            "the number of inputs and slices watched and however often it is checked."
        ),
        detectable_rise=unwatched_losses(status) or detectable_rise(status.sensitivity),
    )


def _verdict(status: MonitorStatus, health: Health) -> str:
    pages, windows = pages_of(status), format_count(len(status.windows), "window")
    if not status.windows:
        return "No window judged yet"
    headline_states = {"page", "notice"} if health.state == "page" else {"page"}
    others = [reason for state, reason in health.against if state not in headline_states]
    if pages:
        return "; ".join((f"{format_count(len(pages), 'page')} in {windows}, {_life(status, pages)}", *others))
    scope = ""
    if watches_no_loss(status.baseline):
        has_answers = any(score.watch.startswith("prediction:") for score in status.baseline)
        scope = " by inputs and predictions alone (no loss is watched)" if has_answers else " by inputs alone"
    unseen = "" if unwatched_losses(status) else unnoticed(status.sensitivity, status.baseline)
    if health.healthy:
        return "; ".join(filter(None, (f"Healthy{scope}: no page in {windows}", unseen)))
    if health.state == "suspected":
        return "; ".join((f"Suspected harm: {others[0]}, in {windows}", *others[1:]))
    if health.state == "burn-in":
        return "; ".join((f"{others[0][:1].upper()}{others[0][1:]}: no gross failure in {windows}", *others[1:]))
    return f"No page{scope} in {windows}, but {'; '.join(filter(None, (*others, unseen)))}"


def _life(status: MonitorStatus, pages: tuple[IncidentRecord, ...]) -> str:
    """How many of the pages are open, worse or snoozed."""
    still_open = sum(1 for page in pages if page.state != "closed")
    if still_open == 0:
        life = "closed" if len(pages) == 1 else "all closed"
    elif still_open == len(pages):
        life = "still open" if len(pages) == 1 else "all still open"
    else:
        life = f"{still_open} still open"
    asked_at = status.asked_at
    counted = (
        (sum(page.state == "worse" for page in pages), "worse"),
        (0 if asked_at is None else sum(page.is_snoozed(asked_at) for page in pages), "snoozed"),
    )
    some = ", ".join(f"{count} {what}" for count, what in counted if count)
    return life + (f" ({some})" if some else "")


def _leading(incidents: Sequence[IncidentRecord], status: MonitorStatus) -> IncidentRecord:
    """The incident to look at first, or else the last one."""
    return by_cause(incidents, status.asked_at)[0]


def _first_told(incidents: Sequence[IncidentRecord], status: MonitorStatus, zone: ZoneInfo) -> str:
    told = _leading(incidents, status)
    judged = next((window for window in status.windows if window.start == told.window_start), None)
    window = format_window(told.window_start, told.window_end, zone) if judged is None else window_name(judged, zone)
    level = told.level.capitalize()
    which = f"{level} #{told.number}" if told.state != "closed" else f"Last {told.level}, #{told.number}"
    first = f"{which}, opened {format_moment(told.opened_at, zone)} for the window {window}: {cause_line(told)}."
    ordered = by_cause(incidents, status.asked_at)
    others = ", ".join(f"#{other.number}" for other in ordered if other.state != "closed" and other is not told)
    return f"{first} Open besides: {others}." if others else first
