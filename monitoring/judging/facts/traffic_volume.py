"""Traffic volume: no rows, ten times fewer or more than usual at that place in the week, or another level for long.

And the volume of labels, where fewer arrive for long though rows do not: losses may still hold, but labels are lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import exp, log, sqrt
from statistics import median

from monitoring.judging.facts.usual_level import FEWER_LABELS_SUBJECT, LASTING_SUBJECT, LASTING_WINDOWS, Counts, Places
from monitoring.judging.facts.volume_range import MIN_SAME_PLACE, VolumeRange, usual_rows
from monitoring.records import Finding
from monitoring.records.finding_parts import FewLabels, LastingVolume, RowVolume

#: From this factor on, fewer or more rows are a fact.
FACTOR = 10.0

#: A usual number of rows below this is too small for factors to mean anything.
MIN_USUAL = 20

#: Where nothing is known of a reference's windows.
ANY_RANGE = VolumeRange()

#: `LASTING_WINDOWS` windows in a row with this factor fewer or more rows than usual are a level that lasts.
LASTING_FACTOR = 1.5

#: It lasts until as many windows together are no farther than this factor from what was usual before.
OVER_FACTOR = 1.25

KIND = "traffic volume"
UNUSUAL = "traffic volume unusual"
SUBJECT = "row count"
LASTING = "traffic volume changed"

#: Fewer labels are told once there are so many totals of `LASTING_WINDOWS` windows before, from the first labels on.
MIN_LABEL_TOTALS = 21

#: Rows that were so many times fewer explain fewer labels.
ROWS_FACTOR = 1.2

FEWER_LABELS = "fewer labels"

#: A reference with labels for this share of its rows, at least, says how many come of live rows.
MOST_LABELLED = 0.5

#: By so many standard deviations of a count labels must be fewer than by the reference, besides.
COUNT_ERRORS = 5.0

#: So many windows in a row with fewer labels than by the reference are told; then up to `LASTING_WINDOWS` count.
FEW_LABEL_WINDOWS = 3


def usual_volumes(
    history: Sequence[tuple[Places, int]], reference: Sequence[tuple[Places, int]], places: Places
) -> tuple[float, ...]:
    """The usual number of rows of a window: of live traffic once it is known, until then by the reference's windows.

    A reference may be a sample of the traffic. So its number counts as it is, and times what live windows so far had
    of theirs: a window is unusual if it is by both.

    Returns:
        One number of live traffic; two by the reference; the reference's alone where live windows are known and none of
        them has rows, as long after traffic has stopped; none before the first live window, or where neither is known.

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
    if reference_rows is None or not history:
        return ()
    if not any(rows for _, rows in history):
        return (reference_rows,)
    return (reference_rows, reference_rows * float(median(ratios))) if ratios else ()


def volume_findings(
    rows: int, usual: Sequence[float], known: VolumeRange = ANY_RANGE, *, gap: int = 1
) -> tuple[Finding, ...]:
    """The finding that a window has no rows, or far fewer or more than usual, and than the reference's windows had.

    Args:
        known: What the reference's windows had: nothing is said within it, a notice beyond it, and a page beyond what
            is to be expected of it.
        gap: The windows in a row without rows, where it has none.

    >>> volume_findings(0, (400.0,))[0].kind
    'traffic volume'
    >>> volume_findings(90, (400.0,)), volume_findings(30, (400.0, 44.0))
    ((), ())
    >>> winters = VolumeRange(longest_gap=12, gap_limit=24)
    >>> volume_findings(0, (60.0,), winters, gap=12), volume_findings(0, (60.0,), winters, gap=13)[0].kind
    ((), 'traffic volume unusual')
    >>> volume_findings(0, (60.0,), winters, gap=25)[0].kind
    'traffic volume'
    """
    if not usual or min(usual) < MIN_USUAL or min(usual) / FACTOR < rows < max(usual) * FACTOR:
        return ()
    if not rows:
        is_seen, is_page = gap <= known.longest_gap, gap > known.gap_limit
        parts = RowVolume(rows=0, usual=usual[0], gap=gap, longest_gap=known.longest_gap)
    else:
        is_more = rows >= max(usual)
        side, factor = (known.more, rows / max(usual)) if is_more else (known.fewer, min(usual) / rows)
        is_seen, is_page = log(factor) <= side.seen, log(factor) > side.limit
        most = exp(side.seen) if side.seen >= log(FACTOR) else None
        parts = RowVolume(rows=rows, usual=usual[0], is_more=is_more, most=most)
    if is_seen:
        return ()
    parts = replace(parts, by_reference=len(usual) > 1)
    return (Finding(kind=KIND if is_page else UNUSUAL, feature=SUBJECT, fact=True, parts=parts),)


