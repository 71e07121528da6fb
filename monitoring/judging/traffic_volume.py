"""Traffic volume: windows with no rows, or ten times fewer or more than is usual at their place in the week."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from monitoring.records import Finding

#: From this factor on, fewer or more rows are a fact.
FACTOR = 10.0

#: Windows at the same place in the day and week that a usual number of rows is taken from, at least.
MIN_SAME_PLACE = 2

#: Before there are as many, the last windows whatever their place, if there are this many of them and the fewest rows
#: among them are more than a third of their median.
MIN_ANY_PLACE = 7
EVEN = 1.0 / 3.0

#: A usual number of rows below this is too small for factors to mean anything.
MIN_USUAL = 20

KIND = "traffic volume"
SUBJECT = "row count"

Places = Mapping[str, int]


def usual_rows(history: Sequence[tuple[Places, int]], places: Places) -> float | None:
    """The usual number of rows of a window.

    Args:
        history: Place in each period, and rows, of the windows before, in order of time; those without rows too.
        places: The window's own place.

    Returns:
        The median of the windows at the same place, or of all where volume hardly varies; None where neither is known.

    >>> usual_rows([({"week": day % 7}, 100 if day % 7 < 5 else 2) for day in range(21)], {"week": 6})
    2.0
    """
    same = [rows for at, rows in history if at == places and rows]
    if len(same) >= MIN_SAME_PLACE:
        return float(median(same))
    every = [rows for _, rows in history if rows]
    if len(every) >= MIN_ANY_PLACE and min(every) > EVEN * median(every):
        return float(median(every))
    return None


def volume_findings(rows: int, usual: float | None) -> tuple[Finding, ...]:
    """The finding that a window has no rows, or far fewer or more than usual.

    Args:
        rows: The window's rows.
        usual: What `usual_rows` gave.

    Returns:
        One fact, or nothing.

    >>> volume_findings(0, 400.0)[0].message
    'No rows arrived; 400 are usual for this window.'
    >>> volume_findings(90, 400.0)
    ()
    """
    if usual is None or usual < MIN_USUAL or usual / FACTOR < rows < usual * FACTOR:
        return ()
    said = "No rows" if not rows else f"{rows:,} row{'' if rows == 1 else 's'}"
    message = f"{said} arrived; {usual:,.0f} are usual for this window."
    return (Finding(kind=KIND, feature=SUBJECT, message=message, fact=True),)
