"""Pages of this monitor at its defaults with the bench's budget, those about volume and data too."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd

from monitoring import Monitor

from ..streams import ORIGIN, Reference, Window, named_columns

TITLE = "this monitor"
LEVELS = (1.0,)


def alarms(reference: Reference, windows: tuple[Window, ...], _level: float) -> list[bool]:
    """Whether each window opened a page."""
    known, live = (pd.DataFrame(named_columns(reference, part)) for part in (reference.windows, windows))
    for table in (known, live):
        table[["time", "label time"]] = table[["time", "label time"]].apply(pd.to_datetime, utc=True)
    scores = [name for name in map(str, known) if name.startswith("score ")]
    monitor = Monitor.from_reference(
        known,
        event_time="time",
        label="label",
        label_time="label time",
        prediction_id="row",
        scores=scores,
        classes=[name.removeprefix("score ") for name in scores],
        every=f"{reference.minutes}m",
        settings={"budget": {"page": f"1 per {round(reference.windows_a_year)} windows"}},
        clock=lambda: datetime(2100, 1, 1, tzinfo=UTC),
    )
    ends = [each.window_end.replace(tzinfo=None) for each in monitor.run(live).incidents if each.level == "page"]
    at = {round((np.datetime64(end) - ORIGIN) / np.timedelta64(reference.minutes, "m")) for end in ends}
    return [number in at for number in range(1, len(windows) + 1)]
