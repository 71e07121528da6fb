"""``pitfalls monitor acknowledge``: acknowledge an incident."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from monitoring.errors import BadInput
from pitfalls_tf.cli.monitor.options import config_option, deployment_of, deployment_option
from pitfalls_tf.cli.output import with_output

if TYPE_CHECKING:
    from pathlib import Path

    from pitfalls_tf.cli.output import Output


#: The largest integer that every database can store in an integer column.
MAX_NUMBER = 2**31 - 1


@click.command()
@click.argument("incident", type=click.IntRange(1, MAX_NUMBER))
@config_option
@deployment_option
@with_output
def command(incident: int, config_path: Path, deployment: int | None, *, output: Output) -> int:
    """Acknowledge an incident.

    INCIDENT is its number in `pitfalls monitor status`. Monitoring continues unchanged.
    """
    from monitoring.config import load_config  # noqa: PLC0415 - not needed for --help
    from monitoring.store.store import Store  # noqa: PLC0415 - as above

    config = load_config(config_path)
    with Store.open(config.store.url, make=False) as store:
        number = deployment_of(config, store, output, deployment)
        if number is None:
            raise BadInput(
                "No such incident.",
                got=str(incident),
                expected="the number of an incident (no window was evaluated yet)",
                fix="Run `pitfalls monitor run` first.",
            )
        incident_record = store.acknowledge(number, incident, datetime.now(UTC))
    state, number = incident_record.state, incident_record.number
    text = state if state in {"acknowledged", "closed"} else f"{state}, acknowledged"
    output.finish({"id": number, "state": state}, lambda: click.echo(f"Incident {number}: {text}"))
    return 0
