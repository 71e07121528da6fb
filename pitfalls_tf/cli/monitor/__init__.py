"""``pitfalls monitor``: monitor traffic within a false-alarm budget."""

from __future__ import annotations

from collections.abc import Mapping

from pitfalls_tf.cli.group import LazyGroup, Verb

VERBS: Mapping[str, Verb] = {
    "init": Verb("pitfalls_tf.cli.monitor.init", "Write a monitor.toml for a bundle or a table."),
    "run": Verb("pitfalls_tf.cli.monitor.run", "Evaluate every due window once."),
    "status": Verb("pitfalls_tf.cli.monitor.status", "Show windows, incidents and evidence so far."),
    "rebaseline": Verb("pitfalls_tf.cli.monitor.rebaseline", "Make windows of the traffic the new normal."),
    "report": Verb("pitfalls_tf.cli.monitor.report", "Write the report page and a drift report of one window."),
    "export": Verb("pitfalls_tf.cli.monitor.export", "Write windows, scores or incidents to a Parquet or CSV file."),
    "account": Verb("pitfalls_tf.cli.monitor.account", "Write an account of a period that an outsider can check."),
    "schedule": Verb(
        "pitfalls_tf.cli.monitor.schedule", "Run the monitor on the schedule of the config, in the foreground."
    ),
    "serve": Verb(
        "pitfalls_tf.cli.monitor.serve", "Run many monitors, each on its own schedule, and serve their dashboard."
    ),
    "deployments": Verb("pitfalls_tf.cli.monitor.deployments", "List the deployments of the config's store."),
    "fleet": Verb("pitfalls_tf.cli.monitor.fleet", "Show one budget of pages for all deployments of the store."),
    "runs": Verb("pitfalls_tf.cli.monitor.runs", "List the last runs of the monitor."),
    "windows": Verb("pitfalls_tf.cli.monitor.windows", "List the last windows with their states."),
    "backfill": Verb("pitfalls_tf.cli.monitor.backfill", "Judge a range of windows, late or again."),
    "migrate": Verb("pitfalls_tf.cli.monitor.migrate", "Bring the config's store to this release."),
    "leases": Verb("pitfalls_tf.cli.monitor.leases", "List the leases of the config's store, or end one."),
    "remove": Verb("pitfalls_tf.cli.monitor.remove", "Say that a config was removed on purpose."),
    "ui": Verb("pitfalls_tf.cli.monitor.ui", "Serve the dashboard of one or many deployments."),
    "incidents": Verb("pitfalls_tf.cli.monitor.incidents", "Look at incidents, and act on them."),
    "import-rules": Verb(
        "pitfalls_tf.cli.monitor.import_rules", "Write rules of another tool as sections of a config."
    ),
    "notify": Verb("pitfalls_tf.cli.monitor.notify", "See and test how people are notified."),
}

command = LazyGroup(
    "monitor",
    verbs=VERBS,
    help="Monitor traffic for data drift and performance regression, within a false-alarm budget.",
)
