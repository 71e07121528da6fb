"""A rollout as it stands now."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitoring.records import RolloutEvent
from monitoring.rollout.rollout_settings import iso, with_setting
from monitoring.rollout.status import DEAD_AFTER, as_of, promises_kept
from tests.monitoring.rollout.records import START, promised, result_of, rollout


def test_a_dead_shadow_tells_nothing_whatever_it_knew() -> None:
    record = rollout(result=result_of("better", promotable=True))
    record = replace(record, settings=with_setting(record.settings, "worked_at", iso(START)))
    assert as_of(record, START + DEAD_AFTER) == record
    dead = as_of(record, START + DEAD_AFTER + timedelta(seconds=1)).result
    assert dead is not None
    assert (dead.verdict, dead.promotable) == ("can't tell yet", False)
    assert "has made no pass since 2026-03-01 00:00 UTC" in dead.reasons[0]
    ended = replace(record, state="promoted", ended_at=START)
    assert as_of(ended, START + timedelta(days=900)) == ended


@pytest.mark.parametrize(("days", "kept"), [(7, 1), (9, 0)])
def test_promises_are_scored_by_when_the_verdict_came(days: int, kept: int) -> None:
    record = rollout(plan=promised((-0.02, "better", 8.0)), result=result_of("better"))
    events = [
        RolloutEvent(at=START, kind="started", by="a", text=""),
        RolloutEvent(at=START + timedelta(days=days), kind="decided", by="a", text=""),
        RolloutEvent(at=START + timedelta(days=30), kind="promoted", by="a", text=""),
    ]
    assert promises_kept([(record, events), (record, events[:1]), (rollout(), events)]) == (kept, 1)
