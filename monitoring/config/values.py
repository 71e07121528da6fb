"""The checks of single settings: lengths of time, windows, time zones, budgets, cron expressions, columns."""

from __future__ import annotations

import difflib
import re
import zoneinfo
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from monitoring.config.invalid_setting import reject_setting

_DURATION = re.compile(r"(0|[1-9][0-9]{0,6})([smhd])")
_UNITS = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_LONGEST = timedelta(days=3660)
_LONGEST_WINDOW = timedelta(days=366)
_LONGEST_COMMAND = timedelta(seconds=30)
_BUDGET = re.compile(r"\s*(\d{1,9})\s+(?:per|in)\s+(\d{1,9})\s+windows?\s*", re.IGNORECASE)
_LABEL_BUDGET = re.compile(r"\s*([1-9]\d{0,6})\s+per\s+(day|week)\s*", re.IGNORECASE)
_TEAM_BUDGET = re.compile(r"\s*(\d{1,9})\s+(?:per|in)\s+(\d{1,9})\s+days?\s*", re.IGNORECASE)


def duration(value: object) -> timedelta:
    """Parse a duration: a whole number and a unit of s, m, h or d.

    >>> duration("6h")
    datetime.timedelta(seconds=21600)
    """
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None or (length := int(match[1]) * _UNITS[match[2]]) > _LONGEST:
        reject_setting(
            "not a duration.",
            got=value,
            expected="a whole number and a unit of s, m, h or d, at most 3,660 days",
            fix='Write, for example, "6h" or "7d".',
        )
    return length


def aware(value: datetime) -> datetime:
    """Check that a time has a time zone."""
    if value.tzinfo is None:
        reject_setting(
            "a time without a time zone.",
            got=value.isoformat(),
            expected="a time in TOML with an offset, or Z for UTC",
            fix="Write, for example, 2026-04-05T00:00:00Z.",
        )
    return value


def positive_duration(value: timedelta) -> timedelta:
    """Check that a duration is positive."""
    if value <= timedelta(0):
        reject_setting("must be positive.", got="0", expected="a duration above zero", fix='Write, for example, "7d".')
    return value


def window_length(value: str) -> str:
    """Check the length of a window: whole days, or minutes or hours that divide a day evenly."""
    match = _DURATION.fullmatch(value)
    length = int(match[1]) * _UNITS[match[2]] if match is not None and match[2] != "s" else timedelta(0)
    day = _UNITS["d"]
    if not timedelta(0) < length <= _LONGEST_WINDOW or (length % day and day % length):
        reject_setting(
            "not a window length.",
            got=value,
            expected="whole days, at most 366, or minutes or hours that divide a day evenly",
            fix='Write, for example, "1d", "6h" or "15m".',
        )
    return value


def time_zone(value: str) -> str:
    """Check the name of a time zone: one that this machine's or Python's `tzdata` has."""
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        near = _nearest_zone(value)
        reject_setting(
            "unknown time zone.",
            got=value,
            expected='a name from the IANA time zone database, such as "Europe/Paris"',
            fix=f'Did you mean "{near}"?' if near else 'Write, for example, "UTC".',
        )
    return value


def country_code(value: str) -> str:
    """Check the form of a country's code, with or without one of its parts; which countries are known shows later."""
    if not re.fullmatch(r"[A-Z]{2}(-[A-Za-z0-9]{1,6})?", value):
        reject_setting(
            "not a country's code.",
            got=value,
            expected="two capital letters, as in ISO 3166, or with a part of the country",
            fix='Write, for example, "US" or "US-CA".',
        )
    return value


def span_of_days(value: str) -> str:
    """Check a span of days, first and last, or a single day."""
    try:
        first, last = days_of_span(value)
        in_order = first <= last
    except ValueError:
        in_order = False
    if not in_order:
        reject_setting(
            "not a span of days.",
            got=value,
            expected="the first and the last day, in ISO 8601, or one day",
            fix='Write, for example, "2026-03-10/2026-03-19".',
        )
    return value


def days_of_span(value: str) -> tuple[date, date]:
    """Parse a span that `span_of_days` accepts.

    Raises:
        ValueError: The text is no day, and no two days.

    >>> days_of_span("2026-03-10/2026-03-19")[1].day, days_of_span("2026-03-10")[1].day
    (19, 10)
    """
    first, _, last = value.partition("/")
    return date.fromisoformat(first), date.fromisoformat(last or first)


def _nearest_zone(value: str) -> str | None:
    zones = {zone.lower(): zone for zone in zoneinfo.available_timezones()}
    zones.update({zone.rsplit("/", 1)[-1].lower(): zone for zone in sorted(zones.values()) if "/" in zone})
    near = difflib.get_close_matches(value.lower().replace(" ", "_"), sorted(zones), n=1)
    return zones[near[0]] if near else None


def budget(value: str) -> str:
    """Check a budget of false alarms."""
    match = _BUDGET.fullmatch(value)
    if match is None or not 1 <= int(match[1]) < int(match[2]):
        reject_setting(
            "not a budget of false alarms.",
            got=value,
            expected='"N per W windows" with 1 <= N < W',
            fix='Write, for example, "1 per 365 windows".',
        )
    return value


