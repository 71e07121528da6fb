"""``pitfalls monitor notify test``: send a marked test along each route."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from monitoring.config import load_config
from monitoring.documents.deployment import DeploymentDocument
from monitoring.errors import BadInput
from monitoring.notifications.notification import example_notification
from monitoring.notifications.routes.sending import notify
from pitfalls_tf.cli.monitor.options import config_option
from pitfalls_tf.cli.output import one_line, with_output

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
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
    config = load_config(config_path)
    results = send_tests(config, numbers_of(config, number))
    output.finish({"routes": results}, lambda: click.echo("\n".join(map(route_line, results))))
    return int(not all(result["delivered"] for result in results))


def send_tests(config: MonitorConfig, numbers: Sequence[int]) -> list[dict[str, object]]:
    """Send a marked test along some routes of a config.

    Args:
        numbers: The numbers of its routes, from 1.

    Returns:
        What became of each, as the document has it.
    """
    now, model = datetime.now(UTC), config.model
    deployment = DeploymentDocument(
        number=0,
        name=config.name,
        model=model.name,
        version=model.version or 0,
        timezone=config.windows.timezone,
        created_at=now,
    )
    deliveries = notify(example_notification(now, deployment), [config.notify[position - 1] for position in numbers])
    return [
        {
            "number": position,
            "route": config.notify[position - 1].route,
            "receiver": delivery.shown,
            "delivered": delivery.ok,
            "detail": delivery.detail,
        }
        for position, delivery in zip(numbers, deliveries, strict=True)
    ]


def route_line(result: Mapping[str, object]) -> str:
    """What became of a route's test, in one line."""
    outcome = "delivered" if result["delivered"] else "failed"
    return one_line(f"{result['number']}  {result['receiver']}: {outcome}, {result['detail']}")


def numbers_of(config: MonitorConfig, number: int | None) -> list[int]:
    """The numbers of the routes to test, from 1. Raises BadInput where there is none."""
    numbers = list(range(1, len(config.notify) + 1))
    if not numbers or (number is not None and number not in numbers):
        raise BadInput(
            "There is no such route.",
            got="no [[notify]] section" if not numbers else str(number),
            expected="a [[notify]] section" if not numbers else f"1 to {len(numbers)}",
            fix="The sections are counted from 1, in the order of the file.",
        )
    return numbers if number is None else [number]
