"""``pitfalls train``: the same training many times, nothing changed but the seed, and the median seed's model."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pitfalls_tf.cli.frameworks import load_frameworks
from pitfalls_tf.cli.output import answers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pitfalls_tf.cli.output import Output
    from pitfalls_tf.runs import Ensemble
    from pitfalls_tf.training import Progress


@click.command()
@click.argument("setup", required=False)
@click.option("--seeds", default=5, show_default=True, type=click.IntRange(1, 1000), help="How many runs.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of the runs, in one named SETUP.")
@click.option("--fresh", is_flag=True, help="Train every run again instead of keeping finished ones.")
@click.option(
    "--from",
    "manifest",
    type=click.Path(path_type=Path),
    help="A run's manifest.json: train that run again, the same weights bit for bit, or say what does not allow it.",
)
@answers
def command(setup: str | None, seeds: int, out: Path, manifest: Path | None, *, fresh: bool, output: Output) -> int:
    """Train SETUP once per seed, score each run on held-out days, and train the median seed's model to deploy.

    Finished runs in the folder are kept if they were made with the same setup and rows, so an interrupted training
    goes on where it stopped, and a larger --seeds adds to a smaller one.
    """
    from pitfalls_tf.setups import find  # noqa: PLC0415 - help must not wait for tables

    if (setup is None) == (manifest is None):
        raise click.UsageError("Name a SETUP, or --from MANIFEST, and not both.")
    if manifest is not None:
        output.progress(f"Training the run of {manifest} again into {out}")
        load_frameworks("keras")
        from pitfalls_tf.training import train_again  # noqa: PLC0415 - loads TensorFlow

        with _bar(output) as progress:
            ensemble = train_again(manifest, out=out, progress=progress)
        output.finish(_document(ensemble), lambda: _show(ensemble))
        return 0
    assert setup is not None  # noqa: S101 - for the type checker: one of the two is there
    chosen = find(setup)
    output.progress(f"Training {chosen.name} with {seeds} seeds into {out / chosen.name}")
    load_frameworks("keras")
    from pitfalls_tf.training import train_ensemble  # noqa: PLC0415 - loads TensorFlow

    with _bar(output) as progress:
        ensemble = train_ensemble(chosen, seeds=seeds, out=out, fresh=fresh, progress=progress)
    output.finish(_document(ensemble), lambda: _show(ensemble))
    return 0


@contextmanager
def _bar(output: Output) -> Iterator[Callable[[Progress], None]]:
    """A progress bar on a terminal; elsewhere a line a run, since a fit takes less than a second."""
    from rich.console import Console  # noqa: PLC0415 - only when a bar is shown
    from rich.progress import (  # noqa: PLC0415 - as above
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar  # noqa: PLC0415 - as above

    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield lambda progress: output.progress(f"{progress.done} of {progress.total} fits: {progress.stage}")
        return
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("reading", total=None)

        def advance(progress: Progress) -> None:
            bar.update(task, completed=progress.done, total=progress.total, description=progress.stage)

        yield advance


def _document(ensemble: Ensemble) -> dict[str, object]:
    return {
        "setup": ensemble.setup,
        "folder": str(ensemble.folder),
        "model": str(ensemble.model),
        "reference": str(ensemble.reference),
        "deployed": ensemble.deployed.seed,
        "diverged": list(ensemble.diverged),
        "runs": [
            {
                "seed": run.seed,
                "folder": str(run.folder),
                "metrics": None if run.metrics is None else asdict(run.metrics),
                "intervals": {name: asdict(interval) for name, interval in run.intervals.items()},
            }
            for run in ensemble.runs
        ],
        "spread": {name: asdict(spread) for name, spread in ensemble.spread.items()},
    }


def _show(ensemble: Ensemble) -> None:
    click.echo(f"{ensemble.setup}: {len(ensemble.runs)} seeds, each scored on days it was not trained on")
    click.echo(f"  {'metric':<18} {'median':>8} {'sd':>8} {'worst':>8} {'worst - median':>15}")
    for name, spread in ensemble.spread.items():
        deviation = "" if spread.deviation is None else f"{spread.deviation:.4f}"
        click.echo(
            f"  {name.replace('_', ' '):<18} {spread.median:8.4f} {deviation:>8} {spread.worst:8.4f}"
            f" {spread.worst_minus_median:15.4f}"
        )
    if ensemble.diverged:
        click.echo(f"  diverged: seeds {', '.join(map(str, ensemble.diverged))}")
    click.echo(f"Median seed {ensemble.deployed.seed}, trained on all days: {ensemble.model}")
    click.echo(f"Its out-of-fold predictions: {ensemble.reference}")
