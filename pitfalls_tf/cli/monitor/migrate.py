"""``pitfalls monitor migrate``: bring the config's store to this release."""

from __future__ import annotations

from pathlib import Path

import click

from monitoring.config import load_config
from monitoring.store.opening import store_revision
from monitoring.store.store import Store
from pitfalls_tf.cli.monitor.options import config_option
from pitfalls_tf.cli.output import Output, with_output


@click.command()
@config_option
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 where the store is of an earlier release.")
@with_output
def command(config_path: Path, *, check: bool, output: Output) -> int:
    """Bring the config's store to this release.

    `pitfalls monitor run` does that too; verbs that only look never do. Monitors of an earlier release refuse a store
    of this one from then on, without changing it: stop or update them first where several share a store.
    """
    url = load_config(config_path).store.url
    before, latest = store_revision(url)
    if not check:
        Store.open(url).close()
    current = before == latest
    words = f"The store is of this release: revision {latest}."
    if not current and check:
        words = f"The store is at revision {before}, and this release's is {latest}: pitfalls monitor migrate."
    elif not current:
        words = f"Migrated from revision {before} to {latest}."
    document = {"before": before, "revision": before if check else latest, "latest": latest}
    output.finish(document, lambda: click.echo(words))
    return 1 if check and not current else 0
