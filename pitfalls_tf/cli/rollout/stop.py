"""``pitfalls rollout stop``: end a rollout."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitoring.rollout.actions import stop
from pitfalls_tf.cli.monitor.options import config_option
from pitfalls_tf.cli.output import with_output
from pitfalls_tf.cli.rollout.acting import acted
from pitfalls_tf.cli.rollout.status import rollout_option
from pitfalls_tf.cli.rollout.versions import by_option

if TYPE_CHECKING:
    from monitoring.config import MonitorConfig
    from monitoring.records import RolloutRecord
    from monitoring.rollout.actions import Author
    from monitoring.store.store import Store
    from pitfalls_tf.cli.output import Output


@click.command()
@config_option
@rollout_option
@click.option("--reason", default="", metavar="TEXT", help="Why; kept with the rollout.")
@by_option
@with_output
def command(config_path: Path, *, number: int | None, reason: str, by: str | None, output: Output) -> int:
    """End a rollout; the version in use stays."""

    def stopped(config: MonitorConfig, store: Store, record: RolloutRecord, author: Author) -> RolloutRecord:
        return stop(config, store, record, author, reason)

    return acted(stopped, config_path, number, by, output)
