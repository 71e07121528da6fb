"""``pitfalls monitor deployments``: the deployments of a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from monitoring.config import load_config
from monitoring.documents.deployment import DeploymentsDocument, deployment_document
from monitoring.store.store import Store
from pitfalls_tf.cli.monitor.options import config_option
from pitfalls_tf.cli.output import printable, with_output

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from monitoring.documents.deployment import DeploymentDocument
    from pitfalls_tf.cli.output import Output


@click.command()
@config_option
@with_output
def command(config_path: Path, *, output: Output) -> int:
    """List the deployments of the config's store.

    Their numbers are what `--deployment` of `status`, `report` and `incidents` takes. Evaluates nothing.
    """
    with Store.open(load_config(config_path).store.url, make=False) as store:
        document = DeploymentsDocument(deployments=[deployment_document(record) for record in store.deployments.all()])
    output.finish(document.plain(), lambda: _show(document.deployments))
    return 0


def _show(deployments: Sequence[DeploymentDocument]) -> None:
    for deployment in deployments:
        follows = "" if deployment.follows is None else f", follows {deployment.follows}"
        click.echo(
            printable(
                f"{deployment.number}  {deployment.name} version {deployment.version}: {deployment.traffic}{follows}"
            )
        )
