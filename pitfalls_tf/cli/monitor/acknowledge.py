"""``pitfalls monitor acknowledge``: acknowledge an incident."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pitfalls_tf.cli.monitor.incidents.action import act, on_incident

if TYPE_CHECKING:
    from pitfalls_tf.cli.output import Output


@click.command()
@on_incident
def command(incident: int, *, output: Output, **place: Any) -> int:
    """Acknowledge an incident.

    INCIDENT is its number in `pitfalls monitor status`. Monitoring continues unchanged.
    """
    done, _ = act(incident, "acknowledge", output, **place)
    text = done.state if done.state in {"acknowledged", "closed"} else f"{done.state}, acknowledged"
    output.finish({"id": done.number, "state": done.state}, lambda: click.echo(f"Incident {done.number}: {text}"))
    return 0
