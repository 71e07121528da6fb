"""``pitfalls monitor``: watch live traffic, within one budget of false alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pitfalls_tf.cli.group import LazyGroup, Verb

if TYPE_CHECKING:
    from collections.abc import Mapping

VERBS: Mapping[str, Verb] = {
    "init": Verb("pitfalls_tf.cli.monitor.init", "Write a monitor.toml for a bundle or a table."),
    "run": Verb("pitfalls_tf.cli.monitor.run", "Judge every window that is due, once."),
    "status": Verb("pitfalls_tf.cli.monitor.status", "Show what was judged so far."),
    "report": Verb("pitfalls_tf.cli.monitor.report", "Write the report page and a window's drift report."),
    "schedule": Verb("pitfalls_tf.cli.monitor.schedule", "Run the job at the times of the config, in the foreground."),
    "acknowledge": Verb("pitfalls_tf.cli.monitor.acknowledge", "Say that somebody has seen an incident."),
}

command = LazyGroup(
    "monitor",
    verbs=VERBS,
    help="Monitor traffic for data drift and performance regression, within a false-alarm budget.",
)
