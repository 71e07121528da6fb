"""``pitfalls monitor rules``: rules about data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pitfalls_tf.cli.group import LazyGroup, Verb

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["VERBS", "command"]

VERBS: Mapping[str, Verb] = {
    "import": Verb(
        "pitfalls_tf.cli.monitor.rules.import_rules", "Write rules of another tool as sections of a config."
    ),
}

command = LazyGroup("rules", verbs=VERBS, help="Take over rules about data.")
