"""``pitfalls reproduce``: the paper's figures on real data, with a table and a verdict for each claim."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pitfalls_tf.cli.output import answers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pitfalls_tf.cli.output import Output
    from pitfalls_tf.experiments.reproduce import Reproduced
    from pitfalls_tf.experiments.run_store import Progress


@click.command()
@click.argument("figure", nargs=-1)
@click.option("--seeds", type=click.IntRange(1, 1000), help="How many runs per setup.  [default: the figure's own]")
@click.option("--quick", is_flag=True, help="Fewer seeds, rows and epochs: all figures in about four minutes.")
@click.option(
    "--out",
    default=Path("reproduced"),
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder of the results.",
)
@click.option(
    "--check",
    type=click.Path(path_type=Path),
    metavar="MANIFEST",
    help="Instead of a FIGURE: make the results of a manifest.json again in OUT, and compare the tables.",
)
@answers
def command(
    figure: tuple[str, ...], seeds: int | None, out: Path, check: Path | None, *, quick: bool, output: Output
) -> int:
    """Run the paper's experiments again: FIGURE is figure1, another one, or all of them.

    Each writes OUT/FIGURE with a page, a figure (SVG and PNG), the tables, every run and a manifest; OUT/README.md has
    all claims with their verdicts. Finished runs are kept, so an interrupted experiment goes on where it stopped.
    """
    if bool(figure) == (check is not None) or (check is not None and (quick or seeds is not None)):
        raise click.UsageError("Name a FIGURE, or --check MANIFEST alone: the manifest says how large it was.")
    import time  # noqa: PLC0415 - the clock is handed in here

    from pitfalls_tf.cli.frameworks import load_frameworks  # noqa: PLC0415 - help must not wait for it
    from pitfalls_tf.experiments.catalogue import find  # noqa: PLC0415 - as above
    from pitfalls_tf.experiments.experiment import Scale  # noqa: PLC0415 - as above

    if check is not None:
        load_frameworks("keras")
        return _check(check, out, time.monotonic, output)
    experiments = find(figure)
    load_frameworks("keras")
    from pitfalls_tf.experiments.reproduce import reproduce  # noqa: PLC0415 - as above

    with _bar(output) as progress:
        done = reproduce(experiments, out, Scale(quick=quick, seeds=seeds), clock=time.monotonic, progress=progress)
    output.finish(_document(done, out), lambda: _show(done, out))
    return 0


def _check(manifest: Path, out: Path, clock: Callable[[], float], output: Output) -> int:
    from pitfalls_tf.experiments.checking import check  # noqa: PLC0415 - as above

    with _bar(output) as progress:
        same = check(manifest, out, clock=clock, progress=lambda now: progress("again", now))
    output.finish(
        asdict(same),
        lambda: click.echo(f"{same.experiment}: the same table of {same.rows} rows, to the last digit, {same.code}."),
    )
    return 0


@contextmanager
def _bar(output: Output) -> Iterator[Callable[[str, Progress], None]]:
    """A progress bar with the remaining time on a terminal; elsewhere a line for every two runs or so."""
    from rich.console import Console  # noqa: PLC0415 - only when a bar is shown
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn  # noqa: PLC0415 - as above
    from rich.progress import Progress as Bar  # noqa: PLC0415 - as above

    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield lambda name, now: output.progress(
            f"{name}: {now.done} of {now.total} runs, {now.stage}{_left(now.remaining)}"
        )
        return
    with Bar(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=console, transient=True
    ) as bar:
        task = bar.add_task("reading", total=None)

        def advance(name: str, now: Progress) -> None:
            text = f"{name}: {now.stage}{_left(now.remaining)}"
            bar.update(task, completed=now.done, total=now.total, description=text)

        yield advance


def _left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f", about {seconds / 60:.0f} min left" if seconds >= 90 else f", about {seconds:.0f} s left"


def _document(done: Sequence[Reproduced], out: Path) -> dict[str, Any]:
    return {
        "page": str(out / "README.md"),
        "experiments": [{"folder": str(one.folder), **one.manifest} for one in done],
    }


def _show(done: Sequence[Reproduced], out: Path) -> None:
    for one in done:
        click.echo(f"{one.manifest['experiment']}: {one.manifest['title']}")
        for claim in one.manifest["claims"]:
            click.echo(f"  {claim['verdict']}: {claim['says']}")
            click.echo(f"    {claim['quantity']}")
            for found in claim["findings"]:
                click.echo(f"    {found['where']} {found['measured']}: {found['verdict']}")
        click.echo(f"  {one.folder}")
    click.echo(f"All claims: {out / 'README.md'}")
