"""``pitfalls monitor serve``: run many monitors, each on its own schedule, and serve their dashboard."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from monitoring.config.files import config_paths, find_configs
from monitoring.config.made_beside import state_folder
from monitoring.dashboard.stores.stores import CurrentStores
from monitoring.runs.stopping import stopping
from monitoring.service.config_watch import ConfigWatch
from monitoring.service.registry import ConfigRegistry, registry_path
from monitoring.service.service_heartbeat import Systemd, service_heartbeat
from pitfalls_tf.cli.monitor.options import dashboard_options, embedder_of, state_option
from pitfalls_tf.cli.monitor.scheduled import service_of
from pitfalls_tf.cli.output import Output, with_output


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
@click.option(
    "--expect",
    default=0,
    type=click.IntRange(0, 100_000),
    metavar="N",
    help="How many configs there are to be at least; fewer are told as missing.",
)
@state_option
@click.option(
    "--stalled-after",
    default=300.0,
    show_default=True,
    type=click.FloatRange(1.0, 86_400.0),
    metavar="SECONDS",
    help="A run that has judged no window for so long is told as stalled, and others run beside it.",
)
@click.option(
    "--heartbeat-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with the URL that is told once a minute that all configs are there and run.",
)
@dashboard_options
@with_output
def command(configs: str, host: str, port: int, token_file: Path | None, *, output: Output, **flags: Any) -> int:
    """Run many monitors, each on its own schedule, and serve their dashboard.

    Evaluates due windows of every config at once, and then at the times of its cron expression. A config that is added
    or changed is taken up within seconds; one that is wrong is reported and stops no other; one that vanishes is told
    as missing until it is back or `pitfalls monitor remove` says that it was removed on purpose. Serves the dashboard,
    /metrics and /health in the same process. SIGTERM or Ctrl-C stops it between two windows.
    """
    from monitoring.dashboard.overview.endpoints import service_problem  # noqa: PLC0415 - as above
    from monitoring.dashboard.web.app import Changes, dashboard_app  # noqa: PLC0415 - as above
    from monitoring.dashboard.web.server import access_of, address_of, bind, serving, tls_of  # noqa: PLC0415 - as above

    registry = ConfigRegistry(registry_path(flags["state"] or state_folder(), configs))
    paths = find_configs(configs) if registry.read() else config_paths(configs)
    access = access_of(host, token_file, flags["allowed_hosts"], report=output.progress)
    tls = tls_of(flags["tls_certificate"], flags["tls_key"])
    watch = ConfigWatch(lambda: [path.absolute() for path in find_configs(configs)])
    service = service_of(
        watch, output, concurrency=flags["concurrency"], registry=registry, patience=flags["stalled_after"]
    )
    stores = CurrentStores(lambda: service.files, expected=flags["expect"], queue=lambda: service.queue)
    listening = bind(host, port)
    url = address_of(listening, tls)
    output.finish(
        {"url": url, "configs": [str(path) for path in paths]},
        lambda: click.echo(f"Dashboard: {url} (Ctrl-C stops the service)"),
    )
    systemd = Systemd(os.environ, output.progress)
    with (
        stopping() as stop,
        serving(dashboard_app(stores, access, Changes(stores.fingerprint), embedder_of), listening, tls),
        service_heartbeat(flags["heartbeat_file"], lambda: service_problem(stores()), stop, output.progress),
    ):
        systemd.ready(f"{len(paths)} configs, dashboard {url}")
        service.run(stop, systemd.alive)
        systemd.stopping()
    stores.close()
    return 0
