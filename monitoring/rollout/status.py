"""A rollout as it stands now: a shadow that has stopped working tells nothing; and how promises were kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from monitoring.records import RolloutEvent, RolloutRecord
from monitoring.rollout.evidence.verdict import CANNOT_TELL
from monitoring.rollout.life import promise_kept
from monitoring.rollout.rollout_settings import setting

#: A shadow that has not made a pass for so long is dead.
DEAD_AFTER = timedelta(hours=1)

#: Events with which a verdict comes.
_DECIDING = ("decided", "stopped", "promoted")


def as_of(record: RolloutRecord, now: datetime) -> RolloutRecord:
    """A rollout as of now: one whose shadow is dead can tell nothing, whatever it knew."""
    worked = setting(record.settings, "worked_at")
    if not record.goes_on or worked is None or record.result is None:
        return record
    at = datetime.fromisoformat(worked)
    if now - at <= DEAD_AFTER:
        return record
    obstacle = f"The shadow has not worked since {at:%Y-%m-%d %H:%M} UTC: `pitfalls rollout start` takes it up again."
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
