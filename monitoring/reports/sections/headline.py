"""What a deployment's state comes to, in a few sentences: the top of every report."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from monitoring.records import IncidentRecord, MonitorStatus, Sensitivity
from monitoring.reports.sections.formatting import LONGEST_MESSAGE, format_count, format_moment, format_window
from monitoring.watches.descriptions import METRIC_TITLES, format_change, printable, slice_title, watch_title


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """`model` and `period` say whose verdict it is; the first page's texts are empty while there was none."""

    model: str
    period: str
    healthy: bool
    verdict: str
    first_page: str
    explanation: str
    budget: str
    smallest_harm: str


def headline(status: MonitorStatus) -> Headline:
    """The verdict on `status` in words. Healthy means: windows were judged, and none of them paged."""
    zone = ZoneInfo(status.timezone)
    pages = pages_of(status)
    period = "no window is due yet"
    if status.windows:
        first, last = status.windows[0], status.windows[-1]
        period = format_window(first.start, last.end, zone) + f" ({printable(status.timezone)})"
    return Headline(
        model=f"{printable(status.model)} version {status.version}",
        period=period,
        healthy=not pages and bool(status.windows),
        verdict=_verdict(status, pages),
        first_page=_first_page(pages[0], zone) if pages else "",
        explanation=printable(pages[0].message, LONGEST_MESSAGE) if pages else "",
        budget=(
            f"Expected false pages: at most {printable(status.page_budget)}, and false notices at most "
            f"{printable(status.notice_budget)}, for the deployment as a whole: however many inputs and slices are "
            "watched, and however often anyone looks."
        ),
        smallest_harm=smallest_harm(status.sensitivity),
    )


def pages_of(status: MonitorStatus) -> tuple[IncidentRecord, ...]:
    """The incidents that paged, in the order of their windows."""
    pages = [incident for incident in status.incidents if incident.level == "page"]
    return tuple(sorted(pages, key=lambda incident: (incident.window_start, incident.number)))


def smallest_harm(sensitivity: tuple[Sensitivity, ...]) -> str:
    """The smallest rise of a loss on the whole traffic that would be caught within the middle horizon, in words."""
    whole = [entry for entry in sensitivity if not entry.slice]
    if not whole:
        return ""
    horizons = sorted({entry.windows for entry in whole})
    horizon = horizons[len(horizons) // 2]
    parts = []
    for entry in whole:
        if entry.windows == horizon:
            name = METRIC_TITLES.get(entry.metric, printable(entry.metric))
            rise = "no rise at all" if entry.rise is None else format_change(entry.metric, entry.rise)
            parts.append(f"{name} {rise}")
    return f"Smallest harm it would notice within {format_count(horizon, 'window')}: {', '.join(parts)}."


def _verdict(status: MonitorStatus, pages: tuple[IncidentRecord, ...]) -> str:
    windows = format_count(len(status.windows), "window")
    if not status.windows:
        return "Nothing judged yet"
    if not pages:
        blind = status.coverage.labels_due > 0 and not status.coverage.labels
        return f"Healthy{', as far as can be seen without labels' if blind else ''}: no page in {windows}"
    still_open = sum(1 for page in pages if page.state != "closed")
    if still_open == 0:
        life = "closed" if len(pages) == 1 else "all closed"
    elif still_open == len(pages):
        life = "still open" if len(pages) == 1 else "all still open"
    else:
        life = f"{still_open} still open"
    return f"{format_count(len(pages), 'page')} in {windows}, {life}"


def _first_page(page: IncidentRecord, zone: ZoneInfo) -> str:
    window = format_window(page.window_start, page.window_end, zone)
    where = f" on {slice_title(page.slice)}" if page.slice else ""
    opened = format_moment(page.opened_at, zone)
    cause = printable(page.cause, LONGEST_MESSAGE).strip().rstrip(".")
    said = f" {cause[0].upper()}{cause[1:]}." if cause else ""
    return f"First page on {opened}, for the window {window}: {watch_title(page.watch)}{where}.{said}"
