"""Replays a table to a server: rows in event-time order, labels in the order of their times."""

from __future__ import annotations

from pitfalls_tf.replay.driver import (
    NOTHING_LOGGED,
    LoggedTraffic,
    ReplayOptions,
    ReplayProgress,
    ReplaySummary,
    already_logged,
    replay,
)
from pitfalls_tf.replay.plan import ReplayPlan

__all__ = [
    "NOTHING_LOGGED",
    "LoggedTraffic",
    "ReplayOptions",
    "ReplayPlan",
    "ReplayProgress",
    "ReplaySummary",
    "already_logged",
    "replay",
]
