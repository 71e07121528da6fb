"""Traffic volume: no rows, ten times fewer or more than usual at that place in the week, or another level for long.

And the volume of labels, where fewer arrive for long though rows do not: losses may still hold, but labels are lost.
"""

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

#: So many windows in a row with this factor fewer or more rows than usual are a level that lasts.
LASTING_WINDOWS = 7
LASTING_FACTOR = 1.5

KIND = "traffic volume"
SUBJECT = "row count"
LASTING = "traffic volume changed"
LASTING_SUBJECT = "recent row count"

#: Fewer labels are told once there are so many totals of `LASTING_WINDOWS` windows before, from the first labels on.
MIN_LABEL_TOTALS = 21

#: Rows that were so many times fewer explain fewer labels.
ROWS_FACTOR = 1.2

FEWER_LABELS = "fewer labels"
FEWER_LABELS_SUBJECT = "recent label count"

Places = Mapping[str, int]


def usual_rows(history: Sequence[tuple[Places, int]], places: Places) -> float | None:
    """The usual number of rows of a window.

    Args:
        history: Place in each period, and rows, of the windows before, in order of time; those without rows too.

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


def usual_volumes(
    history: Sequence[tuple[Places, int]], reference: Sequence[tuple[Places, int]], places: Places
) -> tuple[float, ...]:
    """The usual number of rows of a window: of live traffic once it is known, until then by the reference's windows.

    A reference may be a sample of the traffic. So its number counts as it is, and times what live windows so far had
    of theirs: a window is unusual if it is by both.

    Returns:
        One number of live traffic; two by the reference; none before a live window with rows, or where neither is
        known.

    >>> even = [({"week": day % 7}, 400) for day in range(14)]
    >>> usual_volumes([({"week": 0}, 40), ({"week": 1}, 48)], even, {"week": 2})
    (400.0, 44.0)
    """
    live = usual_rows(history, places)
    if live is not None:
        return (live,)
    reference_rows = usual_rows(reference, places)
    pairs = [(rows, usual_rows(reference, at)) for at, rows in history if rows]
    ratios = [rows / usual for rows, usual in pairs if usual is not None]
    return () if reference_rows is None or not ratios else (reference_rows, reference_rows * float(median(ratios)))


def volume_findings(rows: int, usual: Sequence[float]) -> tuple[Finding, ...]:
    """The finding that a window has no rows, or far fewer or more than usual.

    >>> volume_findings(0, (400.0,))[0].message
    'No rows arrived; 400 are usual for this window.'
    >>> volume_findings(90, (400.0,)), volume_findings(30, (400.0, 44.0))
    ((), ())
    """
    if not usual or min(usual) < MIN_USUAL or min(usual) / FACTOR < rows < max(usual) * FACTOR:
        return ()
    count = "No rows" if not rows else f"{rows:,} row{'' if rows == 1 else 's'}"
    source = " by the reference" if len(usual) > 1 else ""
    message = f"{count} arrived; {usual[0]:,.0f} are usual for this window{source}."
    return (Finding(kind=KIND, feature=SUBJECT, message=message, fact=True),)


def lasting_findings(
    history: Sequence[tuple[Places, int]], reference: Sequence[tuple[Places, int]]
) -> tuple[Finding, ...]:
    """The finding that all of the last windows had far fewer rows than those before, or all far more.

    Returns:
        One finding, a notice; nothing where a window had no row, which is told by itself.

    >>> days = [({"week": day % 7}, 400 if day < 21 else 200) for day in range(28)]
    >>> lasting_findings(days, ())[0].message
    '1,400 rows arrived in the last 7 windows; 2,800 are usual (-50 %).'
    >>> lasting_findings(days[:-1], ())
    ()
    """
    before, recent = history[:-LASTING_WINDOWS], history[-LASTING_WINDOWS:]
    usual = [usual_volumes(before, reference, places) for places, _ in recent]
    counts = [rows for _, rows in recent]
    if len(recent) < LASTING_WINDOWS or not all(usual) or min(map(min, usual)) < MIN_USUAL or not min(counts):
        return ()
    fewer = all(LASTING_FACTOR * rows <= min(each) for rows, each in zip(counts, usual, strict=True))
    more = all(rows >= LASTING_FACTOR * max(each) for rows, each in zip(counts, usual, strict=True))
    if not (fewer or more):
        return ()
    total, expected = sum(counts), sum(each[0] for each in usual)
    message = (
        f"{total:,} rows arrived in the last {LASTING_WINDOWS} windows; {expected:,.0f} are usual "
        f"({100.0 * (total / expected - 1.0):+,.0f} %)."
    )
    return (Finding(kind=LASTING, feature=LASTING_SUBJECT, message=message, fact=True),)


def fewer_label_findings(history: Sequence[tuple[Places, int]], rows: Sequence[int], waits: int) -> tuple[Finding, ...]:
    """The finding that far fewer labels arrived in each of the last windows than usual, though not fewer rows.

    Args:
        history: Place in each period, and labels that arrived, of each window in order of time, the last one included.

    Returns:
        One finding, a notice; nothing where no label came, which `monitoring.judging.label_silence` tells.

    >>> days = [({"week": day % 7}, 100 if day % 7 < 5 else 0) for day in range(42)]
    >>> half = [*days, *((at, labels // 2) for at, labels in days[:7])]
    >>> fewer_label_findings(half, [400] * 49, 2)[0].message
    '250 labels arrived in the last 7 windows; 500 are usual (-50 %), at least 500 arrived in as many before.'
    >>> fewer_label_findings(half, [*[400] * 40, *[200] * 9], 2), fewer_label_findings(days, [400] * 42, 2)
    ((), ())
    """
    first = next((place for place, (_, labels) in enumerate(history) if labels), len(history)) + waits
    *earlier, total = _totals([labels for _, labels in history[first:]]) or (0,)
    before, volumes = earlier[: 1 - LASTING_WINDOWS], _totals(rows)
    if len(before) < MIN_LABEL_TOTALS or not total or total >= min(before) or LASTING_FACTOR * total > median(before):
        return ()
    for places, labels in history[-LASTING_WINDOWS:]:
        if LASTING_FACTOR * labels > (usual_rows(history[first:-LASTING_WINDOWS], places) or 0.0) > 0.0:
            return ()
    if ROWS_FACTOR * min(volumes[-waits - 1 :]) < median(volumes[: -waits - LASTING_WINDOWS]):
        return ()
    message = (
        f"{total:,} labels arrived in the last {LASTING_WINDOWS} windows; {median(before):,.0f} are usual "
        f"({100.0 * (total / median(before) - 1.0):+,.0f} %), at least {min(before):,} arrived in as many before."
    )
    return (Finding(kind=FEWER_LABELS, feature=FEWER_LABELS_SUBJECT, message=message, fact=True),)


def _totals(counts: Sequence[int]) -> tuple[int, ...]:
    """The totals of each `LASTING_WINDOWS` windows in a row."""
    return tuple(sum(counts[end - LASTING_WINDOWS : end]) for end in range(LASTING_WINDOWS, len(counts) + 1))
