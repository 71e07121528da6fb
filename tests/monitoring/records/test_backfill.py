"""Attempts at windows, and backfills."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from monitoring.records import Backfill, WindowAttempt

DAY = datetime(2026, 4, 5, tzinfo=UTC)


def test_an_attempt_is_unfinished_until_the_window_is_judged() -> None:
    begun = WindowAttempt(start=DAY, end=DAY + timedelta(days=1), attempts=2, started_at=DAY)
    assert [one.unfinished for one in (begun, replace(begun, error="gone"), replace(begun, judged_at=DAY))] == [
        True,
        True,
        False,
    ]


def test_a_backfill_has_judged_nothing_by_itself() -> None:
    made = Backfill(start=DAY, end=DAY, until=DAY, by="ada", at=DAY)
    assert (made.only, made.revised, made.ended_at, made.number) == (None, 0, None, 0)
