"""``pitfalls monitor run``: evaluate every due window once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pitfalls_tf.cli.monitor.options import (
    config_option,
    evaluate_due_windows,
    exit_code,
    moved_option,
    show,
    traffic_option,
    window_progress,
    with_traffic,
)
from pitfalls_tf.cli.output import with_output

if TYPE_CHECKING:
    from pitfalls_tf.cli.output import Output


@click.command()
@config_option
@traffic_option
@moved_option
@with_output
def command(config_path: Path, traffic: str | None, *, moved: bool, output: Output) -> int:
    """Evaluate every due window once.

    Windows that were evaluated before are skipped, so it can run at any time, for example from cron. Exits with 1 if it
    raised a page or a page is still open.
    """
    from monitoring.config import load_config  # noqa: PLC0415 - not needed for --help
    from monitoring.jobs.status import status  # noqa: PLC0415 - as above
    from monitoring.reports.document import status_document  # noqa: PLC0415 - as above
    from monitoring.store.store import Store  # noqa: PLC0415 - as above

    config = with_traffic(load_config(config_path), traffic)
    with Store.open(config.store.url) as store:
        with window_progress() as progress:
            run = evaluate_due_windows(config, store, output, progress=progress, moved=moved)
        found = status(store, config.name, run.deployment)
    output.finish(dict(status_document(found)), lambda: show(found))
    return exit_code(found, run)
