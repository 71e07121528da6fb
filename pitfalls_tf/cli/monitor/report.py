"""``pitfalls monitor report``: the report page, a picture, and a drift report of one window."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitoring.config import load_config
from monitoring.errors import BadInput
from monitoring.inspection.report import write_reports
from monitoring.store.store import Store
from pitfalls_tf.cli.frameworks import load_frameworks
from pitfalls_tf.cli.monitor.options import config_option, deployment_option, traffic_option, with_traffic
from pitfalls_tf.cli.output import with_output

if TYPE_CHECKING:
    from datetime import datetime

    from monitoring.inspection.report import Reports
    from pitfalls_tf.cli.output import Output


@click.command()
@config_option
@traffic_option
@deployment_option
@click.option(
    "--out", default=Path("report"), show_default=True, type=click.Path(path_type=Path), help="Output folder."
)
@click.option(
    "--window",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]),
    metavar="YYYY-MM-DD[THH:MM]",
    help="Window of the drift report: its first day, or a time in it.  [default: of the first page, else the last]",
)
@click.option(
    "--drift/--no-drift",
    default=None,
    help="Whether to write Evidently's drift report.  [default: if Evidently is installed]",
)
@with_output
def command(
    config_path: Path,
    traffic: str | None,
    deployment: int | None,
    out: Path,
    *,
    output: Output,
    **flags: Any,  # of the drift report, as click has parsed them
) -> int:
    """Write the report page and a drift report of one window.

    Writes report.html, report.png and, with Evidently, drift-DAY.html and drift-DAY.json. Evaluates nothing.
    """
    if out.suffix.lower() in {".html", ".htm", ".png", ".pdf"} and not out.is_dir():
        raise BadInput(
            "--out is a folder.",
            got=str(out),
            expected="the folder of report.html, report.png and the drift report",
            fix=f"Use --out {out.with_suffix('')}.",
        )
    config = with_traffic(load_config(config_path), traffic)
    has_evidently = find_spec("evidently") is not None
    drift: bool = has_evidently if flags["drift"] is None else flags["drift"]
    window: datetime | None = flags["window"]
    if drift:
        load_frameworks("evidently")
    elif flags["drift"] is None:
        output.progress("No drift report: Evidently is not installed. pip install evidently adds it.")
    with Store.open(config.store.url, make=False) as store:
        reports = write_reports(config, store, out=out, day=window, drift=drift, deployment=deployment)
    if reports.note:
        output.progress(reports.note)
    output.finish(report_document(reports), lambda: _show(reports))
    return 0


def report_document(reports: Reports) -> dict[str, object]:
    """Paths of the reports and the drifted columns, for --json."""
    return {
        "page": str(reports.page),
        "picture": str(reports.picture),
        "drift_html": None if reports.drift_html is None else str(reports.drift_html),
        "drift_json": None if reports.drift_json is None else str(reports.drift_json),
        "window": None if reports.window is None else {"start": reports.window.start, "end": reports.window.end},
        "drifted_columns": [] if reports.drift is None else [column.column for column in reports.drift.drifted],
    }


def _show(reports: Reports) -> None:
    click.echo(f"Report: {reports.page}")
    if reports.drift is not None and reports.drift_html is not None:
        drifted = ", ".join(column.column for column in reports.drift.drifted) or "none"
        click.echo(f"Drift:  {reports.drift_html} (columns above their drift threshold: {drifted})")
