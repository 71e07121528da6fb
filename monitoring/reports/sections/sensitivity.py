"""The smallest detectable rise of each loss as a table: one row a metric, one column a horizon."""

from __future__ import annotations

from dataclasses import dataclass

from monitoring.records import Sensitivity
from monitoring.watches.descriptions import METRIC_TITLES, NOTHING, format_change, printable, slice_title


@dataclass(frozen=True, slots=True, kw_only=True)
class SensitivityTable:
    """`horizons` in windows, ascending; each row is a metric with its slice, and one cell per horizon."""

    horizons: tuple[int, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def sensitivity_rows(sensitivity: tuple[Sensitivity, ...]) -> SensitivityTable:
    """Tabulate the smallest detectable rises.

    Args:
        sensitivity: What was simulated.

    Returns:
        The table; "not within 90" where no rise is detected.

    >>> found = Sensitivity(metric="brier", slice="", windows=30, rise=0.047)
    >>> missed = Sensitivity(metric="brier", slice="", windows=7, rise=None)
    >>> sensitivity_rows((found, missed)).rows
    (('Brier score', ('not within 7', '+0.047')),)
    """
    horizons = tuple(sorted({entry.windows for entry in sensitivity}))
    rises = {(entry.metric, entry.slice, entry.windows): entry.rise for entry in sensitivity}
    rows = []
    for metric, part in dict.fromkeys((entry.metric, entry.slice) for entry in sensitivity):
        name = METRIC_TITLES.get(metric, printable(metric)) + (f" at {slice_title(part)}" if part else "")
        cells = []
        for horizon in horizons:
            if (metric, part, horizon) not in rises:
                cells.append(NOTHING)
                continue
            rise = rises[metric, part, horizon]
            cells.append(f"not within {horizon}" if rise is None else format_change(metric, rise))
        rows.append((name, tuple(cells)))
    return SensitivityTable(horizons=horizons, rows=tuple(rows))
