"""``pitfalls rollout``: whether a candidate version is better than the champion, by evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pitfalls_tf.cli.group import LazyGroup, Verb

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["VERBS", "command"]

VERBS: Mapping[str, Verb] = {
    "replay": Verb("pitfalls_tf.cli.rollout.replay", "Compare two versions on rows whose labels are there already."),
}

command = LazyGroup(
    "rollout", verbs=VERBS, help="Decide by evidence whether a new version is better than the one in use."
)
