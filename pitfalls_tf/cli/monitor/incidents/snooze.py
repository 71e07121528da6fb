"""``pitfalls monitor incidents snooze``: notify nobody of an incident for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from monitoring.errors import BadInput
from pitfalls_tf.cli.monitor.incidents.action import act, finish, on_incident

if TYPE_CHECKING:
    from pitfalls_tf.cli.output import Output


@click.command()
@click.option(
    "--until", metavar="TIME|DURATION", help="When it ends: 4h, 2d, 2024-05-01T08:00 (in the windows' time zone)."
)
@click.option(
    "--until-worse", is_flag=True, help="End it when it becomes worse; with --until: or then, if that is sooner."
)
@click.option("--end", is_flag=True, help="End it now.")
@on_incident
def command(incident: int, *, until: str | None, until_worse: bool, end: bool, output: Output, **place: Any) -> int:
    """Notify nobody of an incident for a while.

    INCIDENT is its number. Judging goes on. What becomes worse meanwhile is told at the end, or at once with
    --until-worse.
    """
    if end and (until or until_worse):
        raise BadInput(
            "--end is given with another end.", got="both", expected="one of them", fix="Leave one of them out."
        )
    when = "" if end else until
    return finish(*act(incident, "snooze", output, until=when, until_worse=until_worse, **place), output)
