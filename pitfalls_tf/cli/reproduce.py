"""``pitfalls reproduce``: the paper's figures on real data, with tables and a verdict on each claim."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from pitfalls_tf.cli.frameworks import load_frameworks
from pitfalls_tf.cli.output import with_output
from pitfalls_tf.experiments.catalogue import ALL, check_sources, find
from pitfalls_tf.experiments.grid_size import GridSize
from pitfalls_tf.experiments.pages.plan_text import PLAN_PAGE
from pitfalls_tf.experiments.power_plan import PLAN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pitfalls_tf.cli.output import Output
    from pitfalls_tf.experiments.reproduce import ReproducedExperiment, Runs
    from pitfalls_tf.experiments.run_store import GridProgress

PLAN_WORD: Final = "plan"  # instead of a figure


@click.command()
@click.argument("figure", nargs=-1)
@click.option("--seeds", type=click.IntRange(1, 1000), help="Runs per setup.  [default: the figure's own]")
@click.option("--quick", is_flag=True, help="Fewer seeds, rows and epochs: all figures in about eleven minutes.")
@click.option(
    "--out",
    default=Path("reproduced"),
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder of the results.",
)
@click.option(
    "--source",
    "sources",
    multiple=True,
    help="Run only this source and keep the results of others; may be given several times.",
)
@click.option(
    "--runs",
    type=click.Choice(["first", "fresh", "all", "none"]),
    default="all",
    show_default=True,
    help="Which runs: first, the fresh ones that OUT/plan.json plans, or none to write the pages again.",
)
@click.option(
    "--check",
    type=click.Path(path_type=Path),
    metavar="MANIFEST",
    help="Instead of FIGURE: repeat the runs of a manifest.json in OUT, and compare the tables.",
)
@with_output
def command(
    figure: tuple[str, ...],
    seeds: int | None,
    out: Path,
    sources: tuple[str, ...],
    runs: Runs,
    check: Path | None,
    *,
    quick: bool,
    output: Output,
) -> int:
    """Reproduce the paper's experiments: FIGURE is figure1, another name, or all.

    Writes OUT/FIGURE with a page, a figure (SVG and PNG), tables, all runs and a manifest, and OUT/README.md with the
    verdicts on all claims. Finished runs are kept, so an interrupted experiment resumes.

    `pitfalls reproduce plan` reads the first runs in OUT and writes OUT/plan.json and OUT/PLAN.md: how many fresh runs
    and domains decide each claim with a power of .9 at the smallest effect that matters.
    """
    if bool(figure) == (check is not None) or (check is not None and (quick or seeds is not None)):
        raise click.UsageError("Give either FIGURE, or --check MANIFEST without --quick and --seeds.")

    if check is not None:
        load_frameworks("keras")
        return _verify(check, out, time.monotonic, output)
    if PLAN_WORD in figure:
        return _plan([name for name in figure if name != PLAN_WORD] or [ALL], out, output)
    experiments = find(figure)
    check_sources(sources, experiments)
    load_frameworks("keras")
    from pitfalls_tf.experiments.reproduce import Selection, reproduce  # noqa: PLC0415 - as above

    size, selection = GridSize(quick=quick, seeds=seeds), Selection(runs=runs, sources=sources or None)
    with _progress(output) as progress:
        done = reproduce(experiments, out, size, clock=time.monotonic, progress=progress, selection=selection)
    output.finish(_document(done, out), lambda: _show(done, out))
    return 0


def _plan(figures: Sequence[str], out: Path, output: Output) -> int:
    experiments = find(figures)
    load_frameworks("keras")
    from pitfalls_tf.experiments.reproduce import plan_experiments  # noqa: PLC0415 - as above

    plans = plan_experiments(experiments, out)
    document = {name: {source: asdict(planned) for source, planned in plan.items()} for name, plan in plans.items()}

    def show() -> None:
        for name, plan in plans.items():
            for source, planned in plan.items():
                runs = (
                    " to ".join(dict.fromkeys(map(str, (planned.looks[0], planned.looks[-1]))))
                    if planned.looks
                    else "0"
                )
                domains = "" if planned.domains is None else f" in {planned.domains} fresh domains"
                lacking = planned.without_power()
                weak = f"; too little power for: {', '.join(sorted(lacking))}" if lacking else ""
                click.echo(f"{name}, {source}: {runs} fresh runs{domains}{weak}")
        click.echo(f"Plan: {out / PLAN}, {out / PLAN_PAGE}")

    output.finish({"plan": str(out / PLAN), "experiments": document}, show)
    return 0


def _verify(manifest: Path, out: Path, clock: Callable[[], float], output: Output) -> int:
    from pitfalls_tf.experiments.verification import verify  # noqa: PLC0415 - as above

    with _progress(output) as progress:
        same = verify(manifest, out, clock=clock, progress=lambda now: progress("check", now))
    output.finish(
        asdict(same),
        lambda: click.echo(f"{same.experiment}: all {same.rows} rows are the same to the last digit ({same.code})."),
    )
    return 0


@contextmanager
def _progress(output: Output) -> Iterator[Callable[[str, GridProgress], None]]:
    """Show progress: a bar on a terminal, otherwise a line for about every second run."""
    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield lambda name, now: output.progress(
            f"{name}: {now.done} of {now.total} runs, {now.stage}{_time_left(now.remaining)}"
        )
        return
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=console, transient=True
    ) as bar:
        task = bar.add_task("reading data", total=None)

        def update(name: str, now: GridProgress) -> None:
            text = f"{name}: {now.stage}{_time_left(now.remaining)}"
            bar.update(task, completed=now.done, total=now.total, description=text)

        yield update


def _time_left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f", about {seconds / 60:.0f} min left" if seconds >= 90 else f", about {seconds:.0f} s left"


def _document(done: Sequence[ReproducedExperiment], out: Path) -> dict[str, Any]:
    return {
        "page": str(out / "README.md"),
        "experiments": [{"folder": str(experiment.folder), **experiment.manifest} for experiment in done],
    }


def _show(done: Sequence[ReproducedExperiment], out: Path) -> None:
    for experiment in done:
        click.echo(f"{experiment.manifest['experiment']}: {experiment.manifest['title']}")
        for claim in experiment.manifest["claims"]:
            click.echo(f"  {claim['verdict']}: {claim['says']}")
            click.echo(f"    {claim['line']}")
            click.echo(f"    {claim['quantity']}")
            for finding in claim["findings"]:
                click.echo(f"    {finding['where']} {finding['measured']}: {finding['verdict']}")
        click.echo(f"  {experiment.folder}")
    click.echo(f"All claims: {out / 'README.md'}")
