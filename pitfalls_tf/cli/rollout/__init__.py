"""``pitfalls rollout``: whether a candidate version is better than the champion, by evidence."""

from __future__ import annotations

from collections.abc import Mapping

from pitfalls_tf.cli.group import LazyGroup, Verb

VERBS: Mapping[str, Verb] = {
    "plan": Verb("pitfalls_tf.cli.rollout.plan", "Say when a verdict comes, before anything runs."),
    "replay": Verb("pitfalls_tf.cli.rollout.replay", "Compare two versions on rows whose labels are there already."),
    "start": Verb("pitfalls_tf.cli.rollout.start", "Run a rollout in the foreground until it ends."),
    "work": Verb("pitfalls_tf.cli.rollout.work", "Keep a worker at every rollout that goes on."),
    "status": Verb("pitfalls_tf.cli.rollout.status", "Show what is known of a rollout."),
    "label": Verb("pitfalls_tf.cli.rollout.label", "Write rows on which the versions disagree, for a person to label."),
    "promote": Verb("pitfalls_tf.cli.rollout.promote", "Put the candidate in use."),
    "rollback": Verb("pitfalls_tf.cli.rollout.rollback", "Put the former champion in use again."),
    "stop": Verb("pitfalls_tf.cli.rollout.stop", "End a rollout; the version in use stays."),
    "list": Verb("pitfalls_tf.cli.rollout.status:list_command", "List the rollouts of the config's store."),
}

command = LazyGroup(
    "rollout", verbs=VERBS, help="Decide by evidence whether a new version is better than the one in use."
)
