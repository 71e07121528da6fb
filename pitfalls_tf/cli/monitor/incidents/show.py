"""``pitfalls monitor incidents show``: one incident in full."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from pitfalls_tf.cli.monitor.incidents.action import deployment_with_incidents, incident_argument
from pitfalls_tf.cli.monitor.options import config_option, deployment_option
from pitfalls_tf.cli.output import one_line, with_output

if TYPE_CHECKING:
    from pathlib import Path

    from monitoring.records import IncidentRecord
    from pitfalls_tf.cli.output import Output


@click.command()
@incident_argument
@config_option
@deployment_option
@with_output
def command(incident: int, config_path: Path, deployment: int | None, *, output: Output) -> int:
    """Show one incident, its history, and what people did with it.

    INCIDENT is its number. Evaluates nothing.
    """
    from monitoring.config import load_config  # noqa: PLC0415 - not needed for --help
    from monitoring.reports.document import incident_document  # noqa: PLC0415 - as above
    from monitoring.store.store import Store  # noqa: PLC0415 - as above

    config = load_config(config_path)
    with Store.open(config.store.url, make=False) as store:
        number = deployment_with_incidents(config, store, output, deployment)
        found = store.incident(number, incident)
        zone = ZoneInfo(store.deployment_record(number).timezone)
    lines = _lines(found, datetime.now(UTC), zone)
    output.finish(dict(incident_document(found)), lambda: click.echo("\n".join(map(one_line, lines))))
    return 0


def _lines(incident: IncidentRecord, now: datetime, zone: ZoneInfo) -> list[str]:
    from monitoring.reports.sections.formatting import format_moment, format_window  # noqa: PLC0415 - as in command
    from monitoring.reports.sections.incidents import action_text, cause_line, remarks  # noqa: PLC0415 - as above

    window = format_window(incident.window_start, incident.window_end, zone)
    log = [(one.at, f"{action_text(one, zone)} (by {one.by})") for one in incident.actions]
    moved = [(one.at, one.state) for one in incident.history]
    return [
        f"Incident {incident.number}, {incident.level}: {', '.join((incident.state, *remarks(incident, now, zone)))}",
        f"{cause_line(incident)}, in the window {window}",
        *incident.message.replace(" Worse since: ", "\nWorse since: ").split("\n"),
        "History:",
        *(f"  {format_moment(at, zone)}  {state}" for at, state in moved),
        *(["Actions:"] if log else []),
        *(f"  {format_moment(at, zone)}  {text}" for at, text in log),
    ]
