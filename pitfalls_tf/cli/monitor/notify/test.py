"""``pitfalls monitor notify test``: send a marked test along each route."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from monitoring.errors import BadInput
from pitfalls_tf.cli.monitor.options import config_option
from pitfalls_tf.cli.output import one_line, with_output

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from monitoring.config import MonitorConfig
    from pitfalls_tf.cli.output import Output


@click.command()
@config_option
@click.option("--route", "number", type=click.IntRange(1), metavar="N", help="Only the N-th [[notify]] section.")
@with_output
def command(config_path: Path, number: int | None, *, output: Output) -> int:
    """Send a marked test along each route of the config.

    Shows what became of each. PagerDuty's test is resolved at once, Alertmanager's ends after five minutes. Exits with
    1 if one failed.
    """
    from monitoring.config import load_config  # noqa: PLC0415 - not needed for --help
    from monitoring.incidents.notification import NotificationSource, example_notification  # noqa: PLC0415
    from monitoring.incidents.routes.sending import notify  # noqa: PLC0415 - as above

    config = load_config(config_path)
    numbers = _numbers(config, number)
    now = datetime.now(UTC)
    model = config.model
    source = NotificationSource(
        name=config.name, number=0, model=model.name, version=model.version or 0, created_at=now
    )
    deliveries = notify(example_notification(now, source), [config.notify[one - 1] for one in numbers])
    found = [
        {
            "number": one,
            "route": config.notify[one - 1].route,
            "receiver": delivery.shown,
            "delivered": delivery.ok,
            "detail": delivery.detail,
        }
        for one, delivery in zip(numbers, deliveries, strict=True)
    ]
    lines = [
        one_line(
            f"{one['number']}  {one['receiver']}: {'delivered' if one['delivered'] else 'failed'}, {one['detail']}"
        )
        for one in found
    ]
    output.finish({"routes": found}, lambda: click.echo("\n".join(lines)))
    return int(not all(delivery.ok for delivery in deliveries))


def _line(found: Mapping[str, object]) -> str:
    outcome = "delivered" if found["delivered"] else "failed"
    return one_line(f"{found['number']}  {found['receiver']}: {outcome}, {found['detail']}")


def _numbers(config: MonitorConfig, number: int | None) -> list[int]:
    """The numbers of the routes to test, from 1. Raises BadInput where there is none."""
    known = list(range(1, len(config.notify) + 1))
    if not known or (number is not None and number not in known):
        raise BadInput(
            "There is no such route.",
            got="no [[notify]] section" if not known else str(number),
            expected="a [[notify]] section" if not known else f"1 to {len(known)}",
            fix="The sections are counted from 1, in the order of the file.",
        )
    return known if number is None else [number]
