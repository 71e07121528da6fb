"""``pitfalls train``: the same training many times, nothing changed but the seed, and the median seed's model."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from pitfalls_tf.cli.frameworks import load_frameworks
from pitfalls_tf.cli.output import with_output
from pitfalls_tf.fitting.arithmetic import pin_arithmetic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pitfalls_tf.cli.output import Output
    from pitfalls_tf.training.runs import Ensemble
    from pitfalls_tf.training.setup import Setup
    from pitfalls_tf.training.train import TrainingResult


class StepCallback(Protocol):
    """Called after every step."""

    def __call__(self, done: int, total: int, stage: str, *, shown: bool) -> None:
        """Report a step.

        Args:
            shown: whether to print a line where there is no bar.
        """


@contextmanager
def training_progress(output: Output, clock: Callable[[], float]) -> Iterator[StepCallback]:
    """Show progress while the context lasts.

    Args:
        clock: seconds, for the estimate of the remaining time.
    """
    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield _line_printer(output, clock)
        return
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("reading data", total=None)

        def update(done: int, total: int, stage: str, *, shown: bool) -> None:
            del shown
            bar.update(task, completed=done, total=total, description=stage)

        yield update


def _line_printer(output: Output, clock: Callable[[], float]) -> StepCallback:
    first: list[tuple[float, int]] = []

    def line(done: int, total: int, stage: str, *, shown: bool) -> None:
        if not first:
            first.append((clock(), done))
        if not shown:
            return
        started, done_before = first[0]
        left = ""
        if done_before < done < total:
            left = f", about {_duration((clock() - started) * (total - done) / (done - done_before))} left"
        output.progress(f"{done} of {total}: {stage}{left}")

    return line


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds > 90 else f"{seconds:.0f} s"


#: The flags that say what is trained, beside those of a table's lists of columns.
CHOICES: Final = (
    *("architecture", "remedy", "split", "held_out", "at", "epochs", "batch", "learning_rate", "stopping"),
    *("table", "label", "time", "domain", "label_time", "timezone"),
)


@click.command()
@click.argument("setup", required=False)
@click.option("--seeds", default=5, show_default=True, type=click.IntRange(1, 1000), help="Number of runs.")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Folder for the runs; they go to OUT/SETUP."
)
@click.option("--fresh", is_flag=True, help="Train every run again instead of keeping finished ones.")
@click.option(
    "--from",
    "manifest",
    type=click.Path(path_type=Path),
    help="A run's manifest.json: train that run again, with the same weights bit for bit.",
)
@click.option("--architecture", metavar="NAME", help="A network; by default the source's conventional one.")
@click.option("--remedy", metavar="NAME", help="A remedy, or several joined by +.")
@click.option(
    "--split", type=click.Choice(["random", "blocked", "time", "domain", "folds"]), help="How rows are held out."
)
@click.option(
    "--held-out", multiple=True, metavar="DOMAIN", help="With --split domain: a domain to hold out; repeatable."
)
@click.option("--at", metavar="TIME", help="With --split time: the first time held out.")
@click.option("--epochs", type=click.IntRange(1), metavar="N", help="Passes over the rows.")
@click.option("--batch", type=click.IntRange(1), metavar="N", help="Batch size.")
@click.option("--learning-rate", type=float, metavar="R", help="The largest learning rate of the schedule.")
@click.option("--stopping", type=click.IntRange(1), metavar="N", help="Stop a seed after N epochs without improvement.")
@click.option("--tensorboard", type=click.Path(path_type=Path), metavar="DIR", help="Write TensorBoard's logs there.")
@click.option("--table", type=click.Path(path_type=Path), metavar="FILE", help="With SETUP table: Parquet or CSV file.")
@click.option("--label", metavar="COLUMN", help="Of a table: the label.")
@click.option("--time", metavar="COLUMN", help="Of a table: the event time.")
@click.option("--domain", metavar="COLUMN", help="Of a table: site, scanner or group.")
@click.option("--label-time", metavar="COLUMN", help="Of a table: when the label became known.")
@click.option("--ignore", default="", metavar="A,B", help="Of a table: columns that are not inputs.")
@click.option("--categories", default="", metavar="A,B", help="Of a table: numbers that are codes.")
@click.option("--timezone", default="UTC", metavar="ZONE", help="Of a table: time zone of its days.")
@with_output
def command(
    setup: str | None,
    seeds: int,
    out: Path,
    manifest: Path | None,
    *,
    output: Output,
    **flags: Any,  # the other flags, as click has read them
) -> int:
    """Train SETUP once per seed, score each run on held-out rows, and deploy the median seed's model.

    SETUP is flights, rodents, digits, letters or table. Metrics are over all labelled rows that are held out, each
    scored by a fit that was not trained on it. With --split folds a run is five fits that hold out every row once, and
    the deployed model is one more fit with the median seed on all rows; with any other split a run is one fit, and the
    median seed's is deployed as it was scored. Both are in each run's manifest. flights without any of the flags from
    --architecture to --stopping is the demo's setup: January to March 2013, tuned, in folds.

    Finished runs in the folder are kept if they were made with the same setup and rows, so an interrupted training
    goes on where it stopped, and a larger --seeds adds to a smaller one.
    """
    if (setup is None) == (manifest is None):
        raise click.UsageError("Name a SETUP, or --from MANIFEST, and not both.")
    to = {"runs": out, "fresh": flags["fresh"], "tensorboard": flags["tensorboard"]}
    if manifest is not None:
        return _train_again(manifest, to, output)
    assert setup is not None  # noqa: S101 - for the type checker: one of the two is there
    from pitfalls_tf.training.chosen_setup import chosen_setup  # noqa: PLC0415 - help must not wait

    words = {name: _words(flags[name]) for name in ("ignore", "categories")}
    return _train(chosen_setup(setup, **{name: flags[name] for name in CHOICES} | words), seeds, to, output)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _train(setup: Setup, seeds: int, to: Mapping[str, Any], output: Output) -> int:
    # Names are checked before anything heavy is loaded.
    compiled, _ = setup.network.uses_xla, setup.find_remedy()
    output.progress(f"Training {setup.name} with {seeds} seeds into {to['runs'] / setup.name}")
    if compiled:
        pin_arithmetic()
    load_frameworks("keras")
    from pitfalls_tf.training.train import TrainingOutput, train  # noqa: PLC0415 - loads TensorFlow

    with training_progress(output, time.monotonic) as report:
        result = train(
            setup,
            seeds=seeds,
            output=TrainingOutput(**to),
            progress=lambda now: report(now.done, now.total, now.stage, shown=now.milestone),
        )
    return _answer(result, output)


def _train_again(manifest: Path, to: Mapping[str, Any], output: Output) -> int:
    from pitfalls_tf.training.run_folder import read_run_manifest  # noqa: PLC0415 - help must not wait

    output.progress(f"Training the run of {manifest} again into {to['runs']}")
    if read_run_manifest(manifest).get("arithmetic"):  # a run of before is repeated as it was
        pin_arithmetic()
    load_frameworks("keras")
    from pitfalls_tf.training.train import TrainingOutput, train_again  # noqa: PLC0415 - loads TensorFlow

    with training_progress(output, time.monotonic) as report:
        result = train_again(
            manifest,
            output=TrainingOutput(**to),
            progress=lambda now: report(now.done, now.total, now.stage, shown=now.milestone),
        )
    output.progress("The weights are those of the manifest, bit for bit.")
    return _answer(result, output)


def _answer(result: TrainingResult, output: Output) -> int:
    ensemble = result.ensemble
    document = _document(ensemble) | {"unscored": list(result.unscored), "without_model": result.without_model}
    if result.without_model is not None:
        document["model"] = None
    if not ensemble.reference.is_file():
        document["reference"] = None

    def show() -> None:
        _show_runs(ensemble)
        if result.unscored:
            click.echo(f"  domains without metrics, as they have no labels: {', '.join(result.unscored)}")
        if result.without_model is not None:
            click.echo(f"No model to deploy: {result.without_model}")
            return
        click.echo(f"Deployed: median seed {ensemble.deployed.seed}, {result.deployed_rows}: {ensemble.model}")
        if document["reference"] is not None:
            click.echo(f"Its predictions on the held-out rows: {ensemble.reference}")

    output.finish(document, show)
    return 0


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


def _show_runs(ensemble: Ensemble) -> None:
    click.echo(f"{ensemble.setup}: {len(ensemble.runs)} seeds, each scored on rows it was not trained on")
    click.echo(f"  {'metric':<18} {'median':>8} {'sd':>8} {'worst':>8} {'worst - median':>15}")
    for name, spread in ensemble.spread.items():
        deviation = "" if spread.deviation is None else f"{spread.deviation:.4f}"
        click.echo(
            f"  {name.replace('_', ' '):<18} {spread.median:8.4f} {deviation:>8} {spread.worst:8.4f}"
            f" {spread.worst_minus_median:15.4f}"
        )
    if ensemble.diverged:
        click.echo(f"  diverged: seeds {', '.join(map(str, ensemble.diverged))}")
