"""The baseline of a config without the days that it leaves out."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.folder import Baseline, load_baseline
from monitoring.baseline.kept_rows import kept_rows
from monitoring.config import MonitorConfig
from monitoring.config.values import days_of_span
from monitoring.deployment.places import BaselinePlace, find_baseline
from monitoring.errors import BadInput
from monitoring.timestamps import as_datetime, as_microseconds
from monitoring.traffic.expected_events import ExpectedEvent

#: The name of the days that are left out, which no event of a config has.
LEFT_OUT = "\0left out"


def days_left_out(config: MonitorConfig, place: BaselinePlace) -> tuple[ExpectedEvent, ...]:
    """The days of the reference that are left out, in the zone of the windows."""
    zone = ZoneInfo(config.windows.timezone)
    return tuple(ExpectedEvent.of_days(LEFT_OUT, *days_of_span(span), zone) for span in place.leave_out)


def baseline_in_use(config: MonitorConfig, place: BaselinePlace | None = None, *, is_new: bool = False) -> Baseline:
    """Load the baseline that a config names, without the rows of the days that it leaves out.

    Args:
        place: Where it is; None: as `find_baseline` finds it.
        is_new: Whether the config is being written. Later, days that are left out may be those of the reference of an
            older version, where the config follows a bundle's newest one.

    Raises:
        BadInput: The reference has no dates, no row is left, or it has no row on days that are left out.
    """
    place = find_baseline(config) if place is None else place
    baseline = load_baseline(place.baseline)
    days = days_left_out(config, place)
    if not days:
        return baseline
    if baseline.spec.rows_per_window is not None or config.windows.by_batch:
        raise BadInput(
            "Days are left out of a reference with dates.",
            got=f"leave_out = {list(place.leave_out)}, and rows without event times",
            expected="a reference whose rows have event times",
            fix="Remove `leave_out` from the [baseline] section, or --leave-out.",
        )
    times = baseline.rows.answers.event_times
    kept = np.ones(times.size, dtype=np.bool_)
    for span, event in zip(place.leave_out, days, strict=True):
        others = (times < as_microseconds(event.start)) | (times >= as_microseconds(event.end))
        if others.all() and (is_new or not _follows_versions(config)):
            raise _no_such_days(span, times, config.windows.timezone)
        kept &= others
    if not kept.any():
        raise BadInput(
            "All days of the reference are left out.",
            got=f"leave_out = {list(place.leave_out)}",
            expected="days of which some are left",
            fix="Leave out fewer days: leave_out in the [baseline] section, or --leave-out.",
        )
    return kept_rows(baseline, kept)


def _follows_versions(config: MonitorConfig) -> bool:
    """Whether the reference is that of whichever version of a bundle is newest."""
    section = config.baseline
    return config.model.baseline is None and section.path is None and section.version is None


def _no_such_days(span: str, times: NDArray[np.int64], zone: str) -> BadInput:
    """The error for days without a row, with the days that have some."""
    ends = (as_datetime(int(time)).astimezone(ZoneInfo(zone)).date() for time in (times.min(), times.max()))
    first, last = (f"{day}" for day in ends)
    return BadInput(
        "The reference has no row on the days that are left out.",
        got=f"leave_out = ['{span}'], and a reference of {first}/{last} ({zone})",
        expected="days between these, on which the reference has rows",
        fix="Correct the days: leave_out in the [baseline] section, or --leave-out; or remove them.",
    )
