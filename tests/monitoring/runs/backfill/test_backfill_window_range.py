"""Which windows of a range are judged, from which one on, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from monitoring.errors import BadInput
from monitoring.records import Only, WindowRecord
from monitoring.runs.backfill import KnownWindows, WindowRange
from monitoring.traffic.windows import Window

MAY = datetime(2026, 5, 1, tzinfo=UTC)


def day(number: int) -> datetime:
    return MAY + timedelta(days=number)


def judged(number: int, rows: int) -> WindowRecord:
    return WindowRecord(
        start=day(number),
        end=day(number + 1),
        rows=rows,
        labels=0,
        labels_due=0,
        labels_unknown=0,
        repeats=0,
        status="ok",
        page_log_evidence=0.0,
        notice_log_evidence=0.0,
    )


def known(
    rows: Sequence[int], now: Sequence[int], *, due: Sequence[int] = (), failed: bool = False, kept_from: int = 0
) -> KnownWindows:
    """Days from the first on that were judged with so many rows and have so many now, and those that are due."""
    return KnownWindows(
        judged=[judged(number, one) for number, one in enumerate(rows)],
        counts=np.array([(2 * one, one) for one in now], np.int64).reshape(-1, 2),
        due=[Window(start=day(number), end=day(number + 1)) for number in due],
        failed=failed,
        rejudgeable=[day(number) for number in range(kept_from, len(rows))],
    )


@pytest.mark.parametrize(
    ("only", "first", "last", "again"),
    [(None, 0, 3, 0), (None, 1, 2, 1), ("missing", 0, 3, 1), ("missing", 2, 3, None), ("failed", 0, 3, None)],
)
def test_judging_again_begins_at_the_first_window_that_is_asked_for(
    only: Only | None, first: int, last: int, again: int | None
) -> None:
    asked = WindowRange(start=day(first), end=day(last), only=only)
    state = known([9, 0, 9], [9, 9, 9])
    within = KnownWindows(
        judged=state.judged[first:], counts=state.counts[first:], due=(), failed=False, rejudgeable=state.rejudgeable
    )
    assert asked.again_from(within) == (None if again is None else day(again))


@pytest.mark.parametrize(
    ("only", "first", "failed", "new"),
    [
        (None, 2, False, True),
        ("missing", 2, False, True),
        ("failed", 2, False, False),
        ("failed", 2, True, True),
        ("failed", 3, True, False),
        (None, 4, False, False),
    ],
)
def test_windows_that_are_due_are_new_and_the_first_of_them_may_have_failed(
    only: Only | None, first: int, failed: bool, new: bool
) -> None:
    asked = WindowRange(start=day(first), end=day(9), only=only)
    assert asked.has_new(known([9, 9], [9, 9], due=[2, 3], failed=failed)) is new


def test_windows_before_the_range_that_are_not_judged_come_first() -> None:
    asked = WindowRange(start=day(3), end=day(9))
    with pytest.raises(BadInput, match=r"judged in order.*from 2026-05-03T00:00 or before"):
        asked.again_from(known([], [], due=[2, 3]))


def test_a_window_without_a_checkpoint_cannot_be_judged_again() -> None:
    asked = WindowRange(start=day(0), end=day(9))
    with pytest.raises(BadInput, match=r"begins at 2026-05-01T00:00 UTC; expected one from 2026-05-02T00:00 UTC on"):
        asked.again_from(known([9, 9], [9, 9], kept_from=1))
    with pytest.raises(BadInput, match="none, as no evidence of before is kept"):
        asked.again_from(known([9, 9], [9, 9], kept_from=2))


def test_rows_that_are_gone_are_missed_also_after_the_range() -> None:
    asked = WindowRange(start=day(0), end=day(1))
    with pytest.raises(BadInput, match="Got 8 of 9 rows of the window that begins at 2026-05-02T00:00 UTC"):
        asked.again_from(known([9, 9], [9, 8]))


def test_a_range_ends_after_it_begins() -> None:
    with pytest.raises(BadInput, match="Not a range"):
        WindowRange(start=day(2), end=day(2))
