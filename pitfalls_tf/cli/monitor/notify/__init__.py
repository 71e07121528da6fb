"""``pitfalls monitor notify``: the routes by which people are notified."""

from __future__ import annotations

from collections.abc import Mapping

from pitfalls_tf.cli.group import LazyGroup, Verb

__all__ = ["VERBS", "command"]

VERBS: Mapping[str, Verb] = {
    "list": Verb("pitfalls_tf.cli.monitor.notify.list", "List notifications that are pending or were given up."),
    "retry": Verb("pitfalls_tf.cli.monitor.notify.retry", "Send again what did not reach everybody."),
    "test": Verb("pitfalls_tf.cli.monitor.notify.test", "Send a marked test along each route of the config."),
}

command = LazyGroup("notify", verbs=VERBS, help="See and test how people are notified.")
