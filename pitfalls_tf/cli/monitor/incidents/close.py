"""``pitfalls monitor incidents close``: close an incident."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pitfalls_tf.cli.monitor.incidents.action import act, finish, on_incident

if TYPE_CHECKING:
    from pitfalls_tf.cli.output import Output

#: What closing does.
NEXT = "Its watches are tested against the baseline again from the next window on; until then it can be reopened."


@click.command()
@click.option("--why", default="", metavar="TEXT", help="The reason, for its log.")
@on_incident
def command(incident: int, *, why: str, output: Output, **place: Any) -> int:
    """Close an incident.

    INCIDENT is its number. Its watches are tested against the baseline again from the next window on: harm that goes on
    opens a new incident, which refers to this one.
    """
    return finish(*act(incident, "close", output, text=why, **place), output, NEXT)
