"""``pitfalls rollout promote``: put the candidate in use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitoring.rollout.actions import promote
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
@click.option("--force", is_flag=True, help="Promote although the evidence does not allow it; recorded.")
@by_option
@with_output
def command(config_path: Path, *, number: int | None, force: bool, by: str | None, output: Output) -> int:
    """Put the candidate in use.

    The evidence has to allow it, or --force. A candidate's folder becomes a version's; the server's model config file,
    where the config names it, is rewritten, and the verb waits until the server has taken it. The former champion goes
    on in the dark: run `pitfalls rollout start` for it.
    """

    def promoted(config: MonitorConfig, store: Store, record: RolloutRecord, author: Author) -> RolloutRecord:
        return promote(config, store, record, author, force=force)

    return acted(promoted, config_path, number, by, output)