def team_budget(value: str) -> str:
    """Check a budget of pages of a team."""
    match = _TEAM_BUDGET.fullmatch(value)
    if match is None or int(match[1]) < 1 or int(match[2]) < 1:
        reject_setting(
            "not a budget of a team.",
            got=value,
            expected='"N per D days" with N and D from 1 on',
            fix='Write, for example, "1 per 90 days".',
        )
    return value


def budget_numbers(value: str) -> tuple[int, int]:
    """Parse a budget that `budget` accepts.

    Raises:
        ValueError: The text is not a budget.

    >>> budget_numbers("1 per 365 windows")
    (1, 365)
    """
    match = _BUDGET.fullmatch(value)
    if match is None:
        raise ValueError(f"not a checked budget: {value!r}")
    return int(match[1]), int(match[2])


def label_budget(value: str) -> str:
    """Check a budget of labels."""
    if _LABEL_BUDGET.fullmatch(value) is None:
        reject_setting(
            "not a budget of labels.",
            got=value,
            expected='"N per day" or "N per week" with N from 1 to 9,999,999',
            fix='Write, for example, "50 per week".',
        )
    return value


def label_budget_numbers(value: str) -> tuple[int, int]:
    """Parse a budget of labels that `label_budget` accepts.

    Returns:
        How many labels in how many days.

    Raises:
        ValueError: The text is not a budget.

    >>> label_budget_numbers("50 per week"), label_budget_numbers("8 per day")
    ((50, 7), (8, 1))
    """
    match = _LABEL_BUDGET.fullmatch(value)
    if match is None:
        raise ValueError(f"not a checked budget of labels: {value!r}")
    return int(match[1]), 7 if match[2].lower() == "week" else 1


def cost_matrix(value: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, ...], ...]:
    """Check a matrix of costs: as many columns as rows, and some cost above zero."""
    if any(len(row) != len(value) for row in value) or (value and not max(max(row) for row in value) > 0.0):
        reject_setting(
            "not a matrix of costs.",
            got=f"{len(value)} rows of {', '.join(str(len(row)) for row in value)} numbers",
            expected="a row for each true class with a number for each answer, some above zero",
            fix="Write, for example, matrix = [[0.0, 1.0], [10.0, 0.0]].",
        )
    return value


#: The cron expression of most configs, which is known to be one.
HOURLY = "15 * * * *"


def cron(value: str) -> str:
    """Check a cron expression: five fields, and a time that exists.

    Days of the week have to be names: APScheduler counts them from Monday, other implementations from Sunday.
    """
    if value == HOURLY:
        return value
    from apscheduler.triggers.cron import CronTrigger  # noqa: PLC0415  # a tenth of a second that imports need not pay

    fix = 'Write, for example, "15 * * * *": minute, hour, day, month, day of the week.'
    fields = value.split()
    if len(fields) == 5 and re.search(r"\d", fields[4]):
        reject_setting(
            "days of the week as numbers are ambiguous: implementations of cron count them differently.",
            got=fields[4],
            expected="names of days",
            fix='Write, for example, "mon", "mon-fri" or "sat,sun".',
        )
    try:
        first = CronTrigger.from_crontab(value, timezone=UTC).get_next_fire_time(None, datetime(2024, 1, 1, tzinfo=UTC))
    except (ValueError, OverflowError) as error:
        reject_setting(f"not a cron expression ({error}).", got=value, expected="five fields", fix=fix)
    if first is None:
        reject_setting("never fires.", got=value, expected="a day that exists", fix=fix)
    return value


def route_timeout(value: object) -> timedelta:
    """Parse how long a command of a route may take: at most 30 s, as a run waits for it."""
    length = duration(value)
    if not timedelta(0) < length <= _LONGEST_COMMAND:
        reject_setting(
            "not a timeout.", got=value, expected="a duration from 1s to 30s", fix='Write, for example, "10s".'
        )
    return length


def email_address(value: str) -> str:
    """Check an email address: NAME@HOST in ASCII, without spaces, quotes and line ends.

    >>> email_address("on-call@example.org")
    'on-call@example.org'
    """
    if not re.fullmatch(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}", value):
        reject_setting(
            "not an email address.",
            got=value,
            expected="NAME@HOST, without a display name",
            fix='Write, for example, "on-call@example.org".',
        )
    return value


def non_empty(value: str) -> str:
    """Check that the name of a column or an output is not empty."""
    if not value.strip():
        reject_setting(
            "empty name.", got=value, expected="a name in quotes", fix="Use the name that the model or table has."
        )
    return value


def at_least_one(values: tuple[str, ...]) -> tuple[str, ...]:
    """Check that a list is not empty."""
    if not values:
        reject_setting("empty list.", got=[], expected="at least one", fix="Remove the key where it has a default.")
    return values


def distinct(values: Sequence[str]) -> tuple[str, ...]:
    """Check that names occur once each."""
    twice = sorted({value for value in values if list(values).count(value) > 1})
    if twice:
        reject_setting("duplicate name.", got=twice[0], expected="each name once", fix="Remove one of them.")
    return tuple(values)
