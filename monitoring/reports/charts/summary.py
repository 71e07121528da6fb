"""One figure of a deployment for a README: benchmark, losses, evidence, and the pages raised."""

from __future__ import annotations

import math
import textwrap
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from monitoring.atomic import write_bytes
from monitoring.records import IncidentRecord, MonitorStatus
from monitoring.reports.charts.evidence import LOWEST_DECADE, decades
from monitoring.reports.charts.losses import points
from monitoring.reports.sections.benchmark import Benchmark, benchmark_interval
from monitoring.reports.sections.formatting import format_date
from monitoring.reports.sections.headline import headline
from monitoring.reports.sections.incidents import pages_of
from monitoring.reports.sections.months import LOSSES, loss_series, metrics_of, whole_series
from monitoring.sentences.incident_text import cause_line
from monitoring.watches.descriptions import format_value, is_share, metric_title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

INK, MUTED, LINE = "#1b2027", "#59626d", "#d9dcdf"
BASELINE, BAND = "#6c7a89", "#e4e7ea"
PAGE, PAGE_BAND, NOTICE = "#bf3415", "#f7e3de", "#2a66a8"

#: Inches and dots per inch: 1400 x 800 pixels.
SIZE, DOTS = (14.0, 8.0), 100

#: Around and between the two axes, in inches and as a share.
PADDING: dict[str, Any] = {"h_pad": 0.14, "w_pad": 0.16, "hspace": 0.03}

#: Bytes: the picture goes into a repository.
LARGEST = 140_000

#: Steps of a colour's 256 shades that are tried in turn, all divisors of 255 so that white stays white.
SHADES = (3, 5, 15, 17)

#: Characters in a line of the first page's cause.
CAUSE_WIDTH = 62

STYLE: dict[Any, Any] = {
    "font.family": ["DejaVu Sans"],
    "font.size": 13,
    "text.parse_math": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": LINE,
    "axes.labelcolor": MUTED,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": "#eceef0",
    "axes.axisbelow": True,
}


def write_picture(status: MonitorStatus, *, path: Path, benchmark: Benchmark | None = None) -> None:
    """Write a PNG of 1400 x 800 pixels, under 150 KB: loss against the benchmark above, evidence below.

    The loss is the Brier score, or the error rate where only that was scored. No display is needed; the same
    `status` gives the same picture. Cost: about a second, most of it matplotlib's import.
    """
    import matplotlib as mpl  # noqa: PLC0415  # takes a second, and only the picture needs it

    path.parent.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(STYLE):
        stream = BytesIO()
        draw_figure(status, benchmark).savefig(stream, format="rgba")
    wide, high = (int(inches * DOTS) for inches in SIZE)
    picture = _png(np.frombuffer(stream.getvalue(), np.uint8).reshape(high, wide, 4)[..., :3])
    write_bytes(path, picture, durable=False)


def draw_figure(status: MonitorStatus, benchmark: Benchmark | None = None) -> Figure:
    """The same picture as a matplotlib figure, which a notebook shows."""
    import matplotlib as mpl  # noqa: PLC0415  # takes a second, and only the picture needs it
    from matplotlib.figure import Figure  # noqa: PLC0415  # with matplotlib
    from matplotlib.layout_engine import ConstrainedLayoutEngine  # noqa: PLC0415  # with matplotlib

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=SIZE, dpi=DOTS, layout=ConstrainedLayoutEngine(**PADDING), facecolor="white")
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[1.15, 1.0])
        top = headline(status)
        figure.suptitle(f"{top.model}: {_lower(top.verdict)}", x=0.012, ha="left", fontsize=19, fontweight="bold")
        _draw_loss(upper, status, benchmark)
        _draw_evidence(lower, status)
    return figure


