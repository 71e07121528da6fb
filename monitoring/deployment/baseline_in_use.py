"""The baseline of a config without the days that it leaves out."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np

from monitoring.baseline.folder import Baseline, load_baseline
from monitoring.baseline.kept_rows import kept_rows
from monitoring.config import MonitorConfig
from monitoring.config.values import days_of_span
from monitoring.deployment.places import BaselinePlace, find_baseline
from monitoring.errors import BadInput
from monitoring.timestamps import as_microseconds
from monitoring.traffic.expected_events import ExpectedEvent

#: The name of the days that are left out, which no event of a config has.
LEFT_OUT = "\0left out"


def days_left_out(config: MonitorConfig, place: BaselinePlace) -> tuple[ExpectedEvent, ...]:
    """The days of the reference that are left out, in the zone of the windows."""
    zone = ZoneInfo(config.windows.timezone)
    return tuple(ExpectedEvent.of_days(LEFT_OUT, *days_of_span(span), zone) for span in place.leave_out)


def baseline_in_use(config: MonitorConfig, place: BaselinePlace | None = None) -> Baseline:
    """Load the baseline that a config names, without the rows of the days that it leaves out.

    Args:
        place: Where it is; None: as `find_baseline` finds it.

    Raises:
        BadInput: The reference has no dates, or no row is left.
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
    for event in days:
        kept &= (times < as_microseconds(event.start)) | (times >= as_microseconds(event.end))
    if not kept.any():
        raise BadInput(
            "All days of the reference are left out.",
            got=f"leave_out = {list(place.leave_out)}",
            expected="days of which some are left",
            fix="Leave out fewer days: leave_out in the [baseline] section, or --leave-out.",
        )
    return kept_rows(baseline, kept)
