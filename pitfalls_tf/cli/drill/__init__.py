"""``pitfalls drill``: faults planted in replayed traffic."""

from __future__ import annotations

from collections.abc import Mapping

from pitfalls_tf.cli.group import LazyGroup, Verb

__all__ = ["VERBS", "command"]

VERBS: Mapping[str, Verb] = {
    "run": Verb("pitfalls_tf.cli.drill.run", "Plant faults in replayed traffic, and see whether the monitor tells."),
    "rollout": Verb(
        "pitfalls_tf.cli.drill.rollout",
        "Promote bad versions by force in logged traffic, and see whether each is taken back.",
    ),
    "list": Verb("pitfalls_tf.cli.drill.list", "List the faults that can be planted, and past drills."),
}

command = LazyGroup("drill", verbs=VERBS, help="Prove on your own traffic that your own monitor tells, and how soon.")
