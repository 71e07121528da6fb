"""``pitfalls monitor windows``: the windows of a deployment with their states."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from monitoring.config import load_config
from monitoring.documents.window import WindowStateDocument, WindowStatesDocument
from monitoring.reports.sections.formatting import format_count
from monitoring.runs.backfill import list_windows
from monitoring.store.store import Store
from pitfalls_tf.cli.monitor.options import config_option, deployment_of, deployment_option
from pitfalls_tf.cli.output import one_line, with_output

if TYPE_CHECKING:
    from pathlib import Path

    from monitoring.reports.window_states import WindowState
    from pitfalls_tf.cli.output import Output

STATES = ("judged", "thin", "revised", "skipped", "due", "running", "failed")


@click.command()
@click.option("--latest", default=40, show_default=True, type=click.IntRange(1, 100_000), metavar="N", help="How many.")
@click.option("--state", "states", multiple=True, type=click.Choice(STATES), help="Only those in a state; repeatable.")
@config_option
@deployment_option
@with_output
def command(config_path: Path, deployment: int | None, *, latest: int, states: tuple[str, ...], output: Output) -> int:
    """List the last windows with their states.

    In order of time: those that were judged, with what one was before a backfill, and those that are due and were not
    judged yet, with attempts and the error of the last one. Evaluates nothing.
    """
    config = load_config(config_path)
    with Store.open(config.store.url, make=False) as store:
        number = deployment_of(config, store, output, deployment)
        windows = () if number is None else list_windows(config, store, number, latest=latest, now=datetime.now(UTC))
        zone = ZoneInfo("UTC" if number is None else store.deployments.read(number).timezone)
    selection = tuple(window for window in windows if not states or window.state in states)[-latest:]
    document = WindowStatesDocument(windows=[WindowStateDocument.of(window) for window in selection])
    lines = [_line(window, zone) for window in selection]
    output.finish(document.plain(), lambda: click.echo("\n".join(lines) or "No window."))
    return 0


def _line(window: WindowState, zone: ZoneInfo) -> str:
    start, end = (f"{time.astimezone(zone):%Y-%m-%d %H:%M}" for time in (window.start, window.end))
    span = window.batch or f"{start}  {end}"
    judged = f"  {window.status}  {format_count(window.rows, 'row')}, {format_count(window.labels, 'label')}"
    failed = f"  {format_count(window.attempts, 'attempt')}" if window.reason and window.attempts else ""
    reason = f"  {window.reason}" if window.reason else ""
    last = window.before[-1] if window.before else None
    was = "" if last is None else f"  was {last.status}: {format_count(last.rows, 'row')}"
    was = was if last is None else f"{was}, {format_count(last.labels, 'label')}"
    return one_line(f"{span}  {window.state}{judged if window.status else ''}{was}{failed}{reason}")
