"""``pitfalls monitor notify list``: what people are still to be notified of, or never were."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from monitoring.config import load_config
from monitoring.store.store import Store
from pitfalls_tf.cli.monitor.options import config_option, deployment_of, deployment_option
from pitfalls_tf.cli.output import one_line, with_output

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from monitoring.store.notifications import OutboxEvent
    from pitfalls_tf.cli.output import Output


@click.command()
@click.option("--all", "everything", is_flag=True, help="Those that are done too.")
@config_option
@deployment_option
@with_output
def command(config_path: Path, deployment: int | None, *, everything: bool, output: Output) -> int:
    """List notifications that are pending or were given up.

    Sends nothing: a run does, or `pitfalls monitor notify test` to test a route.
    """
    config = load_config(config_path)
    with Store.open(config.store.url, make=False) as store:
        number = deployment_of(config, store, output, deployment)
        events = () if number is None else store.outbox.read(number)
    asked = ("pending", "given up") if config.notify else ("given up",)
    shown = [event for event in events if everything or event.outcome in asked]
    names = {route.receiver: route.redacted_address for route in config.notify}
    documents = [_document(event, names) for event in shown]
    lines = [_line(event, names) for event in shown] or ["No notification is pending, and none was given up."]
    if not config.notify:
        lines.insert(0, f"Nobody is notified: {config_path} has no section [[notify]].")
    output.finish({"notifications": documents}, lambda: click.echo("\n".join(lines)))
    return 0


def _document(event: OutboxEvent, names: Mapping[str, str]) -> dict[str, object]:
    return {
        "event": event.event,
        "incident": event.incident,
        "state": event.state,
        "at": event.at,
        "outcome": event.outcome,
        "attempts": event.attempts,
        "reached": _named(event.reached, names),
        "given_up": _named(event.abandoned, names),
    }


def _line(event: OutboxEvent, names: Mapping[str, str]) -> str:
    reached = ", ".join(_named(event.reached, names)) or "nobody"
    lost = "" if not event.abandoned else f"; given up: {', '.join(_named(event.abandoned, names))}"
    tries = "1 attempt" if event.attempts == 1 else f"{event.attempts} attempts"
    when = f"{event.at:%Y-%m-%d %H:%M} UTC"
    return one_line(f"{event.event}  {event.state}  {when}  {event.outcome}, {tries}; reached: {reached}{lost}")


def _named(receivers: Collection[str], names: Mapping[str, str]) -> list[str]:
    """Receivers in words; one that the config does not have any more is named as such."""
    return sorted(names.get(receiver, "a receiver that the config does not have") for receiver in receivers)
