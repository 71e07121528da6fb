"""``pitfalls train``: the same training many times, nothing changed but the seed, and the median seed's model."""

from __future__ import annotations

import difflib
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from monitoring.errors import BadInput
from pitfalls_tf.cli.frameworks import load_frameworks
from pitfalls_tf.cli.output import answers
from pitfalls_tf.cli.training_progress import told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pitfalls_tf.cli.output import Output
    from pitfalls_tf.training.output import Place
    from pitfalls_tf.training.runs import Ensemble
    from pitfalls_tf.training.setup import ComposedSetup, Source
    from pitfalls_tf.training.trainer import Trained

#: Any of these makes a setup of names; without them `flights` is the demo's, scored out of fold.
COMPOSING: Final = ("architecture", "remedy", "split", "held_out", "at", "epochs", "batch", "learning_rate", "stopping")
COLUMNS: Final = ("label", "time", "domain", "label_time", "ignore", "categories", "timezone")


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
@click.option("--architecture", metavar="NAME", help="Another network than the source's usual one.")
@click.option("--remedy", metavar="NAME", help="An attempted fix, or several joined by +.")
@click.option("--split", type=click.Choice(["random", "blocked", "time", "domain"]), help="Which rows are held out.")
@click.option("--held-out", multiple=True, metavar="DOMAIN", help="Of --split domain; may be given again.")
@click.option("--at", metavar="MOMENT", help="Of --split time: the first moment held out.")
@click.option("--epochs", type=click.IntRange(1), metavar="N", help="Passes over the rows.")
@click.option("--batch", type=click.IntRange(1), metavar="N", help="Rows a step.")
@click.option("--learning-rate", type=float, metavar="R", help="The largest rate of the optimiser.")
@click.option("--stopping", type=click.IntRange(1), metavar="N", help="Stop a seed N epochs after its best one.")
@click.option("--tensorboard", type=click.Path(path_type=Path), metavar="DIR", help="Write TensorBoard's logs there.")
@click.option("--table", type=click.Path(path_type=Path), metavar="FILE", help="Of SETUP table: Parquet or CSV.")
@click.option("--label", metavar="COLUMN", help="Of a table: the class.")
@click.option("--time", metavar="COLUMN", help="Of a table: when the row happened.")
@click.option("--domain", metavar="COLUMN", help="Of a table: site, scanner or group.")
@click.option("--label-time", metavar="COLUMN", help="Of a table: when the class became known.")
@click.option("--ignore", default="", metavar="A,B", help="Of a table: columns that are no inputs.")
@click.option("--categories", default="", metavar="A,B", help="Of a table: numbers that are codes.")
@click.option("--timezone", default="UTC", metavar="ZONE", help="Of a table: whose days.")
@answers
def command(
    setup: str | None,
    seeds: int,
    out: Path,
    manifest: Path | None,
    *,
    output: Output,
    **said: Any,  # how the setup is composed, as click has read it
) -> int:
    """Train SETUP once per seed, score each run on held-out days, and train the median seed's model to deploy.

    SETUP is flights, rodents, digits or table. Finished runs in the folder are kept if they were made with the same
    setup and rows, so an interrupted training goes on where it stopped, and a larger --seeds adds to a smaller one.
    """
    if (setup is None) == (manifest is None):
        raise click.UsageError("Name a SETUP, or --from MANIFEST, and not both.")
    if manifest is not None:
        return _again(manifest, _place(out, said), output)
    assert setup is not None  # noqa: S101 - for the type checker: one of the two is there
    if (source := _source(setup, said)) is not None:
        return _composed(_setup(source, said), seeds, _place(out, said), output)
    from pitfalls_tf.training.named_setups import find  # noqa: PLC0415 - help must not wait for tables

    chosen = find(setup)
    if said["tensorboard"] is not None:
        raise BadInput(
            "The out-of-fold training of flights writes no TensorBoard logs.",
            got="--tensorboard",
            expected="a setup composed of names",
            fix="Say how rows are held out, such as --split blocked.",
        )
    output.progress(f"Training {chosen.name} with {seeds} seeds into {out / chosen.name}")
    load_frameworks("keras")
    from pitfalls_tf.training.fold_training import train_ensemble  # noqa: PLC0415 - loads TensorFlow

    with told(output, time.monotonic) as tell:
        ensemble = train_ensemble(
            chosen,
            seeds=seeds,
            out=out,
            fresh=said["fresh"],
            progress=lambda now: tell(now.done, now.total, now.stage, shown=True),
        )
    output.finish(_document(ensemble), lambda: _show(ensemble))
    return 0


