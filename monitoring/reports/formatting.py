"""The monitor's names, numbers and times as a person reads them."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from monitoring.watches.descriptions import LONGEST, METRICS, printable, slice_words, watch_words

__all__ = [
    "LONGEST",
    "METRICS",
    "printable",
    "slice_words",
    "watch_words",
]

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

#: Stands where there is no value.
NOTHING = "\N{EN DASH}"

_TO, _MINUS, _TIMES = "\N{EN DASH}", "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}"

#: An explanation is a few sentences, which quote labels.
LONGEST_MESSAGE = 2000

#: exp(700) is near the largest float.
_LARGEST_LOG = 700.0


def as_share(watch: str) -> bool:
    """Whether a watch's values are shares of rows, to be read in percent; the others are scores without a unit."""
    return not watch.endswith(("brier", ":location", ":spread")) and watch != "joint"


def value_words(watch: str, value: float | None, *, signed: bool = False) -> str:
    """A watch's value in its own unit.

    >>> value_words("brier", 0.1464), value_words("error", 0.2), value_words("error", 0.05, signed=True)
    ('0.146', '20.0 %', '+5.0 %')
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    sign = "+" if signed else ""
    text = f"{100 * value:{sign}.1f} %" if as_share(watch) else f"{value:{sign}.3f}"
    return text.replace("-", _MINUS)


def rise_words(metric: str, rise: float) -> str:
    """A rise of a metric; shares rise by points.

    >>> rise_words("error", 0.046), rise_words("brier", 0.02)
    ('+4.6 points', '+0.020')
    """
    return f"+{100 * rise:.1f} points" if as_share(metric) else f"+{rise:.3f}"


def evidence_words(log_evidence: float) -> str:
    """Evidence from its logarithm.

    >>> [evidence_words(v) for v in (-math.inf, -7.0, 0.0, math.log(365))]
    ['0', '< 0.01', '1.00', '365']
    >>> evidence_words(40.0).split()[-1]
    '10¹⁷'
    """
    if log_evidence == -math.inf:
        return "0"
    if log_evidence < math.log(0.01):
        return "< 0.01"
    if log_evidence < math.log(10):
        return f"{math.exp(log_evidence):.2f}"
    if log_evidence < math.log(1e5):
        return f"{math.exp(log_evidence):,.0f}"
    tens = log_evidence / math.log(10)
    power = math.floor(tens)
    if round(10 ** (tens - power), 1) >= 10:
        power += 1
    raised = str(power).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{10 ** (tens - power):.1f} {_TIMES} 10{raised}"


def finite_evidence(log_evidence: float) -> float:
    """Evidence as a finite float: 0 for a log of -inf, and capped near the largest float.

    >>> finite_evidence(-math.inf), round(finite_evidence(0.0), 6), math.isfinite(finite_evidence(1e6))
    (0.0, 1.0, True)
    """
    return math.exp(min(log_evidence, _LARGEST_LOG)) if not math.isnan(log_evidence) else 0.0


def count_words(count: int, noun: str) -> str:
    """A number of things.

    >>> count_words(1, "page"), count_words(1275, "window"), count_words(0, "page")
    ('1 page', '1,275 windows', 'no page')
    """
    if count == 0:
        return f"no {noun}"
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def duration_words(seconds: int) -> str:
    """A length of time in its largest whole unit.

    >>> duration_words(300), duration_words(3600), duration_words(172_800)
    ('5 min', '1 h', '2 days')
    """
    if seconds % 86_400 == 0:
        return count_words(seconds // 86_400, "day")
    return f"{seconds // 3_600} h" if seconds % 3_600 == 0 else f"{seconds // 60} min"


def date_words(day: date) -> str:
    """A date, the same in every locale.

    >>> date_words(date(2013, 4, 23))
    '23 Apr 2013'
    """
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def moment_words(moment: datetime | None, zone: ZoneInfo) -> str:
    """A moment in the deployment's own time zone, to the minute; midnight is shown as the day alone."""
    if moment is None:
        return NOTHING
    local = moment.astimezone(zone)
    clock = f" {local:%H:%M}" if (local.hour, local.minute) != (0, 0) else ""
    return date_words(local.date()) + clock


def window_words(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """A half-open window: its day if it is one, its first and last day if it is several, otherwise with the hours.

    >>> from datetime import UTC
    >>> window_words(datetime(2013, 4, 22, tzinfo=UTC), datetime(2013, 4, 23, tzinfo=UTC), ZoneInfo("UTC"))
    '22 Apr 2013'
    """
    first, last = start.astimezone(zone), end.astimezone(zone)
    if (first.hour, first.minute, last.hour, last.minute) == (0, 0, 0, 0):
        last_day = last.date() - timedelta(days=1)
        if first.date() == last_day:
            return date_words(first.date())
        return f"{date_words(first.date())} {_TO} {date_words(last_day)}"
    if first.date() == last.date():
        return f"{date_words(first.date())} {first:%H:%M}{_TO}{last:%H:%M}"
    return f"{moment_words(start, zone)} {_TO} {moment_words(end, zone)}"
