"""``pitfalls monitor serve``: run many monitors, each on its own schedule, and serve their dashboard."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pitfalls_tf.cli.monitor.options import dashboard_options, embedder_of
from pitfalls_tf.cli.monitor.scheduled import service_of
from pitfalls_tf.cli.output import with_output

if TYPE_CHECKING:
    from pitfalls_tf.cli.output import Output


@click.command()
@click.option(
    "--configs",
    required=True,
    metavar="DIR_OR_GLOB",
    help="The configs: a folder with *.toml or */monitor.toml, or a pattern (quote it).",
)
@click.option(
    "--concurrency", type=click.IntRange(1, 256), metavar="N", help="Runs at once.  [default: one for each core]"
)
@dashboard_options
@with_output
def command(
    configs: str,
    concurrency: int | None,
    host: str,
    port: int,
    token_file: Path | None,
    *,
    allowed_hosts: tuple[str, ...],
    tls_certificate: Path | None,
    tls_key: Path | None,
    output: Output,
) -> int:
    """Run many monitors, each on its own schedule, and serve their dashboard.

    Evaluates due windows of every config at once, and then at the times of its cron expression. A config that is added,
    changed or removed is taken up within seconds; one that is wrong is reported and stops no other. Serves the
    dashboard, /metrics and /health in the same process. SIGTERM or Ctrl-C stops it between two windows.
    """
    from monitoring.config.files import config_paths, find_configs  # noqa: PLC0415 - not needed for --help
    from monitoring.dashboard.stores.current_stores import CurrentStores  # noqa: PLC0415 - as above
    from monitoring.dashboard.web.app import dashboard_app  # noqa: PLC0415 - as above
    from monitoring.dashboard.web.live import Changes  # noqa: PLC0415 - as above
    from monitoring.dashboard.web.server import access_of, address_of, bind, serving, tls_of  # noqa: PLC0415 - as above
    from monitoring.jobs.service.config_watch import ConfigWatch  # noqa: PLC0415 - as above
    from monitoring.jobs.stopping import stopping  # noqa: PLC0415 - as above

    paths = config_paths(configs)
    access = access_of(host, token_file, allowed_hosts, report=output.progress)
    tls = tls_of(tls_certificate, tls_key)
    service = service_of(ConfigWatch(partial(find_configs, configs)), output, concurrency=concurrency)
    stores = CurrentStores(lambda: service.files)
    listening = bind(host, port)
    url = address_of(listening, tls)
    output.finish(
        {"url": url, "configs": [str(path) for path in paths]},
        lambda: click.echo(f"Dashboard: {url} (Ctrl-C stops the service)"),
    )
    with (
        stopping() as stop,
        serving(dashboard_app(stores, access, Changes(stores.fingerprint), embedder_of), listening, tls),
    ):
        service.run(stop)
    stores.close()
    return 0
