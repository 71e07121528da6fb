"""``pitfalls monitor incidents reopen``: undo the closing of an incident by a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pitfalls_tf.cli.monitor.incidents.action import act, finish, on_incident

if TYPE_CHECKING:
    from pitfalls_tf.cli.output import Output


@click.command()
@click.option("--why", default="", metavar="TEXT", help="The reason, for its log.")
@on_incident
def command(incident: int, *, why: str, output: Output, **place: Any) -> int:
    """Undo the closing of an incident by a person.

    INCIDENT is its number. Possible until the next window is judged.
    """
    return finish(*act(incident, "reopen", output, text=why, **place), output)
