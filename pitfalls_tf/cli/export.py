"""``pitfalls export``: a trained model becomes a version folder that servers load and monitors read."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from monitoring.errors import BadInput
from pitfalls_tf.cli.frameworks import load_frameworks
from pitfalls_tf.cli.output import answers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pitfalls_tf.cli.output import Output
    from pitfalls_tf.gate import Gate
    from serving.export import Bundle


class Given(NamedTuple):
    """What the caller adds to a model."""

    classes: tuple[str, ...]
    verdict: Mapping[str, Any] | None


@click.command()
@click.argument("source", metavar="RUNS_OR_KERAS_FILE", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="What the model is called in URLs.")
@click.option("--models", required=True, type=click.Path(path_type=Path), help="Folder of NAME/VERSION folders.")
@click.option("--reference", type=click.Path(path_type=Path), help="Parquet table of predictions to judge it by.")
@click.option("--classes", metavar="A,B", help="Class names in the order of the probabilities.")
@click.option(
    "--gate", type=click.Path(path_type=Path), metavar="VERDICT", help="Refuse what this verdict does not pass."
)
@click.option("--force", is_flag=True, help="Export in spite of the gate; the manifest says so.")
@answers
def command(
    source: Path,
    name: str,
    models: Path,
    *,
    reference: Path | None,
    classes: str | None,
    gate: Path | None,
    force: bool,
    output: Output,
) -> int:
    """Export a trained model as the next version of NAME, with its schema, baseline, warmup requests and manifest.

    Of a runs folder, the median seed's model and its out-of-fold predictions are taken. Of any other .keras file, the
    model, and --reference is what it is held against later. Nothing is published unless the exported model answers as
    the Keras model does. With --gate, a model that is not better than the deployed one in its worst domain is refused,
    with exit code 1.
    """
    from serving.export import check_name  # noqa: PLC0415 - help must not wait for tables

    check_name(name)
    if not source.exists():
        raise BadInput(
            "There is nothing to export.",
            got=f"{source}, which does not exist",
            expected="a runs folder or a .keras file",
            fix="Train first: pitfalls train SETUP --out RUNS.",
        )
    passage = None if gate is None else _ask(gate, source)
    if passage is not None and passage.refusal is not None and not force:
        output.finish({"name": name, "version": None, "refused": passage.refusal}, lambda: _refuse(name, passage))
        return 1
    verdict = None if passage is None else passage.record(forced=force and passage.refusal is not None)
    given = Given(classes=split_classes(classes), verdict=verdict)
    bundle = _export(source, name, models, reference, given, output)
    output.finish(_document(bundle), lambda: _show(bundle))
    return 0


def split_classes(text: str | None) -> tuple[str, ...]:
    """Class names as they were listed.

    >>> split_classes("on_time, late")
    ('on_time', 'late')

    Raises:
        BadInput: an empty or repeated name.
    """
    if text is None:
        return ()
    names = tuple(name.strip() for name in text.split(","))
    if not all(names) or len(set(names)) != len(names):
        raise BadInput(
            "These are no class names.",
            got=repr(text),
            expected="different names with commas between",
            fix="For example --classes on_time,late",
        )
    return names


def _ask(gate: Path, source: Path) -> Gate:
    from pitfalls_tf.gate import check_same_model, read_gate  # noqa: PLC0415 - as above

    passage = read_gate(gate)
    check_same_model(passage, source)
    return passage


def _refuse(name: str, passage: Gate) -> None:
    click.echo(f"Refused, {name} stays as it is: {passage.refusal}")
    click.echo("Train more seeds or another setup; --force exports it all the same.")


def _export(source: Path, name: str, models: Path, reference: Path | None, given: Given, output: Output) -> Bundle:
    from pitfalls_tf.bundles import export_runs, read_reference  # noqa: PLC0415 - as above
    from serving.export import export_bundle  # noqa: PLC0415 - as above
    from serving.manifest import Provenance  # noqa: PLC0415 - as above

    if source.is_dir():
        if reference is not None:
            raise BadInput(
                "Runs bring their own reference table.",
                got=f"{source} with --reference {reference}",
                expected="one of the two",
                fix="Leave --reference away, or name the .keras file itself.",
            )
        load_frameworks("tensorflow", "keras", "tensorflow_data_validation")
        output.progress(f"Exporting {name} from the runs in {source} …")
        return export_runs(source, name=name, models=models, classes=given.classes, clock=_now, verdict=given.verdict)
    table = None if reference is None else read_reference(reference)
    if table is None:
        output.progress("Without --reference the bundle has no baseline, and cannot be monitored.")
        load_frameworks("tensorflow", "keras")
    else:
        load_frameworks("tensorflow", "keras", "tensorflow_data_validation")
    output.progress(f"Exporting {name} from {source} …")
    provenance = Provenance(classes=given.classes, verdict=given.verdict)
    return export_bundle(source, name=name, models=models, reference=table, provenance=provenance, clock=_now)


def _document(bundle: Bundle) -> dict[str, object]:
    from serving.manifest import nest  # noqa: PLC0415 - as above

    return {
        "name": bundle.name,
        "version": bundle.version,
        "path": str(bundle.path),
        "metrics": nest(bundle.metrics),
    }


def _show(bundle: Bundle) -> None:
    click.echo(f"Exported {bundle.name}/{bundle.version} to {bundle.path}")
    for one in bundle.metrics:
        if not one.slice:
            click.echo(f"  {one.metric:<9} {one.mean:.4f}  95 % interval {one.low:.4f} to {one.high:.4f}")


def _now() -> datetime:
    return datetime.now(UTC)
