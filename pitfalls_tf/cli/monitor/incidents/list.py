"""``pitfalls monitor incidents list``: the incidents that are not closed, or all."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from pitfalls_tf.cli.monitor.options import config_option, deployment_of, deployment_option
from pitfalls_tf.cli.output import one_line, with_output

if TYPE_CHECKING:
    from pathlib import Path

    from monitoring.records import IncidentRecord
    from pitfalls_tf.cli.output import Output


@click.command()
@click.option("--all", "everything", is_flag=True, help="Closed incidents too.")
@config_option
@deployment_option
@with_output
def command(config_path: Path, deployment: int | None, *, everything: bool, output: Output) -> int:
    """List the incidents that are not closed.

    One line each: number, level, state, first day, cause. Evaluates nothing.
    """
    from monitoring.config import load_config  # noqa: PLC0415 - not needed for --help
    from monitoring.reports.document import incident_document  # noqa: PLC0415 - as above
    from monitoring.store.store import Store  # noqa: PLC0415 - as above

    config = load_config(config_path)
    with Store.open(config.store.url, make=False) as store:
        number = deployment_of(config, store, output, deployment)
        known = () if number is None else store.incidents(number)
        zone = ZoneInfo("UTC" if number is None else store.deployment_record(number).timezone)
    found = [one for one in known if everything or one.state != "closed"]
    lines = [_line(one, datetime.now(UTC), zone) for one in found]
    none = "No incident." if everything else "No open incident."
    output.finish(
        {"incidents": [incident_document(one) for one in found]}, lambda: click.echo("\n".join(lines) or none)
    )
    return 0


def _line(incident: IncidentRecord, now: datetime, zone: ZoneInfo) -> str:
    from monitoring.reports.sections.formatting import format_moment  # noqa: PLC0415 - not needed for --help
    from monitoring.reports.sections.incidents import cause_line, remarks  # noqa: PLC0415 - as above

    state = ", ".join((incident.state, *remarks(incident, now, zone)))
    since = format_moment(incident.window_start, zone)
    return one_line(f"{incident.number}  {incident.level}  {since}  {state}  {cause_line(incident)}")
