"""Whether a deployment is healthy, and if not, all that stands against it: the claim at the top of every report."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise, takewhile
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from monitoring.records import (
    BURN_IN,
    HIGHEST_LOSS,
    NO_CLAIMS,
    BaselineScore,
    MonitorStatus,
    Sensitivity,
    WindowClaims,
    WindowRecord,
)
from monitoring.records.incident_order import fact_place
from monitoring.reports.sections.formatting import format_count, format_evidence, format_moment
from monitoring.reports.sections.incidents import pages_of
from monitoring.reports.sections.risen_losses import risen_losses
from monitoring.reports.sections.sensitivity import RECENT_WINDOWS, unwatched_losses_of, watches_no_loss
from monitoring.sentences.finding_text import finding_text
from monitoring.watches.descriptions import LONGEST_MESSAGE, lower_first, printable

HealthState: TypeAlias = Literal[
    "page",
    "failing",
    "overdue",
    "undelivered",
    "suspected",
    "fact",
    "unlabelled",
    "burn-in",
    "notice",
    "unknown",
    "healthy",
]

#: How long after it was due a window may be judged before it is overdue: a window's length, and an hour at least.
GRACE_WINDOWS = 1
GRACE = timedelta(hours=1)

#: Windows of rows and batches are due by no clock: one is overdue after so many times the longest gap between the last
#: windows, once so many gaps are known.
PACE_FACTOR, PACE_WINDOWS, FEWEST_GAPS = 2, 30, 2

#: The largest log evidence that is written.
LARGEST_SHOWN = 700.0

#: What "suspected" means.
SUSPECTED_HARM = "Suspected harm: losses may have become worse, and no page is open so far."


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What is said of a deployment.

    Attributes:
        against: Each state that holds with a clause of what is so, worst first; empty where it is healthy.
    """

    state: HealthState
    against: tuple[tuple[HealthState, str], ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether nothing stands against it."""
        return self.state == "healthy"


def health_of(status: MonitorStatus) -> Health:
    """Whether a deployment is healthy.

    Healthy is one that was judged lately, with labels that counted lately (or without any in its reference), without an
    open page or notice, whose last run did not fail and whose notifications arrived, without a level's evidence at its
    threshold, and without a fact in its last window.
    """
    claims = NO_CLAIMS
    if status.windows:
        claims = window_claims(status.windows, status.baseline, status.sensitivity)
    against: list[tuple[HealthState, str]] = [
        ("page", _open(status, "page")),
        ("failing", _failing(status)),
        ("overdue", overdue(status)),
        ("undelivered", _undelivered(status)),
        ("suspected", suspected(status)),
        ("fact", "" if _has_open_page(status) else lower_first(printable(claims.fact, LONGEST_MESSAGE)).rstrip(".")),
        ("unlabelled", claims.unlabelled),
        ("burn-in", claims.burn_in),
        ("notice", _open(status, "notice")),
        ("unknown", "" if status.windows else "no window was judged"),
    ]
    holding = tuple((state, reason) for state, reason in against if reason)
    return Health(state=holding[0][0] if holding else "healthy", against=holding)


def window_claims(
    windows: Sequence[WindowRecord], baseline: Sequence[BaselineScore], sensitivity: Sequence[Sensitivity]
) -> WindowClaims:
    """What the windows of a deployment alone say against it, after the last of them.

    Args:
        sensitivity: The smallest harms that are detected; empty where they are not known.
    """
    findings = windows[-1].findings
    facts = sorted((finding for finding in findings if finding.fact), key=lambda finding: fact_place(finding.kind))
    burn_in = next(
        (lower_first(finding.message.partition(":")[0]) for finding in findings if finding.kind == BURN_IN), ""
    )
    return WindowClaims(
        fact=finding_text(facts[0]) if facts else "",
        unlabelled="" if burn_in else _unlabelled(windows, baseline, sensitivity),
        burn_in=lower_first(burn_in.partition(":")[0]),
    )


def suspected(status: MonitorStatus) -> str:
    """What to say while a loss has risen beyond chance, or a notice says so, and no page is open.

    Returns:
        Which losses rose, since when, and how large the evidence has become; empty while no harm is suspected.
    """
    last = status.windows[-1] if status.windows else None
    if last is None or last.status != "suspected" or _has_open_page(status):
        return ""
    threshold = math.log(status.page_threshold)
    windows = list(takewhile(lambda window: window.status == "suspected", reversed(status.windows)))
    since = format_moment(windows[-1].start, ZoneInfo(status.timezone))
    largest = max(max(window.loss_log_evidence, window.page_log_evidence) for window in windows)
    high = next((finding_text(each) for window in windows for each in window.findings if each.kind == HIGHEST_LOSS), "")
    if high and largest < threshold:
        return f"one window is worse than all before, since {since}: {high.rstrip('.')}"
    what = "" if largest >= threshold else ", by a notice"
    return (
        f"{risen_losses(windows, status.baseline)} since {since}{what} (largest evidence for a page "
        f"{format_evidence(min(largest, LARGEST_SHOWN))}, threshold {status.page_threshold:,.0f}), and no page is open"
    )


def overdue(status: MonitorStatus) -> str:
    """What to say of windows that should have been judged by now.

    Returns:
        That there is no traffic, or that the monitor has not run; empty while all is in time, or the time is not known.
    """
    due, asked_at, checked = status.next_due_at, status.asked_at, status.checked_at
    due = due or expected_by_pace([window.start for window in status.windows])
    if due is None or asked_at is None or checked is None or not status.windows:
        return ""
    last = status.windows[-1]
    if not is_overdue(due, last.end - last.start, asked_at):
        return ""
    zone = ZoneInfo(status.timezone)
    if checked < due:
        return f"the monitor has not run since {format_moment(checked, zone)}"
    with_rows = [window.end for window in status.windows if window.rows or window.repeats]
    return f"no traffic since {format_moment(with_rows[-1] if with_rows else status.windows[0].start, zone)}"


def is_overdue(due: datetime, length: timedelta, now: datetime) -> bool:
    """Whether a window should have been judged by now: it was due longer ago than it lasts, and than an hour."""
    return now >= due + max(GRACE_WINDOWS * length, GRACE)


def expected_by_pace(starts: Sequence[datetime]) -> datetime | None:
    """When a further window should have come where none is due by the clock, as windows of rows and batches.

    >>> from datetime import UTC
    >>> day = [datetime(2026, 1, number, tzinfo=UTC) for number in (1, 2, 4)]
    >>> expected_by_pace(day).day, expected_by_pace(day[:2])
    (8, None)

    Returns:
        Twice the longest gap of late after the last; None before there are `FEWEST_GAPS` gaps of more than `GRACE`.
    """
    recent = starts[-PACE_WINDOWS:]
    gaps = [gap for gap in (after - before for before, after in pairwise(recent)) if gap > GRACE]
    return recent[-1] + PACE_FACTOR * max(gaps) if len(gaps) >= FEWEST_GAPS else None


def _open(status: MonitorStatus, level: str) -> str:
    count = sum(incident.level == level and incident.state != "closed" for incident in status.incidents)
    return f"{format_count(count, f'open {level}')}" if count else ""


def _failing(status: MonitorStatus) -> str:
    return f"the last run failed: {printable(status.failure, LONGEST_MESSAGE)}" if status.failure else ""


def _undelivered(status: MonitorStatus) -> str:
    events = format_count(status.undelivered, "notification")
    return f"{events} did not reach everybody (`pitfalls monitor notify list`)" if status.undelivered else ""


def _has_open_page(status: MonitorStatus) -> bool:
    return any(page.state != "closed" for page in pages_of(status))


def _unlabelled(
    windows: Sequence[WindowRecord], baseline: Sequence[BaselineScore], sensitivity: Sequence[Sensitivity]
) -> str:
    """That labels were due and none counted lately, where the reference has losses to compare with."""
    if watches_no_loss(baseline):
        return ""
    recent = windows[-RECENT_WINDOWS:]
    if any(window.labels_due for window in recent) and not any(window.labels for window in recent):
        lately = f" in the last {RECENT_WINDOWS} windows" if len(windows) > RECENT_WINDOWS else ""
        unknown = sum(window.labels_unknown for window in recent)
        every = "the only label is" if unknown == 1 else f"all {unknown:,} labels are"
        return f"{every} of no known prediction{lately}" if unknown else f"no label has arrived{lately}"
    return "no label has counted lately" if unwatched_losses_of(windows, baseline, sensitivity) else ""
