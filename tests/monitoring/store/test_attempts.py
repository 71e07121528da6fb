"""Attempts at windows in the store."""

from __future__ import annotations

from datetime import datetime, timedelta

from monitoring.records import WindowAttempt
from monitoring.store import Store
from monitoring.store.attempts import LONGEST_ERROR
from tests.monitoring.store.conftest import APRIL


def attempt(day: int, at: datetime) -> WindowAttempt:
    start = APRIL + timedelta(days=day)
    return WindowAttempt(start=start, end=start + timedelta(days=1), attempts=1, started_at=at)


def test_attempts_are_counted_and_the_last_one_says_how_it_ended(store: Store, deployment: int) -> None:
    noon = APRIL + timedelta(days=9, hours=12)
    first, second = attempt(0, noon), attempt(1, noon)
    store.attempts.begin(deployment, first, checkpoint=False)
    assert store.attempts.read(deployment) == (first,)  # as one that was killed stays
    store.attempts.begin(deployment, attempt(0, noon + timedelta(hours=1)), checkpoint=False)
    store.attempts.end(deployment, first.start, at=noon + timedelta(hours=2), error="x" * 2 * LONGEST_ERROR)
    (failed,) = store.attempts.read(deployment)
    assert (failed.attempts, failed.started_at, failed.judged_at) == (2, noon + timedelta(hours=1), None)
    assert len(failed.error) == LONGEST_ERROR
    store.attempts.begin(deployment, second, checkpoint=False)
    store.attempts.end(deployment, second.start, at=noon)
    (judged,) = store.attempts.read(deployment, since=second.start)
    assert (judged.attempts, judged.judged_at, judged.error) == (1, noon, "")