def _source(setup: str, said: Mapping[str, Any]) -> Source | None:
    """The source of a composed setup; None for one that has a name of its own, and nothing said to change it."""
    from pitfalls_tf.training.named_setups import SETUPS  # noqa: PLC0415 - as above
    from pitfalls_tf.training.setup import SOURCES  # noqa: PLC0415 - help must not wait for tables

    asked = any(said[name] not in {None, ()} for name in COMPOSING)
    if setup in SETUPS and not asked:
        return None
    found = next((source for source in SOURCES if source == setup), None)
    if found is None:
        names = sorted({*SETUPS, *SOURCES})
        near = difflib.get_close_matches(setup, names, n=1)
        raise BadInput(
            "No such setup.",
            got=repr(setup),
            expected=f"one of: {', '.join(names)}",
            fix=f"Did you mean {near[0]}?" if near else "Choose one of those.",
        )
    return found


def _setup(source: Source, said: Mapping[str, Any]) -> ComposedSetup:
    from pitfalls_tf.training.setup import ComposedSetup, HeldOut  # noqa: PLC0415 - as above

    held_out = HeldOut(split=said["split"], at=said["at"], domains=said["held_out"])
    own = ("architecture", "remedy", "epochs", "batch", "learning_rate", "stopping")
    return ComposedSetup(
        source=source,
        held_out=held_out,
        table=_table(source, said),
        **{name: said[name] for name in own},
    )


def _table(source: str, said: Mapping[str, Any]) -> Any:
    from pitfalls_tf.sources.table import OwnTable  # noqa: PLC0415 - help must not wait for tables

    named = [name for name in (*COLUMNS[:4], "table") if said[name] is not None]
    needed = ("table", "label", "time")
    if source != "table":
        if named:
            raise BadInput(
                f"The rows of {source} are built in.",
                got=", ".join(f"--{name.replace('_', '-')}" for name in named),
                expected="no columns",
                fix="Leave them out, or train SETUP table.",
            )
        return None
    if missing := [f"--{name}" for name in needed if said[name] is None]:
        raise BadInput(
            "What is in the table?",
            got=f"no {', '.join(missing)}",
            expected=", ".join(f"--{name}" for name in needed),
            fix="Name the file, its column of classes, and its column of times.",
        )
    return OwnTable(
        path=said["table"].absolute(),
        **{name: said[name] for name in ("label", "time", "domain", "label_time", "timezone")},
        ignored=_words(said["ignore"]),
        categories=_words(said["categories"]),
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _place(out: Path, said: Mapping[str, Any]) -> Place:
    from pitfalls_tf.training.output import Place  # noqa: PLC0415 - help must not wait for it

    return Place(out=out, fresh=said["fresh"], tensorboard=said["tensorboard"])


def _composed(setup: ComposedSetup, seeds: int, place: Place, output: Output) -> int:
    # What names alone can tell is told before anything heavy is loaded.
    _ = setup.network, setup.fix
    output.progress(f"Training {setup.name} with {seeds} seeds into {place.out / setup.name}")
    load_frameworks("keras")
    from pitfalls_tf.training.train import train_composed  # noqa: PLC0415 - loads TensorFlow

    with told(output, time.monotonic) as tell:
        trained = train_composed(
            setup, seeds=seeds, place=place, told=lambda now: tell(now.done, now.total, now.stage, shown=now.run)
        )
    return _answer(trained, output)


def _again(manifest: Path, place: Place, output: Output) -> int:
    output.progress(f"Training the run of {manifest} again into {place.out}")
    load_frameworks("keras")
    from pitfalls_tf.training.fold_training import read_run_manifest, train_again  # noqa: PLC0415 - as above
    from pitfalls_tf.training.train import train_composed_again  # noqa: PLC0415 - loads TensorFlow

    kept = read_run_manifest(manifest)
    with told(output, time.monotonic) as tell:
        if kept["setup"].get("kind") == "composed":
            trained = train_composed_again(
                kept, manifest, place=place, told=lambda now: tell(now.done, now.total, now.stage, shown=now.run)
            )
            output.progress("The weights are those of the manifest, bit for bit.")
            return _answer(trained, output)
        ensemble = train_again(
            manifest, out=place.out, progress=lambda now: tell(now.done, now.total, now.stage, shown=True)
        )
    output.finish(_document(ensemble), lambda: _show(ensemble))
    return 0


def _answer(trained: Trained, output: Output) -> int:
    ensemble = trained.ensemble
    document = _document(ensemble) | {"unscored": list(trained.unscored), "without_model": trained.without_model}
    if trained.without_model is not None:
        document["model"] = None
    if not ensemble.reference.is_file():
        document["reference"] = None

    def show() -> None:
        _show_runs(ensemble)
        if trained.unscored:
            click.echo(f"  not scored, for want of labels: {', '.join(trained.unscored)}")
        if trained.without_model is not None:
            click.echo(f"No model to deploy: {trained.without_model}")
            return
        click.echo(f"Median seed {ensemble.deployed.seed}: {ensemble.model}")
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


def _show(ensemble: Ensemble) -> None:
    _show_runs(ensemble)
    click.echo(f"Median seed {ensemble.deployed.seed}, trained on all days: {ensemble.model}")
    click.echo(f"Its out-of-fold predictions: {ensemble.reference}")


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
