"""``pitfalls monitor leases``: which deployments are being judged, and a way to end a lease that was left behind."""

from __future__ import annotations

from pathlib import Path

import click

from monitoring.config import load_config
from monitoring.errors import BadInput
from monitoring.store.store import Store
from pitfalls_tf.cli.monitor.options import config_option
from pitfalls_tf.cli.output import Output, printable, with_output


@click.command()
@config_option
@click.option(
    "--release",
    type=click.IntRange(1, 2**31 - 1),
    metavar="NUMBER",
    help="End the lease of this deployment. A run that still holds it stops before its next window.",
)
@with_output
def command(config_path: Path, release: int | None, *, output: Output) -> int:
    """List the leases of the config's store, or end one.

    A run holds its deployment's lease while it judges. One that was killed leaves it behind until it expires.
    """
    with Store.open(load_config(config_path).store.url, make=False) as store:
        if release is not None and not store.leases.release(release):
            raise BadInput(
                "There is no such lease.",
                got=str(release),
                expected="the number of a deployment that has one",
                fix="`pitfalls monitor leases` lists them.",
            )
        held = store.leases.read()
    leases = [{"deployment": lease.deployment, "owner": lease.owner, "expires_at": lease.expires_at} for lease in held]
    lines = [
        f"{lease.deployment}  held by {lease.owner} until {lease.expires_at:%Y-%m-%d %H:%M:%S} UTC" for lease in held
    ]
    output.finish({"leases": leases}, lambda: click.echo(printable("\n".join(lines) or "No lease is held.")))
    return 0
