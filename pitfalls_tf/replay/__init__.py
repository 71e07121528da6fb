"""Drives a server with a table's rows in event-time order, labels following as their time comes."""

from __future__ import annotations

from pitfalls_tf.replay.driver import ReplayLink, ReplayProgress, ReplaySummary, replay
from pitfalls_tf.replay.plan import ReplayPlan
from pitfalls_tf.replay.resume import NOTHING, AlreadyLogged, already_logged

__all__ = [
    "NOTHING",
    "AlreadyLogged",
    "ReplayLink",
    "ReplayPlan",
    "ReplayProgress",
    "ReplaySummary",
    "already_logged",
    "replay",
]
