"""``pitfalls monitor incidents acknowledge``: say that an incident has been seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pitfalls_tf.cli.monitor.incidents.action import act, finish, on_incident

if TYPE_CHECKING:
    from pitfalls_tf.cli.output import Output


@click.command()
@on_incident
def command(incident: int, *, output: Output, **place: Any) -> int:
    """Say that an incident has been seen.

    INCIDENT is its number. Monitoring goes on unchanged, and what becomes worse is to be acknowledged again.
    """
    return finish(*act(incident, "acknowledge", output, **place), output)
