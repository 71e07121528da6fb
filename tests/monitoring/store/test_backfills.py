"""Backfills in the store: what windows were before, and when a backfill ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from monitoring.errors import CannotRun
from monitoring.records import Backfill, WindowAttempt, WindowRecord
from monitoring.store import Store
from monitoring.store.checks import Check
from tests.monitoring.store.conftest import APRIL

NOW = APRIL + timedelta(days=9)
ASKED = Backfill(start=APRIL, end=APRIL + timedelta(days=2), by="ada", at=NOW, only="missing", until=NOW)


def judge(store: Store, deployment: int, window: WindowRecord) -> None:
    begun = WindowAttempt(start=window.start, end=window.end, attempts=1, started_at=NOW)
    store.attempts.begin(deployment, begun, checkpoint=True)
    store.commit_window(deployment, window, states={"page": "p"}, label_cursor={}, incidents=())


def test_what_windows_were_is_kept_of_each_backfill(
    store: Store, deployment: int, window: Callable[..., WindowRecord]
) -> None:
    for number in range(3):
        judge(store, deployment, window(number))
    store.deployments.save_check(deployment, Check(checked_at=NOW, inputs="i", traffic_state="t"))
    early = APRIL + timedelta(days=1, hours=6)
    first = store.backfills.begin(deployment, ASKED, again_from=window(1).start, checked_at=early)
    assert first == replace(ASKED, revised=2, number=1)
    assert store.windows.read(deployment) == (window(0),)
    check = store.deployments.check(deployment)
    assert (check.checked_at, check.inputs, check.traffic_state) == (early, "", "")  # the next run does not skip them
    judge(store, deployment, replace(window(1), rows=7))
    second = store.backfills.begin(deployment, ASKED, again_from=window(1).start, checked_at=None)
    store.backfills.end(deployment, NOW)
    assert store.backfills.read(deployment) == (replace(second, ended_at=NOW), replace(first, ended_at=NOW))
    found = store.backfills.revisions(deployment)
    assert {start: [(one.backfill, one.rows) for one in each] for start, each in found.items()} == {
        window(1).start: [(1, 900), (2, 7)],
        window(2).start: [(1, 900)],
    }
    was = found[window(2).start][0]
    assert (was.labels, was.status, was.page_log_evidence) == (850, "ok", window(2).page_log_evidence)
    assert store.backfills.revisions(deployment, window(1).end).keys() == {window(2).start}


def test_a_backfill_of_windows_that_were_never_judged_puts_nothing_back(store: Store, deployment: int) -> None:
    begun = store.backfills.begin(deployment, replace(ASKED, only=None), again_from=None, checked_at=None)
    assert (begun.revised, begun.only) == (0, None)
    assert store.backfills.revisions(deployment) == {}


def test_a_window_without_a_checkpoint_is_not_put_back(
    store: Store, deployment: int, window: Callable[..., WindowRecord]
) -> None:
    judge(store, deployment, window(0))
    with pytest.raises(CannotRun, match="cannot be judged again"):
        store.backfills.begin(deployment, ASKED, again_from=APRIL + timedelta(days=1), checked_at=None)
    assert store.backfills.read(deployment) == ()
