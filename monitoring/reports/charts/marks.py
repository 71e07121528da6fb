"""Small drawings that stand in a table's cell: a strip of windows, an interval beside its baseline, a gauge."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

from monitoring.records import WindowRecord, WindowStatus
from monitoring.reports.charts.drawing import Drawing, Path, Scale, box, diamond, dots
from monitoring.reports.sections.benchmark import Interval
from monitoring.reports.sections.formatting import format_count

#: Windows of a strip, the height of a window by its status in pixels, and the width of one.
STRIP_WINDOWS = 30
_HEIGHTS: dict[WindowStatus, int] = {"ok": 8, "thin": 3, "notice": 13, "suspected": 15, "page": 18}
_STEP, _STRIP_HEIGHT = 4, 18


def strip(windows: Sequence[WindowRecord]) -> Drawing:
    """The statuses of the last windows, the newest to the right: the worse the higher."""
    last = windows[-STRIP_WINDOWS:]
    empty = STRIP_WINDOWS - len(last)
    by_status: dict[WindowStatus, str] = {}
    place = empty
    for status, group in groupby(last, key=lambda window: window.status):
        for _ in group:
            height = _HEIGHTS[status]
            bar = box(place * _STEP, _STRIP_HEIGHT - height, _STEP - 1, height)
            by_status[status] = by_status.get(status, "") + bar
            place += 1
    counts = [
        format_count(sum(window.status == status for window in last), noun)
        for status, noun in (
            ("page", "page window"),
            ("suspected", "window with suspected harm"),
            ("notice", "notice window"),
            ("ok", "quiet window"),
        )
        if status != "suspected" or any(window.status == status for window in last)
    ]
    return Drawing(
        width=STRIP_WINDOWS * _STEP,
        height=_STRIP_HEIGHT,
        summary=f"Last {format_count(len(last), 'window')}: {', '.join(counts)}.",
        paths=tuple(Path(d=d, style=f"strip-{status}") for status, d in by_status.items()),
        fit="strip",
    )


def interval_mark(value: Interval, baseline: float, deviation: float, summary: str) -> Drawing:
    """A mean with its interval, beside the baseline's mean and its deviation between windows."""
    reach = max(3.0 * deviation, 1.15 * max(abs(end - baseline) for end in (value.low, value.high, value.mean)), 1e-6)
    x = Scale(baseline - reach, baseline + reach, 3.0, 117.0)
    left, right = x(baseline - deviation), x(baseline + deviation)
    low, high = x(value.low), x(value.high)
    return Drawing(
        width=120,
        height=18,
        summary=summary,
        paths=(
            Path(d=box(left, 3, right - left, 12), style="band"),
            Path(d=f"M{x(baseline):.1f} 1v16", style="baseline-line"),
            Path(d=f"M{low:.1f} 9h{high - low:.1f}", style="interval"),
            Path(d=dots([(x(value.mean), 9)]), style="mean-dot"),
        ),
        fit="mark",
    )


def evidence_mark(log_evidence: float, threshold: float, summary: str) -> Drawing:
    """Evidence on a log axis from a hundredth to a thousand times its threshold."""
    at = math.log10(threshold)
    x = Scale(at - 5.0, at + 2.0, 0.0, 120.0)
    reached = log_evidence >= math.log(threshold)
    end = x(log_evidence / math.log(10.0)) if math.isfinite(log_evidence) else 0.0
    paths = [
        Path(d=box(0, 6, 120, 6), style="gauge"),
        Path(d=box(0, 6, end, 6) if end else "", style="gauge-alarm" if reached else "gauge-fill"),
        Path(d=f"M{x(at):.1f} 2v14", style="threshold-tick"),
        Path(d=diamond(min(max(end, 5.0), 114.0), 9, 5) if reached else "", style="page-mark"),
    ]
    return Drawing(width=120, height=18, summary=summary, paths=tuple(path for path in paths if path.d), fit="mark")
