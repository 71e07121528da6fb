"""``pitfalls monitor notify retry``: send again what did not reach everybody."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from monitoring.config import load_config
from monitoring.errors import AnotherRun
from monitoring.notifications.outbox import send_outbox
from monitoring.store.store import Store
from pitfalls_tf.cli.monitor.options import config_option, deployment_option, notifier
from pitfalls_tf.cli.output import Output, one_line, with_output


@click.command()
@config_option
@deployment_option
@with_output
def command(config_path: Path, deployment: int | None, *, output: Output) -> int:
    """Send again what did not reach everybody.

    That is what was given up, and what waits for its next attempt. Receivers that were reached get nothing twice; a
    route that the config does not have any more is done with. Exits with 1 where somebody was not reached again.
    """
    config = load_config(config_path)
    with Store.open(config.store.url, make=False) as store:
        every = [
            deployment.number
            for deployment in store.deployments.all()
            if deployment.called == config.name and deployment.number is not None
        ]
        numbers = every if deployment is None else [deployment]
        events = [event for number in numbers for event in store.outbox.retry(number)]
        for number in numbers:
            if store.outbox.pending(number):
                sent = send_outbox(config, store, number, notifier(output), lambda: datetime.now(UTC))
                if not sent:
                    raise AnotherRun(
                        "A run is judging the windows of this deployment, and sends them too.",
                        got=f"deployment {number}",
                        expected="no run",
                        fix="Look at `pitfalls monitor notify list` once it has ended.",
                    )
        left = sum(store.outbox.undelivered_of(number).total for number in numbers)
    lines = [f"Sent again: {event}" for event in events]
    lines.append(f"Not everybody was reached: {left} left." if left else "Nothing is left to send.")
    output.finish({"events": events, "left": left}, lambda: click.echo("\n".join(map(one_line, lines))))
    return 1 if left else 0
