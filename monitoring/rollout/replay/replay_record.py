"""Keeps a finished replay in the store, so that it has its page and its number."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from monitoring.records import RolloutEvent, RolloutRecord
from monitoring.rollout.log.versions import Versions
from monitoring.rollout.replay.log_replay import LogReplay, ReplayRequest
from monitoring.rollout.rollout_settings import iso, settings_text
from monitoring.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who did something with a rollout, when, and with which release of this library."""

    by: str
    at: datetime
    release: str


def save_replay(
    store: Store, versions: Versions, request: ReplayRequest, found: LogReplay, author: Author
) -> RolloutRecord:
    """Add a replay to the store, with its windows.

    Args:
        store: The store.
        versions: The versions.
        request: What was replayed.
        found: What it found.
        author: Who began it, and when.

    Returns:
        The record, with its number.
    """
    result = found.result.result
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
        started_at=author.at,
        ended_at=author.at,
        by=author.by,
        release=author.release,
        scale=found.result.measures.scale,
        result=result,
    )
    number = store.rollouts.begin(record)
    windows = [
        (
            one.evidence.start,
            one.evidence.end,
            json.dumps({**one.evidence.document(), "chosen": one.chosen, "logged": one.logged}),
        )
        for one in found.windows
    ]
    event = RolloutEvent(at=author.at, kind="finished", by=author.by, text=f"Replayed: {result.verdict}.")
    record = store.rollouts.one(number)
    store.rollouts.save_windows(record, windows, [event])
    return record
