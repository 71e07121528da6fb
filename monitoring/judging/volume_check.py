"""How many rows and labels a window has, by what is usual: findings, and what is usual from then on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import median

from monitoring.judging.facts.traffic_volume import (
    ANY_RANGE,
    fewer_label_findings,
    fewer_than_reference,
    labels_before,
    lasting_findings,
    still_fewer_label_findings,
    still_lasting_findings,
    usual_volumes,
    volume_findings,
)
from monitoring.judging.facts.usual_level import (
    FEWER_LABELS_SUBJECT,
    LASTING_SUBJECT,
    LASTING_WINDOWS,
    Counts,
    Places,
    UsualLevel,
    UsualLevels,
)
from monitoring.judging.facts.volume_range import MIN_ANY_PLACE, VolumeRange, gap_lengths
from monitoring.records import Finding, WindowRecord

#: What a check of a count gives: its findings, and what is usual of it afterwards.
Checked = tuple[tuple[Finding, ...], UsualLevel]


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowVolume:
    """The rows and labels of a window, and those of the windows before it.

    Attributes:
        places: Place in each period of each window, this one the last.
        rows: Rows of each window, repeats included.
        labels: Labels that arrived in each.
        waits: Windows in which labels of a window's rows arrive.
        is_open: Whether rows may come still.
        is_expected: Whether the window is in an expected event.
    """

    start: datetime
    history: Sequence[WindowRecord]
    places: Sequence[Places]
    rows: Sequence[int]
    labels: Sequence[int]
    waits: int
    is_open: bool = False
    is_expected: bool = False

    @property
    def began(self) -> datetime:
        """When the first of the last `LASTING_WINDOWS` windows began."""
        starts = (*(window.start for window in self.history), self.start)
        return starts[-LASTING_WINDOWS:][0]

    def had_event(self, windows: int) -> bool:
        """Whether one of so many windows before this one was in an expected event."""
        return any(record.expected for record in self.history[-windows:])

    def counts(self, values: Sequence[int]) -> Counts:
        """Places and values of all windows."""
        return tuple(zip(self.places, values, strict=True))


def check_volume(
    window: WindowVolume, levels: UsualLevels, reference: Counts, label_share: float, known: VolumeRange = ANY_RANGE
) -> tuple[tuple[Finding, ...], UsualLevels]:
    """Check how many rows and labels a window has.

    In an expected event, and while rows may come still, no finding is new and none ends.

    Args:
        reference: Place and rows of the reference's windows.
        label_share: The reference's share of rows with labels.
        known: What numbers of rows the reference's windows had.

    Returns:
        The findings, and what is usual from then on.
    """
    live = window.counts(window.rows)
    is_empty = not window.rows[-1] and window.places[-1] in known.empty_places
    usual = usual_volumes(live[:-1], reference, window.places[-1])
    if is_empty:  # says nothing by itself, and does not end a time without rows
        usual = _median_rows((*live, *reference)) if levels.gap else ()
    is_held = window.is_expected or (window.is_open and window.rows[-1] < min(usual, default=0))
    gap = levels.gap if is_held or is_empty else _gap(window, levels.gap, known)
    volume = () if is_held else volume_findings(window.rows[-1], usual, known, gap=gap)
    rows, rows_level = _rows(window, levels.rows, reference, known, is_held=is_held)
    labels, labels_level = _labels(window, levels.labels, levels.completed, label_share, is_held=is_held)
    return (*volume, *rows, *labels), replace(levels, rows=rows_level, labels=labels_level, gap=gap)


def _median_rows(counts: Counts) -> tuple[float, ...]:
    """The median number of rows of the windows that have some, as of `usual_volumes`."""
    rows = [rows for _, rows in counts if rows]
    return (float(median(rows)),) if rows else ()


def _gap(window: WindowVolume, before: int, known: VolumeRange) -> int:
    """The windows in a row without rows, this one the last: as counted so far, or as far as windows are looked back."""
    if window.rows[-1]:
        return 0
    live = zip(window.counts(window.rows), (*(record.expected for record in window.history), None), strict=True)
    return max(before + 1, gap_lengths([count for count, event in live if event is None], known.empty_places)[-1])


def _rows(window: WindowVolume, level: UsualLevel, reference: Counts, known: VolumeRange, *, is_held: bool) -> Checked:
    """Whether the last windows have another number of rows than usual."""
    live = window.counts(window.rows)
    if level.is_changed:
        is_held = is_held or window.had_event(LASTING_WINDOWS)
        findings = still_lasting_findings(live[-LASTING_WINDOWS:], reference, level.before, is_held=is_held)
        return findings, level if findings else level.over()
    if is_held:
        return (), level
    ordinary = level.ordinary(window.history, LASTING_SUBJECT)[: 1 - LASTING_WINDOWS]
    before = tuple(one for one, is_usual in zip(live, ordinary, strict=False) if is_usual)
    findings = lasting_findings(live, reference, before, known)
    if findings and sum(rows > 0 for _, rows in before) >= MIN_ANY_PLACE:
        level = level.changed(began=window.began, before=before)
    return findings, level


def _labels(
    window: WindowVolume, level: UsualLevel, completed: Sequence[tuple[int, int]], share: float, *, is_held: bool
) -> Checked:
    """Whether fewer labels arrive than usual, or than of the reference; nothing new is usual after an event."""
    labels = window.counts(window.labels)
    is_held = is_held or window.had_event(window.waits + LASTING_WINDOWS)
    if level.share:
        findings = fewer_than_reference(completed, level.share, is_open=True, is_held=is_held)
        return findings, level if findings else level.over()
    if level.before:
        findings = still_fewer_label_findings(labels[-LASTING_WINDOWS:], level.before, is_held=is_held)
        return findings, level if findings else level.over()
    if is_held:
        return (), level
    ordinary = (*level.ordinary(window.history, FEWER_LABELS_SUBJECT), True)
    findings = fewer_label_findings(labels, window.rows, window.waits, ordinary)
    if findings:
        before = labels_before(labels, window.waits, ordinary)
        return findings, level.changed(began=window.began, before=before)
    findings = () if level.accepted else fewer_than_reference(completed, share)
    return findings, level.changed(began=window.began, share=share) if findings else level
