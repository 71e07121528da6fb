"""``pitfalls drill run``: plant faults in replayed traffic, and see whether the monitor tells."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from monitoring.config import load_config
from monitoring.documents.drill import drill_document
from monitoring.drills.drill import DrillRequest, run_drill
from monitoring.store.store import Store
from pitfalls_tf.cli.drill.scoreboard import scoreboard
from pitfalls_tf.cli.monitor.incidents import login_name
from pitfalls_tf.cli.monitor.notify.test import numbers_of, route_line, send_tests
from pitfalls_tf.cli.monitor.options import config_option, embedder_of, traffic_option, with_traffic
from pitfalls_tf.cli.output import one_line, with_output

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitoring.drills.drill import DrillProgress
    from monitoring.records import DrillRecord
    from pitfalls_tf.cli.output import Output


@click.command()
@config_option
@traffic_option
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME",
    help="Only this fault of `pitfalls drill list`; repeatable.  [default: all that fit]",
)
@click.option(
    "--windows", default=30, show_default=True, type=click.IntRange(1, 1_000), help="Windows with the fault, at most."
)
@click.option(
    "--replicates", default=3, show_default=True, type=click.IntRange(1, 100), help="How often each is planted."
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="What draws begin from.")
@click.option("--notify", is_flag=True, help="If a fault paged, send a marked test along each route of the config.")
@click.option("--by", metavar="NAME", help="Who does it.  [default: the login name]")
@with_output
def command(
    config_path: Path, traffic: str | None, by: str | None, *, notify: bool, output: Output, **settings: object
) -> int:
    """Plant faults in replayed traffic, and see whether the monitor tells.

    Clean windows of the deployment's own traffic, or else of its reference, are replayed through the monitor's own job
    in a temporary store, without and with each fault. The deployment's store gets the result, and nothing else of it is
    touched. Exits with 1 if a fault that should page was missed, that is detected in fewer than half of its replicates;
    or, with --notify, if a route failed.
    """
    config = with_traffic(load_config(config_path), traffic)
    numbers = numbers_of(config, None) if notify else []
    request = DrillRequest(by=by or login_name(), **settings)  # type: ignore[arg-type]  # click has checked the types
    with Store.open(config.store.url) as store:
        drill = run_drill(
            config,
            store,
            request,
            clock=lambda: datetime.now(UTC),
            embedder=embedder_of,
            progress=lambda done: output.progress(_line(done)),
        )
        store.drills.save(drill)
    paged = any(run.level == "page" for fault in drill.faults for run in fault.runs)
    routes = send_tests(config, numbers) if numbers and paged else []
    document = {**drill_document(drill).plain(), **({"routes": routes} if notify else {})}
    output.finish(document, lambda: _show(drill, routes))
    return 1 if drill.missed or not all(route["delivered"] for route in routes) else 0


def _line(done: DrillProgress) -> str:
    return one_line(f"[{done.done}/{done.runs}] {done.result}")


def _show(drill: DrillRecord, routes: Sequence[Mapping[str, object]]) -> None:
    Console().print(scoreboard(drill))
    for route in routes:
        click.echo(f"Route {route_line(route)}")
