"""``pitfalls monitor acknowledge``: somebody has seen an incident."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from monitoring.errors import BadInput
from pitfalls_tf.cli.monitor.options import config_option, deployment_of
from pitfalls_tf.cli.output import with_output

if TYPE_CHECKING:
    from pathlib import Path

    from pitfalls_tf.cli.output import Output


#: The largest number that every database keeps in a column of whole numbers.
LAST_NUMBER = 2**31 - 1


@click.command()
@click.argument("incident", type=click.IntRange(1, LAST_NUMBER))
@config_option
@with_output
def command(incident: int, config_path: Path, *, output: Output) -> int:
    """Say that somebody has seen an incident.

    INCIDENT is its number, as `monitor status` shows it. Evidence and recovery go on as before.
    """
    from monitoring.config import load_config  # noqa: PLC0415 - help must not wait for it
    from monitoring.store.store import Store  # noqa: PLC0415 - as above

    config = load_config(config_path)
    with Store.open(config.store.url, make=False) as store:
        deployment = deployment_of(config, store, output)
        if deployment is None:
            raise BadInput(
                "There is no such incident.",
                got=str(incident),
                expected="the number of an incident (nothing was judged yet)",
                fix="Run `pitfalls monitor run` first.",
            )
        seen = store.acknowledge(deployment, incident, datetime.now(UTC))
    words = seen.state if seen.state in {"acknowledged", "closed"} else f"{seen.state}, acknowledged"
    output.finish({"id": seen.number, "state": seen.state}, lambda: click.echo(f"Incident {seen.number}: {words}"))
    return 0
