"""``pitfalls monitor schedule``: run the monitor on the schedule of the config, in the foreground."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitoring.config import load_config
from monitoring.config.files import read_files
from monitoring.documents.status import status_document
from monitoring.inspection.status import status
from monitoring.runs.stopping import stopping
from monitoring.service.config_watch import ConfigWatch
from monitoring.store.store import Store
from pitfalls_tf.cli.monitor.options import (
    config_option,
    deployment_of,
    exit_code,
    exit_code_option,
    moved_option,
    show,
    traffic_option,
    with_traffic,
)
from pitfalls_tf.cli.monitor.scheduled import service_of
from pitfalls_tf.cli.output import with_output

if TYPE_CHECKING:
    from monitoring.config import MonitorConfig
    from pitfalls_tf.cli.output import Output


@click.command()
@config_option
@traffic_option
@moved_option
@exit_code_option
@with_output
def command(config_path: Path, traffic: str | None, *, moved: bool, rule: str, output: Output) -> int:
    """Run the monitor on the schedule of the config, in the foreground.

    Evaluates due windows at once, and then at every time of the [schedule] section's cron expression (in the time zone
    of the windows). SIGTERM or Ctrl-C stops it between two windows; finished windows are kept. A changed config is
    taken up. It is `pitfalls monitor serve` of one config, without the dashboard.
    """

    def load(path: Path) -> MonitorConfig:
        return with_traffic(load_config(path), traffic)

    config = load(config_path)
    watch = ConfigWatch(lambda: [config_path.absolute()], partial(read_files, load=load))
    with stopping() as stop:
        service_of(watch, output, concurrency=1, moved=moved).run(stop)
    with Store.open(config.store.url, make=False) as store:
        monitor_status = status(store, config.name, deployment_of(config, store, output), now=datetime.now(UTC))
    output.finish(status_document(monitor_status).plain(), lambda: show(monitor_status))
    return exit_code(monitor_status, rule=rule)
