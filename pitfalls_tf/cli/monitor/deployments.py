"""``pitfalls monitor deployments``: the deployments of a store."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from pitfalls_tf.cli.monitor.options import config_option
from pitfalls_tf.cli.output import printable, with_output

if TYPE_CHECKING:
    from pathlib import Path

    from monitoring.store.deployments import DeploymentRecord
    from pitfalls_tf.cli.output import Output


@click.command()
@config_option
@with_output
def command(config_path: Path, *, output: Output) -> int:
    """List the deployments of the config's store.

    Their numbers are what `--deployment` of `status`, `report` and `acknowledge` takes. Evaluates nothing.
    """
    from monitoring.config import load_config  # noqa: PLC0415 - not needed for --help
    from monitoring.store.store import Store  # noqa: PLC0415 - as above

    with Store.open(load_config(config_path).store.url, make=False) as store:
        found = [_document(record) for record in store.deployments()]
    output.finish({"deployments": found}, lambda: _show(found))
    return 0


def _document(record: DeploymentRecord) -> dict[str, object]:
    return {
        "number": record.number,
        "name": record.called,
        "model": record.model,
        "version": record.version,
        "traffic": record.traffic,
        "created_at": record.created_at,
        "follows": record.follows,
        "metrics": [asdict(one) for one in record.metrics],
    }


def _show(found: list[dict[str, object]]) -> None:
    for one in found:
        follows = "" if one["follows"] is None else f", follows {one['follows']}"
        click.echo(printable(f"{one['number']}  {one['name']} version {one['version']}: {one['traffic']}{follows}"))
