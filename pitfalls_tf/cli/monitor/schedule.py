"""``pitfalls monitor schedule``: run the monitor on the schedule of the config, in the foreground."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pitfalls_tf.cli.monitor.options import (
    config_option,
    deployment_of,
    evaluate_due_windows,
    exit_code,
    exit_code_option,
    moved_option,
    show,
    traffic_option,
    with_traffic,
)
from pitfalls_tf.cli.output import with_output

if TYPE_CHECKING:
    from monitoring.errors import PitfallsError
    from monitoring.jobs.run import Progress
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
    of the windows). SIGTERM or Ctrl-C stops it between two windows; finished windows are kept.
    """
    from monitoring.config import load_config  # noqa: PLC0415 - not needed for --help
    from monitoring.incidents.routes.heartbeat import heartbeat  # noqa: PLC0415 - as above
    from monitoring.jobs.schedule import run_on_schedule, stopping  # noqa: PLC0415 - as above
    from monitoring.jobs.status import status  # noqa: PLC0415 - as above
    from monitoring.reports.document import status_document  # noqa: PLC0415 - as above
    from monitoring.store.store import Store  # noqa: PLC0415 - as above
    from monitoring.watches.descriptions import printable  # noqa: PLC0415 - as above

    config = with_traffic(load_config(config_path), traffic)

    def print_window(progress: Progress) -> None:
        window = progress.window
        expected = "" if window.expected is None else f", expected: {printable(window.expected)}"
        output.progress(
            f"{window.start.isoformat()} {window.status} ({window.rows} rows, {window.labels} labels){expected}"
        )

    def print_error(error: PitfallsError) -> None:
        output.progress(f"Error: {error} The next run retries.")

    with stopping() as stop:

        def job() -> None:
            # the store may be unreachable now and back at the next time
            with heartbeat(config.heartbeat, output.progress) as beat, Store.open(config.store.url) as store:
                run = evaluate_due_windows(config, store, output, progress=print_window, stop=stop.is_set, moved=moved)
                beat.complete = not run.stopped
            output.progress(f"Evaluated {run.judged} windows; schedule {config.schedule.cron!r}.")

        run_on_schedule(config.schedule.cron, job, timezone=config.windows.timezone, stop=stop, on_error=print_error)
    with Store.open(config.store.url, make=False) as store:
        found = status(store, config.name, deployment_of(config, store, output), now=datetime.now(UTC))
    output.finish(dict(status_document(found)), lambda: show(found))
    return exit_code(found, rule=rule)
