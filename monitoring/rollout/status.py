"""A rollout as it stands now: one whose worker has stopped tells nothing; and how promises were kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from monitoring.records import RolloutEvent, RolloutRecord
from monitoring.rollout.evidence.terms import CANNOT_TELL
from monitoring.rollout.life import promise_kept
from monitoring.rollout.rollout_settings import setting

#: A worker that has made no pass for so long is dead.
DEAD_AFTER = timedelta(minutes=15)

#: Events with which a verdict comes.
_DECIDING = ("decided", "stopped", "promoted")


def last_pass(record: RolloutRecord) -> datetime | None:
    """When the rollout's worker made its last pass; None where it needs none."""
    worked = setting(record.settings, "worked_at")
    return None if not record.goes_on or worked is None else datetime.fromisoformat(worked)


def dead_text(record: RolloutRecord, now: datetime) -> str:
    """That the rollout's worker is dead, and what to do; empty where it is not."""
    at = last_pass(record)
    if at is None or now - at <= DEAD_AFTER:
        return ""
    return f"The worker has made no pass since {at:%Y-%m-%d %H:%M} UTC: `pitfalls rollout start` takes it up again."


def as_of(record: RolloutRecord, now: datetime) -> RolloutRecord:
    """A rollout as of now: one whose worker is dead can tell nothing, whatever it knew."""
    obstacle = dead_text(record, now)
    if not obstacle or record.result is None:
        return record
    result = replace(
        record.result,
        verdict=CANNOT_TELL,
        promotable=False,
        obstacles=(obstacle, *record.result.obstacles),
        reasons=(obstacle, *record.result.reasons),
    )
    return replace(record, result=result)


def verdict_time(events: Sequence[RolloutEvent]) -> datetime | None:
    """When the verdict came; None before it has."""
    return next((event.at for event in events if event.kind in _DECIDING), None)


def promises_kept(rollouts: Sequence[tuple[RolloutRecord, Sequence[RolloutEvent]]]) -> tuple[int, int]:
    """How many verdicts came in the promised time, and how many were promised one."""
    on_time = promised = 0
    for record, events in rollouts:
        at = verdict_time(events)
        promise = None if at is None else promise_kept(record, at)
        if promise is not None:
            promised += 1
            on_time += promise[2]
    return on_time, promised