def lasting_findings(
    history: Sequence[tuple[Places, int]],
    reference: Sequence[tuple[Places, int]],
    before: Sequence[tuple[Places, int]] | None = None,
    known: VolumeRange = ANY_RANGE,
) -> tuple[Finding, ...]:
    """The finding that all of the last windows had far fewer rows than those before, or all far more.

    Args:
        before: The windows that are usual; None: all but the last ones.
        known: What the reference's windows had: by more than all of so many were off, in its seasons say.

    Returns:
        One finding, a notice; nothing where a window had no row, which is told by itself.

    >>> days = [({"week": day % 7}, 400 if day < 21 else 200) for day in range(28)]
    >>> lasting_findings(days, ())[0].parts
    LastingVolume(about='lasting volume', of='rows', total=1400, windows=7, usual=2800.0, least=None)
    >>> lasting_findings(days[:-1], ())
    ()
    """
    recent = history[-LASTING_WINDOWS:]
    before = history[:-LASTING_WINDOWS] if before is None else before
    usual = [usual_volumes(before, reference, places) for places, _ in recent]
    counts = [rows for _, rows in recent]
    if len(recent) < LASTING_WINDOWS or not all(usual) or min(map(min, usual)) < MIN_USUAL or not min(counts):
        return ()
    fewer_by, more_by = (max(LASTING_FACTOR, exp(limit)) for limit in (known.lasting_fewer, known.lasting_more))
    fewer = all(fewer_by * rows <= min(each) for rows, each in zip(counts, usual, strict=True))
    more = all(rows >= more_by * max(each) for rows, each in zip(counts, usual, strict=True))
    return _lasting(sum(counts), sum(each[0] for each in usual)) if fewer or more else ()


def still_lasting_findings(
    recent: Sequence[tuple[Places, int]],
    reference: Sequence[tuple[Places, int]],
    before: Counts,
    *,
    is_held: bool = False,
) -> tuple[Finding, ...]:
    """The finding of `lasting_findings` in a window after the first: it stands until the last windows are as before.

    It stands by their total, so that one window near the limit does not end it; a week that is half at the former level
    may end it.

    Args:
        before: The windows before the change.
        is_held: Whether it stands whatever the last windows are, as in an expected event.
    """
    usual = [usual_volumes(before, reference, places) for places, _ in recent]
    known = [(rows, each) for (_, rows), each in zip(recent, usual, strict=True) if each]
    total = sum(rows for rows, _ in known)
    fewer = OVER_FACTOR * total < sum(min(each) for _, each in known)
    more = total > OVER_FACTOR * sum(max(each) for _, each in known)
    return _lasting(total, sum(each[0] for _, each in known)) if fewer or more or is_held or not known else ()


def _lasting(total: int, expected: float) -> tuple[Finding, ...]:
    parts = LastingVolume(of="rows", total=total, windows=LASTING_WINDOWS, usual=expected)
    return (Finding(kind=LASTING, feature=LASTING_SUBJECT, fact=True, parts=parts),)


def fewer_label_findings(
    history: Sequence[tuple[Places, int]], rows: Sequence[int], waits: int, ordinary: Sequence[bool] | None = None
) -> tuple[Finding, ...]:
    """The finding that far fewer labels arrived in each of the last windows than usual, though not fewer rows.

    Args:
        history: Place in each period, and labels that arrived, of each window in order of time, the last one included.
        ordinary: Whether each window, the last one included, is usual; None: all are.

    Returns:
        One finding, a notice; nothing where no label came, which `monitoring.judging.label_silence` tells.

    >>> days = [({"week": day % 7}, 100 if day % 7 < 5 else 0) for day in range(42)]
    >>> half = [*days, *((at, labels // 2) for at, labels in days[:7])]
    >>> fewer_label_findings(half, [400] * 49, 2)[0].parts
    LastingVolume(about='lasting volume', of='labels', total=250, windows=7, usual=500.0, least=500)
    >>> fewer_label_findings(half, [*[400] * 40, *[200] * 9], 2), fewer_label_findings(days, [400] * 42, 2)
    ((), ())
    """
    ordinary = [True] * len(history) if ordinary is None else ordinary
    usual, first = labels_before(history, waits, ordinary), _first_labels(history, waits)
    labels, volumes = _totals([labels for _, labels in history[first:]]), _totals(rows)
    whole = [all(ordinary[place : place + LASTING_WINDOWS]) for place in range(first, first + len(labels))]
    total = labels[-1] if labels else 0
    before = [each for each, is_usual in list(zip(labels, whole, strict=True))[:-LASTING_WINDOWS] if is_usual]
    if len(before) < MIN_LABEL_TOTALS or not total or total >= min(before) or LASTING_FACTOR * total > median(before):
        return ()
    for places, count in history[-LASTING_WINDOWS:]:
        if LASTING_FACTOR * count > (usual_rows(usual, places) or 0.0) > 0.0:
            return ()
    if ROWS_FACTOR * min(volumes[-waits - 1 :]) < median(volumes[: -waits - LASTING_WINDOWS]):
        return ()
    return _fewer_labels(total, median(before), min(before))


