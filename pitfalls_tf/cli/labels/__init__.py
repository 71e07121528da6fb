"""``pitfalls labels``: labels of logged predictions."""

from __future__ import annotations

from collections.abc import Mapping

from pitfalls_tf.cli.group import LazyGroup, Verb

__all__ = ["VERBS", "command"]

VERBS: Mapping[str, Verb] = {
    "add": Verb("pitfalls_tf.cli.labels.add", "Add the labels in FILE to a traffic log: all of them, or none."),
    "ask": Verb("pitfalls_tf.cli.labels.ask", "Draw rows of the traffic for a person to label."),
    "plan": Verb("pitfalls_tf.cli.labels.plan", "Say how soon a rise of a loss is told with a budget of labels."),
}

command = LazyGroup("labels", verbs=VERBS, help="Ask for labels, and add them to a traffic log.")
