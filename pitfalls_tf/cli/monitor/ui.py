"""``pitfalls monitor ui``: serve the dashboard of one or many deployments."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitoring.config import load_config
from monitoring.config.files import ConfigFile, config_paths, read_files
from monitoring.dashboard.stores.named_store import named_stores
from monitoring.dashboard.stores.stores import Stores
from monitoring.errors import BadInput
from pitfalls_tf.cli.monitor.options import dashboard_options, embedder_of
from pitfalls_tf.cli.output import with_output

if TYPE_CHECKING:
    from pitfalls_tf.cli.output import Output


@click.command()
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Config of the monitor.  [default: monitor.toml]",
)
@click.option(
    "--configs",
    metavar="DIR_OR_GLOB",
    help="Many configs: a folder with *.toml or */monitor.toml, or a pattern (quote it).",
)
@dashboard_options
@with_output
def command(
    config_path: Path | None,
    configs: str | None,
    host: str,
    port: int,
    token_file: Path | None,
    *,
    allowed_hosts: tuple[str, ...],
    tls_certificate: Path | None,
    tls_key: Path | None,
    output: Output,
) -> int:
    """Serve the dashboard of one or many deployments.

    Views of every deployment: its state, its evidence, its incidents and its windows, read from the stores of the
    configs; incidents are acknowledged there. Evaluates nothing. SIGTERM or Ctrl-C stops it.
    """
    from monitoring.dashboard.web.app import Changes, dashboard_app  # noqa: PLC0415 - as above
    from monitoring.dashboard.web.server import access_of, address_of, bind, serve, tls_of  # noqa: PLC0415 - as above

    files = _files(config_path, configs)
    access = access_of(host, token_file, allowed_hosts, report=output.progress)
    tls = tls_of(tls_certificate, tls_key)
    stores = Stores(stores=named_stores(files), files=files)
    listening = bind(host, port)
    url = address_of(listening, tls)
    output.finish(
        {"url": url, "configs": [str(file.path) for file in files]},
        lambda: click.echo(f"Dashboard: {url} (Ctrl-C stops it)"),
    )
    serve(dashboard_app(lambda: stores, access, Changes(stores.fingerprint), embedder_of), listening, tls)
    for named in stores.stores:
        named.close()
    return 0


def _files(config_path: Path | None, configs: str | None) -> tuple[ConfigFile, ...]:
    """The configs to show: one that has to be right, or many of which some may be wrong."""
    if configs is None:
        path = config_path or Path("monitor.toml")
        return (ConfigFile(path=path, config=load_config(path)),)
    if config_path is not None:
        raise BadInput(
            "--config and --configs are both given.",
            got=f"{config_path} and {configs}",
            expected="one of the two",
            fix="Leave one of them out.",
        )
    return read_files(config_paths(configs))