def labels_before(history: Sequence[tuple[Places, int]], waits: int, ordinary: Sequence[bool]) -> Counts:
    """The usual windows before the last ones, from the first on in which labels of all ages can arrive."""
    first = _first_labels(history, waits)
    pairs = zip(history[first:-LASTING_WINDOWS], ordinary[first:-LASTING_WINDOWS], strict=True)
    return tuple(window for window, is_usual in pairs if is_usual)


def still_fewer_label_findings(
    recent: Sequence[tuple[Places, int]], before: Counts, *, is_held: bool = False
) -> tuple[Finding, ...]:
    """The finding of `fewer_label_findings` in a window after the first: it stands until as many come as before.

    Args:
        before: The windows before the change, those without labels too.
        is_held: Whether it stands whatever the last windows are, as in an expected event.
    """
    usual = [[labels for at, labels in before if at == places] for places, _ in recent]
    if min(map(len, usual), default=0) >= MIN_SAME_PLACE:
        expected = float(sum(median(counts) for counts in usual))
    else:
        expected = LASTING_WINDOWS * sum(labels for _, labels in before) / len(before)
    total = sum(labels for _, labels in recent)
    return _fewer_labels(total, expected) if is_held or not expected or OVER_FACTOR * total < expected else ()


def fewer_than_reference(
    completed: Sequence[tuple[int, int]], share: float, *, is_open: bool = False, is_held: bool = False
) -> tuple[Finding, ...]:
    """The finding that labels came for far fewer rows than of the reference, of windows that wait for none any more.

    All labels of such windows have come, whatever their delays and whenever they are delivered. By chance the rows of
    `FEW_LABEL_WINDOWS` windows would have to lack labels by `COUNT_ERRORS` standard deviations together, and each
    window by a third.

    Args:
        completed: Rows and labels of the last such windows, at most `LASTING_WINDOWS`.
        share: The reference's share of rows with labels.
        is_open: Whether the notice is open: it stands until labels come for nearly as many rows as of the reference.
        is_held: Whether it stands whatever the last windows are, as after an expected event.

    >>> fewer_than_reference([(200, 190)] * 4 + [(200, 100)] * 3, 0.98)[0].parts
    FewLabels(about='few labels', labels=300, rows=600, windows=3, share=0.98)
    >>> fewer_than_reference([(200, 150)] * 7, 0.98), fewer_than_reference([(200, 20)] * 7, 0.4)
    ((), ())
    """
    looked_at = completed if is_open else completed[-FEW_LABEL_WINDOWS:]
    if len(looked_at) < FEW_LABEL_WINDOWS:
        return ()
    rows, labels = (sum(counts) for counts in zip(*looked_at, strict=True))
    if is_open:
        few = is_held or OVER_FACTOR * labels < share * rows
    else:
        few = share >= MOST_LABELLED and labels > 0 and labels + COUNT_ERRORS * sqrt(share * rows) <= share * rows
        few = few and all(LASTING_FACTOR * of_window <= share * answered for answered, of_window in looked_at)
    if not few:
        return ()
    parts = FewLabels(labels=labels, rows=rows, windows=len(looked_at), share=share)
    return (Finding(kind=FEWER_LABELS, feature=FEWER_LABELS_SUBJECT, fact=True, parts=parts),)


def _fewer_labels(total: int, expected: float, least: int | None = None) -> tuple[Finding, ...]:
    parts = LastingVolume(of="labels", total=total, windows=LASTING_WINDOWS, usual=float(expected), least=least)
    return (Finding(kind=FEWER_LABELS, feature=FEWER_LABELS_SUBJECT, fact=True, parts=parts),)


def _first_labels(history: Sequence[tuple[Places, int]], waits: int) -> int:
    """The place of the first window in which labels of all ages can arrive."""
    return next((place for place, (_, labels) in enumerate(history) if labels), len(history)) + waits


def _totals(counts: Sequence[int]) -> tuple[int, ...]:
    """The totals of each `LASTING_WINDOWS` windows in a row."""
    return tuple(sum(counts[end - LASTING_WINDOWS : end]) for end in range(LASTING_WINDOWS, len(counts) + 1))
