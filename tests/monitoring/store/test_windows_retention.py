"""Details of old windows are deleted, and what explains an incident is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from monitoring.records import Finding, IncidentRecord, WindowRecord
from monitoring.store import Store
from tests.monitoring.store.conftest import APRIL


def test_old_windows_lose_their_details_but_not_those_of_an_incident(
    store: Store, deployment: int, window: Callable[..., WindowRecord], incident: IncidentRecord
) -> None:
    for day in range(12):
        opened: tuple[IncidentRecord, ...] = ()
        if day == 6:
            begin = APRIL + timedelta(days=day)
            end = begin + timedelta(days=1)
            closed = begin + timedelta(days=2)
            opened = (replace(incident, window_start=begin, window_end=end, opened_at=end, closed_at=closed),)
        found = replace(window(day), findings=(Finding(kind="unseen values", feature="x", message="One."),))
        store.commit_window(deployment, found, states={}, label_cursor={}, incidents=opened)
    before = store.windows.read(deployment)
    assert store.windows.forget_details(deployment, APRIL + timedelta(days=10), around=2) == 3
    after = store.windows.read(deployment)
    assert [bool(one.scores) for one in after] == [*[False] * 3, *[True] * 9]
    assert [bool(one.findings) for one in after] == [bool(one.scores) for one in after]
    assert [replace(one, scores=(), findings=()) for one in after] == [
        replace(one, scores=(), findings=()) for one in before
    ]
    assert store.windows.forget_details(deployment, APRIL + timedelta(days=10), around=2) == 0
