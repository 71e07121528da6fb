"""``pitfalls monitor runs``: the last runs of a deployment."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import click

from monitoring.config import load_config
from monitoring.documents.deployment import RunsDocument, run_document
from monitoring.records import RunRecord
from monitoring.reports.sections.formatting import format_count
from monitoring.store.store import Store
from pitfalls_tf.cli.monitor.options import config_option, deployment_of, deployment_option
from pitfalls_tf.cli.output import Output, one_line, with_output


@click.command()
@click.option("--latest", default=20, show_default=True, type=click.IntRange(1, 1000), metavar="N", help="How many.")
@config_option
@deployment_option
@with_output
def command(config_path: Path, deployment: int | None, *, latest: int, output: Output) -> int:
    """List the last runs of the monitor.

    The newest first: when it began, what it judged, how long it took, where, and its error. Runs that found nothing to
    judge are not listed. Evaluates nothing.
    """
    config = load_config(config_path)
    with Store.open(config.store.url, make=False) as store:
        number = deployment_of(config, store, output, deployment)
        runs = () if number is None else store.runs.latest(number, latest=latest)
        zone = ZoneInfo("UTC" if number is None else store.deployments.read(number).timezone)
    document = RunsDocument(runs=[run_document(run) for run in runs])
    lines = [_line(run, zone) for run in runs]
    output.finish(document.plain(), lambda: click.echo("\n".join(lines) or "No run is recorded."))
    return 0


def _line(run: RunRecord, zone: ZoneInfo) -> str:
    began = f"{run.started_at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
    judged = f"{format_count(run.windows, 'window')}, {format_count(run.rows, 'row')}"
    took = "not ended" if run.seconds is None else f"{run.seconds:,.1f} s"
    error = f"  Error: {run.error}" if run.error else ""
    return one_line(f"{began}  {judged}  {took}  {run.host}  {run.version}{error}")