def _png(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG that keeps to `LARGEST`, in as many shades as that allows; `pixels` is uint8 [height, width, 3]."""
    from matplotlib.image import imsave  # noqa: PLC0415  # with matplotlib

    picture = b""
    for step in SHADES:
        stream = BytesIO()
        shades = (np.round(pixels / step) * step).astype(np.uint8)
        imsave(stream, shades, format="png", metadata={"Software": ""}, pil_kwargs={"optimize": True})
        picture = stream.getvalue()
        if len(picture) <= LARGEST:
            break
    return picture


def _lower(verdict: str) -> str:
    return verdict[0].lower() + verdict[1:]


def _draw_loss(axes: Axes, status: MonitorStatus, benchmark: Benchmark | None) -> None:
    zone = ZoneInfo(status.timezone)
    every = loss_series(status)
    metric = next((name for name in metrics_of(every) if whole_series(every, name) is not None), LOSSES[0])
    series = whole_series(every, metric)
    each = "day" if _daily(status) else "window"
    axes.set_title(
        f"{metric_title(metric)}: thin line by {each}, bold line by month", loc="left", color=MUTED, fontsize=14
    )
    if series is None:
        axes.text(0.5, 0.5, "no labels have arrived yet", transform=axes.transAxes, ha="center", color=MUTED)
        return
    interval = benchmark_interval(status, benchmark, metric)
    if interval is not None:
        axes.axhspan(interval.low, interval.high, color=BAND, lw=0)
        axes.axhline(interval.mean, color=BASELINE, lw=1.6, ls=(0, (5, 3)))
        _annotate_right(axes, interval.mean, f"benchmark\n{format_value(metric, interval.mean)}", BASELINE)
    loss_points = [(wall_clock(point.start, zone), point.value) for point in points(status, metric)]
    axes.plot(
        _dates([moment for moment, _ in loss_points]), [value for _, value in loss_points], color="#a9afb6", lw=1.0
    )
    for month in series.months:
        inside = [moment for moment, _ in loss_points if moment.date().replace(day=1) == month.first_day]
        ends = _dates([inside[0], inside[-1]])
        axes.plot(ends, [month.value.mean] * 2, color=INK, lw=3.6, solid_capstyle="butt")
    axes.set_ylim(0, 1.08 * max(value for _, value in loss_points) + 0.01)
    if is_share(metric):
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")


def _draw_evidence(axes: Axes, status: MonitorStatus) -> None:
    from matplotlib.dates import AutoDateLocator, DateFormatter  # noqa: PLC0415  # with matplotlib

    zone = ZoneInfo(status.timezone)
    axes.set_title(
        "Evidence, log scale: bold line for pages, thin line for losses, dotted line for notices",
        loc="left",
        color=MUTED,
        fontsize=14,
    )
    highest = math.ceil(math.log10(max(status.page_threshold, 10.0))) + 2
    powers = range(LOWEST_DECADE + 1, highest + 1)
    axes.set_ylim(LOWEST_DECADE + 0.8, highest + 0.4)
    axes.set_yticks(list(powers), [f"{10.0**power:,.{max(-power, 0)}f}" for power in powers])
    for level, threshold, colour, dashes in (
        ("page", status.page_threshold, PAGE, (5, 3)),
        ("notice", status.notice_threshold, NOTICE, (1, 2)),
    ):
        axes.axhline(math.log10(threshold), color=colour, lw=1.4, ls=(0, dashes))
        _annotate_right(axes, math.log10(threshold), f"{level} at {threshold:,.0f}", colour)
    if not status.windows:
        return
    starts = _dates([wall_clock(window.start, zone) for window in status.windows])
    beyond = highest + 1
    notice = [decades(window.notice_log_evidence, beyond) for window in status.windows]
    page = [decades(window.page_log_evidence, beyond) for window in status.windows]
    axes.plot(starts, notice, color=NOTICE, lw=1.3, ls=":")
    axes.plot(starts, [decades(window.loss_log_evidence, beyond) for window in status.windows], color=PAGE, lw=1.0)
    axes.plot(starts, page, color=PAGE, lw=2.4)
    axes.xaxis_date()
    axes.set_xlim(starts[0], _dates([wall_clock(status.windows[-1].end, zone)])[0])
    axes.xaxis.set_major_locator(AutoDateLocator(minticks=4, maxticks=11))  # type: ignore[no-untyped-call]  # has no types
    long = (status.windows[-1].end - status.windows[0].start).days > 62
    pattern = "%b %Y" if long else "%d %b %Y"
    axes.xaxis.set_major_formatter(DateFormatter(pattern))  # type: ignore[no-untyped-call]  # has no types
    _mark_pages(axes, status, zone)


def _mark_pages(axes: Axes, status: MonitorStatus, zone: ZoneInfo) -> None:
    """Shade each page's span and mark where it began; the first has its date and cause as text."""
    for place, incident in enumerate(pages_of(status)):
        start, end = _dates([wall_clock(moment, zone) for moment in incident_span(status, incident)])
        axes.axvspan(start, end, color=PAGE_BAND, lw=0, zorder=0)
        height = math.log10(status.page_threshold)
        axes.plot([start], [height], color=PAGE, marker="D", ms=9, mec="white", mew=1.5, clip_on=False, zorder=5)
        if place:
            continue
        day = format_date(incident.window_start.astimezone(zone).date())
        left, right = axes.get_xlim()
        rightwards = start < left + 0.55 * (right - left)
        axes.annotate(
            f"page, {day}\n{_cause(incident)}",
            (start, LOWEST_DECADE + 1.0),
            xytext=(9 if rightwards else -9, 0),
            textcoords="offset points",
            ha="left" if rightwards else "right",
            va="bottom",
            color=PAGE,
            fontsize=13.5,
            linespacing=1.4,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.82, "pad": 3},
            zorder=6,
        )


def wall_clock(moment: datetime, zone: ZoneInfo) -> datetime:
    """What a clock in `zone` shows, without an offset."""
    return moment.astimezone(zone).replace(tzinfo=None)


def incident_span(status: MonitorStatus, incident: IncidentRecord) -> tuple[datetime, datetime]:
    """From the window that alarmed to the incident's closing, or to the last window."""
    end = status.windows[-1].end if status.windows else incident.window_end
    closed = min(incident.closed_at or end, end)
    return incident.window_start, max(closed, incident.window_end)


def _cause(incident: IncidentRecord) -> str:
    return "\n".join(textwrap.wrap(cause_line(incident), CAUSE_WIDTH, max_lines=3, placeholder=" …"))


def _annotate_right(axes: Axes, height: float, text: str, colour: str) -> None:
    """Text right of the axes, at a height in the axis's own unit."""
    axes.annotate(
        text,
        (1.0, height),
        xycoords=("axes fraction", "data"),
        xytext=(7, 0),
        textcoords="offset points",
        va="center",
        color=colour,
        fontsize=12.5,
        annotation_clip=False,
    )


def _dates(moments: list[datetime]) -> list[float]:
    """Moments as the time axis counts them: days since 1970."""
    return [(moment - datetime(1970, 1, 1)) / timedelta(days=1) for moment in moments]  # noqa: DTZ001 - wall clocks


def _daily(status: MonitorStatus) -> bool:
    return bool(status.windows) and (status.windows[0].end - status.windows[0].start).total_seconds() == 86400
