"""``pitfalls labels``: labels of logged predictions."""

from __future__ import annotations

from collections.abc import Mapping

from pitfalls_tf.cli.group import LazyGroup, Verb

__all__ = ["VERBS", "command"]

VERBS: Mapping[str, Verb] = {
    "add": Verb("pitfalls_tf.cli.labels.add", "Add the labels in FILE to a traffic log: all of them, or none.")
}

command = LazyGroup("labels", verbs=VERBS, help="Add labels to a traffic log.")
