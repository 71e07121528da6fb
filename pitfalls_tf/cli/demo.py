"""``pitfalls demo``: the whole pipeline on real flights."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from monitoring.documents.drill import drill_document
from monitoring.documents.status import status_document
from pitfalls_tf.cli.drill.scoreboard import scoreboard
from pitfalls_tf.cli.frameworks import load_frameworks
from pitfalls_tf.cli.monitor.options import show
from pitfalls_tf.cli.output import with_output

if TYPE_CHECKING:
    from pitfalls_tf.cli.output import Output
    from pitfalls_tf.demo import DemoResult


@click.command()
@click.option("--out", default=Path("demo"), show_default=True, type=click.Path(path_type=Path), help="Output folder.")
@click.option("--seeds", default=5, show_default=True, type=click.IntRange(1, 100), help="Number of training runs.")
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="Replay from April up to this day of 2013.  [default: the whole year]",
)
@click.option("--fresh", is_flag=True, help="Start over: delete what an earlier demo wrote to the folder.")
@click.option("--picture", type=click.Path(path_type=Path), help="Also copy the report's picture to this file.")
@with_output
def command(out: Path, seeds: int, *, until: datetime | None, fresh: bool, picture: Path | None, output: Output) -> int:
    """Run the whole pipeline on real flights.

    Trains on January to March 2013, exports the median seed, serves it in a separate process, replays April to December
    with labels at their label time, evaluates every day, plants five faults in replayed days (a drill), and writes a
    report. If interrupted, run it again to resume.
    The demo is meant to raise a page, so it exits with 0.
    """
    from pitfalls_tf.demo.pipeline import YEAR_END, DemoSettings, run_demo  # noqa: PLC0415 - as above
    from pitfalls_tf.demo.progress import show_progress  # noqa: PLC0415 - not needed for --help

    settings = DemoSettings(
        out=out,
        seeds=seeds,
        until=YEAR_END if until is None else until.replace(hour=4, tzinfo=UTC),
        fresh=fresh,
        picture=picture,
    )
    with show_progress(load_frameworks) as progress:
        result = run_demo(settings, progress)
    output.finish(_document(result), lambda: _show(result))
    return 0


def _document(result: DemoResult) -> dict[str, object]:
    demo: dict[str, object] = {
        "out": str(result.out),
        "report": str(result.report),
        "peak_bytes": result.peak_bytes,
        "stages": result.stages,
    }
    if result.drill is not None:
        demo["drill"] = drill_document(result.drill).plain()
    return {**status_document(result.status).plain(), "demo": demo}


def _show(result: DemoResult) -> None:
    show(result.status)
    if result.drill is not None:
        Console().print(scoreboard(result.drill))
    seconds = sum(float(stage["seconds"]) for stage in result.stages.values())
    click.echo(f"All stages took {seconds:.0f} s; peak memory of one process {result.peak_bytes / 1e9:.1f} GB.")
    click.echo(f"Report: {result.report}")
    click.echo(f"Next:   pitfalls monitor status --config {result.out / 'monitor.toml'}")
    click.echo(f"        pitfalls monitor ui --config {result.out / 'monitor.toml'}   (the dashboard)")
