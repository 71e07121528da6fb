"""``pitfalls monitor incidents assign``: give an incident an owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pitfalls_tf.cli.monitor.incidents.action import act, finish, on_incident

if TYPE_CHECKING:
    from pitfalls_tf.cli.output import Output


@click.command()
@on_incident
@click.argument("owner", required=False, default="")
def command(incident: int, owner: str, *, output: Output, **place: Any) -> int:
    """Give an incident an owner.

    INCIDENT is its number, OWNER a name; without a name nobody owns it.
    """
    return finish(*act(incident, "assign", output, text=owner.strip(), **place), output)
