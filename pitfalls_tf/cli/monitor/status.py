"""``pitfalls monitor status``: windows, incidents and evidence so far."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from monitoring.config import load_config
from monitoring.deployment.data_dictionary import column_notes
from monitoring.documents.status import status_document
from monitoring.inspection.status import status
from monitoring.store.store import Store
from pitfalls_tf.cli.monitor.options import (
    config_option,
    deployment_of,
    deployment_option,
    exit_code,
    exit_code_option,
    show,
    since_of,
    since_option,
)
from pitfalls_tf.cli.output import Output, with_output


@click.command()
@config_option
@deployment_option
@since_option
@exit_code_option
@with_output
def command(config_path: Path, deployment: int | None, since: datetime | None, *, rule: str, output: Output) -> int:
    """Show windows, incidents and evidence so far.

    Evaluates nothing. Exits with 1 while a page is open, unless --exit-code says otherwise.
    """
    config = load_config(config_path)
    with Store.open(config.store.url, make=False) as store:
        monitor_status = status(
            store, config.name, deployment_of(config, store, output, deployment), now=datetime.now(UTC)
        )
    monitor_status = replace(monitor_status, columns=column_notes(config))
    output.finish(
        status_document(monitor_status, since=since_of(since, monitor_status)).plain(), lambda: show(monitor_status)
    )
    return exit_code(monitor_status, rule=rule)
