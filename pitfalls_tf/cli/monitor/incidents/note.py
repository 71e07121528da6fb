"""``pitfalls monitor incidents note``: add a note to an incident."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pitfalls_tf.cli.monitor.incidents.action import act, finish, on_incident

if TYPE_CHECKING:
    from pitfalls_tf.cli.output import Output


@click.command()
@on_incident
@click.argument("text")
def command(incident: int, text: str, *, output: Output, **place: Any) -> int:
    """Add a note to an incident.

    INCIDENT is its number, TEXT what you found, such as a sentence or a link. Closed incidents take notes too.
    """
    return finish(*act(incident, "note", output, text=text, **place), output, "The note is in its log.")
