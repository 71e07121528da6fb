"""``pitfalls monitor incidents act``: perform an action of the config from an incident."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from monitoring.errors import CannotRun
from pitfalls_tf.cli.monitor.incidents.action import deployment_with_incidents, finish, login_name, on_incident

if TYPE_CHECKING:
    from pathlib import Path

    from pitfalls_tf.cli.output import Output


@click.command()
@on_incident
@click.argument("action")
def command(incident: int, action: str, *, output: Output, **place: Any) -> int:
    """Perform an action of the config from an incident.

    INCIDENT is its number, ACTION the name of an [[action]] section. Both its beginning and its end are in the
    incident's log. Exits with 3 where it fails.
    """
    from monitoring.actions.perform import perform  # noqa: PLC0415 - as above
    from monitoring.config import load_config  # noqa: PLC0415 - not needed for --help
    from monitoring.store.store import Store  # noqa: PLC0415 - as above

    path: Path = place["config_path"]
    config = load_config(path)
    with Store.open(config.store.url, make=False) as store:
        number = deployment_with_incidents(config, store, output, place["deployment"])
        by = place["by"] or login_name()
        done, outcome = perform(config, store, (number, incident), action, by=by, clock=lambda: datetime.now(UTC))
        found, zone = store.incident(number, incident), ZoneInfo(store.deployment_record(number).timezone)
    if not done:
        raise CannotRun(
            "The action failed.",
            got=outcome,
            expected="an action that ends without an error",
            fix="What it did is in the incident's log; correct the action, and run it again.",
        )
    return finish(found, zone, output, f"{action}: {outcome}")
