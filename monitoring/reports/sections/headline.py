"""The verdict on a deployment in a few sentences: the top of every report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from monitoring.records import BURN_IN, WORSE_SINCE, IncidentRecord, MonitorStatus, Sensitivity
from monitoring.reports.sections.formatting import LONGEST_MESSAGE, format_count, format_moment, format_window
from monitoring.reports.sections.incidents import cause_line, pages_of
from monitoring.reports.sections.sensitivity import unwatched_losses, watches_no_loss
from monitoring.watches.descriptions import format_change, lower_first, metric_title, printable

#: How long after it was due a window may be judged before it is overdue: a window's length, and an hour at least.
GRACE_WINDOWS = 1
GRACE = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """The sentences at the top of a report.

    Attributes:
        model: The model and its version.
        period: The span of the judged windows.
        healthy: Whether windows were judged, none is overdue, and no page is open.
        verdict: The verdict.
        first_page: When and why the first page was raised; empty while there was none.
        explanation: What the first page said when it was opened, and how often it became worse; empty without one.
        budget: The budget of false alarms.
        detectable_rise: The smallest rise of each loss that would be detected, or why none would be; empty where it was
            not simulated.
    """

    model: str
    period: str
    healthy: bool
    verdict: str
    first_page: str
    explanation: str
    budget: str
    detectable_rise: str


def _explanation(message: str) -> str:
    """The message of an incident as it was opened; what it said later is in the list of incidents.

    Returns:
        The message, how often the incident became worse, and the next step that the last part names.

    >>> _explanation("It rose. Worse since: it rose more. Worse since: and more. Next step: roll back.")
    'It rose. It became worse 2 times since. Next step: roll back.'
    """
    first, *later = message.split(WORSE_SINCE)
    text = printable(first, LONGEST_MESSAGE)
    times = "once" if len(later) == 1 else f"{len(later)} times"
    if not later:
        return text
    _, named, step = later[-1].rpartition(" Next step: ")
    return f"{text} It became worse {times} since.{named}{printable(step, LONGEST_MESSAGE) if named else ''}"


def headline(status: MonitorStatus) -> Headline:
    """Summarise a deployment.

    Args:
        status: The deployment's state.

    Returns:
        Plain text; whatever came out of the traffic is printable.
    """
    zone = ZoneInfo(status.timezone)
    pages = pages_of(status)
    period = "no window is due yet"
    if status.windows:
        first, last = status.windows[0], status.windows[-1]
        period = format_window(first.start, last.end, zone) + f" ({printable(status.timezone)})"
    return Headline(
        model=f"{printable(status.model)} version {status.version}",
        period=period,
        healthy=bool(status.windows) and not any(page.state != "closed" for page in pages) and not overdue(status),
        verdict=_verdict(status, pages),
        first_page=_first_page(pages[0], zone) if pages else "",
        explanation=_explanation(pages[0].message) if pages else "",
        budget=(
            f"False-alarm budget: pages at most {printable(status.page_budget)}, notices at most "
            f"{printable(status.notice_budget)}, on average while nothing changes; for the whole deployment, whatever "
            "the number of inputs and slices watched and however often it is checked."
        ),
        detectable_rise=unwatched_losses(status) or detectable_rise(status.sensitivity),
    )


def detectable_rise(sensitivity: tuple[Sensitivity, ...]) -> str:
    """The smallest rise of each loss on the whole traffic that is detected within the middle horizon.

    Args:
        sensitivity: What was simulated.

    Returns:
        A sentence; empty where nothing was simulated for the whole traffic.
    """
    whole = [entry for entry in sensitivity if not entry.slice]
    if not whole:
        return ""
    horizons = sorted({entry.windows for entry in whole})
    horizon = horizons[len(horizons) // 2]
    rises = [
        f"{lower_first(metric_title(entry.metric))} "
        + ("no rise" if entry.rise is None else format_change(entry.metric, entry.rise))
        for entry in whole
        if entry.windows == horizon
    ]
    return f"Smallest rise detected within {format_count(horizon, 'window')}: {', '.join(rises)}."


def overdue(status: MonitorStatus) -> str:
    """What to say of windows that should have been judged by now.

    Args:
        status: The deployment's state.

    Returns:
        That there is no traffic, or that the monitor has not run; empty while all is in time, or the time is not known.
    """
    due, asked, checked = status.next_due_at, status.asked_at, status.checked_at
    if due is None or asked is None or checked is None or not status.windows:
        return ""
    last = status.windows[-1]
    grace = max(GRACE_WINDOWS * (last.end - last.start), GRACE)
    if asked < due + grace:
        return ""
    zone = ZoneInfo(status.timezone)
    if checked < due:
        return f"the monitor has not run since {format_moment(checked, zone)}"
    return f"no traffic since {format_moment(last.end, zone)}"


def _verdict(status: MonitorStatus, pages: tuple[IncidentRecord, ...]) -> str:
    windows = format_count(len(status.windows), "window")
    if not status.windows:
        return "No window judged yet"
    if not pages:
        unlabelled = status.coverage.labels_due > 0 and not status.coverage.labels
        scope = " by inputs and predictions alone (no label has arrived)" if unlabelled else ""
        if watches_no_loss(status):
            has_answers = any(score.watch.startswith("prediction:") for score in status.baseline)
            scope = " by inputs and predictions alone (no loss is watched)" if has_answers else " by inputs alone"
        late = overdue(status)
        burn_in = next((one for one in status.windows[-1].findings if one.kind == BURN_IN), None)
        if burn_in is not None:
            return f"{burn_in.message.partition(':')[0]}: no gross failure in {windows}" + (
                f", but {late}" if late else ""
            )
        return f"No page{scope} in {windows}, but {late}" if late else f"Healthy{scope}: no page in {windows}"
    still_open = sum(1 for page in pages if page.state != "closed")
    if still_open == 0:
        life = "closed" if len(pages) == 1 else "all closed"
    elif still_open == len(pages):
        life = "still open" if len(pages) == 1 else "all still open"
    else:
        life = f"{still_open} still open"
    asked = status.asked_at
    counted = (
        (sum(page.state == "worse" for page in pages), "worse"),
        (0 if asked is None else sum(page.is_snoozed(asked) for page in pages), "snoozed"),
    )
    some = ", ".join(f"{count} {what}" for count, what in counted if count)
    late = f"; {overdue(status)}" if overdue(status) else ""
    return f"{format_count(len(pages), 'page')} in {windows}, {life}" + (f" ({some})" if some else "") + late


def _first_page(page: IncidentRecord, zone: ZoneInfo) -> str:
    window = format_window(page.window_start, page.window_end, zone)
    return f"First page on {format_moment(page.opened_at, zone)}, for the window {window}. {cause_line(page)}."
