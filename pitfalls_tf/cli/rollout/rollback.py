"""``pitfalls rollout rollback``: take a promotion back."""

from __future__ import annotations

from pathlib import Path

import click

from monitoring.rollout.actions import take_back
from pitfalls_tf.cli.monitor.options import config_option
from pitfalls_tf.cli.output import Output, with_output
from pitfalls_tf.cli.rollout.acting import acted
from pitfalls_tf.cli.rollout.status import rollout_option
from pitfalls_tf.cli.rollout.versions import by_option


@click.command()
@config_option
@rollout_option
@by_option
@with_output
def command(config_path: Path, *, number: int | None, by: str | None, output: Output) -> int:
    """Put the former champion in use again."""
    return acted(take_back, config_path, number, by, output)
