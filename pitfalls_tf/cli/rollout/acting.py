"""What people do with a rollout, whatever it is: it is done, told, and shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitoring.config import load_config
from monitoring.documents.rollout import rollout_document
from monitoring.rollout.notifying import send_events
from monitoring.store.store import Store
from pitfalls_tf.cli.monitor.options import notifier
from pitfalls_tf.cli.rollout.status import rollout_of, show_rollout
from pitfalls_tf.cli.rollout.versions import author_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from monitoring.config import MonitorConfig
    from monitoring.records import RolloutRecord
    from monitoring.rollout.actions import Author
    from pitfalls_tf.cli.output import Output

    Act = Callable[[MonitorConfig, Store, RolloutRecord, Author], RolloutRecord]


def acted(act: Act, config_path: Path, number: int | None, by: str | None, output: Output) -> int:
    """Do something with a rollout, tell people, and show it."""
    config, author = load_config(config_path), author_of(by)
    with Store.open(config.store.url, make=False) as store:
        before = rollout_of(config, store, number)
        record = act(config, store, before, author)
        for rollout_number in {before.number, record.number}:
            send_events(config, store, store.rollouts.read(rollout_number), notifier(output), author.clock)
        events = store.rollouts.events(record.number)
    output.finish(rollout_document(record, events).plain(), lambda: show_rollout(record, events))
    return 0
