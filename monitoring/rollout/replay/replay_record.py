"""Keeps a finished replay in the store, so that it has its page and its number."""

from __future__ import annotations

from datetime import datetime

from monitoring.records import RolloutEvent, RolloutRecord
from monitoring.rollout.actions import Author
from monitoring.rollout.log.versions import Versions
from monitoring.rollout.replay.log_replay import LogReplay, ReplayRequest
from monitoring.rollout.rollout_settings import iso, settings_text
from monitoring.store.store import Store


def save_replay(
    store: Store, versions: Versions, request: ReplayRequest, replay: LogReplay, author: Author, started: datetime
) -> RolloutRecord:
    """Add a replay to the store, with its windows."""
    result = replay.result.result
    settings = settings_text(
        request.rules, since=iso(request.since), until=iso(request.until), trained_until=iso(versions.trained_until)
    )
    record = RolloutRecord(
        name=versions.config.name,
        model=versions.config.model.name,
        champion=versions.champion,
        candidate=versions.candidate,
        mode="replay",
        share=request.share,
        salt=request.salt,
        settings=settings,
        state="finished",
        started_at=started,
        ended_at=max(author.clock(), started),
        by=author.by,
        release=author.release,
        scale=replay.result.measures.scale,
        result=result,
    )
    windows = [(window.evidence.start, window.evidence.end, window.text()) for window in replay.windows]
    event = RolloutEvent(
        at=max(author.clock(), started), kind="finished", by=author.by, text=f"Replayed: {result.verdict}."
    )
    return store.rollouts.read(store.rollouts.add_replay(record, windows, event))
