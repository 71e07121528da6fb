"""``pitfalls export``: export a trained model as a bundle that servers load and monitors read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitoring.errors import BadInput
from monitoring.onboarding.table_description import described
from monitoring.rollout.log.versions import TRAINED_UNTIL
from monitoring.watches.descriptions import metric_title
from pitfalls_tf.cli.column_roles import COLUMNS, dictionary_of, named_columns, with_column_roles
from pitfalls_tf.cli.frameworks import load_frameworks
from pitfalls_tf.cli.output import with_output
from serving.export.export import ModelFolder, Reference, export_bundle
from serving.export.inputs.input_roles import DeclaredRoles
from serving.export.keras_file import import_custom, load_keras
from serving.export.manifest import Provenance, nest
from serving.export.model_name import check_name
from serving.export.parity import TOLERANCE
from serving.export.signature_model import check_is_version, is_saved_model, load_signature
from serving.export.table_file import read_table
from serving.models.foreign_formats import advice_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitoring.config.table_section import TableSection
    from monitoring.tasks.task import TaskName
    from pitfalls_tf.cli.output import Output
    from pitfalls_tf.verdicts.gate import ReleaseGate
    from serving.export.export import Bundle

#: Flags that say what the reference's ids and times are, by the names of their settings.
ROW_SETTINGS = ("prediction_id", "event_time", "label_time", "naive_timezone")


@click.command()
@click.argument("source", metavar="SOURCE", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="Name of the model in URLs.")
@click.option(
    "--models", required=True, type=click.Path(path_type=Path), help="Model repository: folder of NAME/VERSION folders."
)
@click.option(
    "--reference", type=click.Path(path_type=Path), help="Reference table for the baseline: Parquet, CSV, npz."
)
@click.option("--features", metavar="A,B", help="Input columns in the order of the model.")
@click.option(
    "--label",
    metavar="COLUMN",
    help="Label; or A,B,C: a 0 or 1 for each class, or a number for each output; or OUTPUT=COLUMN,... for several "
    "outputs.  [default: label]",
)
@click.option(
    "--classes",
    metavar="A,B",
    help="Names of classes, or of several numbers, in the order of the model's output; or OUTPUT=A,B,OUTPUT=C,D.",
)
@click.option(
    "--task",
    type=click.Choice(["classification", "multilabel", "regression", "ranking"]),
    help="What the label is: a class, several classes, a number, or relevant ids.  [default: by label and outputs; a "
    "ranking has to be said]",
)
@click.option("--event-time", metavar="COLUMN", help="Time of the prediction.  [default: event_time]")
@click.option("--label-time", metavar="COLUMN", help="Time when the label became known.  [default: label_time]")
@click.option("--naive-timezone", default="UTC", show_default=True, metavar="ZONE", help="Time zone of times without.")
@click.option("--prediction-id", metavar="COLUMN", help="Unique id of the prediction.  [default: prediction_id]")
@with_column_roles
@click.option("--output", "answer", metavar="NAME", help="Output that the label is the truth of, of several.")
@click.option("--score", metavar="NAME", help="Output of the scores of a ranking's ids, of several.")
@click.option(
    "--embedding", metavar="LAYER", help="Layer by which tensors and texts are watched; MODEL/LAYER in a nested model."
)
@click.option("--custom", metavar="MODULE", help="Module of custom layers: dotted name, or a .py file.")
@click.option(
    "--trained-until",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]),
    help="Rows before that time (UTC) had a part in the model: a replay of a rollout leaves them out.  [default: of "
    "runs the end of their reference]",
)
@click.option("--signature", metavar="NAME", help="Signature of a SavedModel.  [default: serving_default]")
@click.option(
    "--candidate", is_flag=True, help="Export to NAME/N.candidate, which no server takes up: a rollout compares it."
)
@click.option(
    "--gate",
    type=click.Path(path_type=Path),
    metavar="VERDICT",
    help="Verdict file: refuse a model that does not pass.",
)
@click.option("--force", is_flag=True, help="Export even if the gate refuses; recorded in the manifest.")
@with_output
def command(source: Path, name: str, models: Path, output: Output, **chosen: Any) -> int:
    """Export a trained model as the next version of NAME, with its schema, baseline, warmup requests and manifest.

    From a runs folder it exports the median seed's model with its held-out predictions as reference. From a .keras file
    it exports the model with --reference, from a SavedModel's folder a signature. The bundle is published only if it
    predicts the same as the model. With --gate, a model that is not better than the deployed one in its worst domain is
    refused with exit code 1.
    """
    check_name(name)
    if not source.exists():
        raise BadInput(
            "The model to export does not exist.",
            got=f"{source}, which does not exist",
            expected="a runs folder, a .keras file or a SavedModel's folder",
            fix="Train first: pitfalls train SETUP --out RUNS.",
        )
    gate = None if chosen["gate"] is None else _read_gate(chosen["gate"], source)
    if gate is not None and gate.refusal is not None and not chosen["force"]:
        output.finish({"name": name, "version": None, "refused": gate.refusal}, lambda: _show_refusal(name, gate))
        return 1
    classes, classes_of = named_classes(chosen["classes"], chosen["label"])
    request = ExportRequest(
        name=name,
        models=models,
        reference=chosen["reference"],
        features=split_names(chosen["features"], "--features", "age,income"),
        label=chosen["label"],
        columns=described(**{name: chosen[name] for name in ROW_SETTINGS}).traffic,
        classes=classes,
        classes_of=classes_of,
        task=chosen["task"],
        answer=chosen["answer"],
        score=chosen["score"],
        embedding=chosen["embedding"],
        custom=chosen["custom"],
        signature=chosen["signature"],
        roles=DeclaredRoles(
            categorical=chosen["categorical"] or (),
            ignore=chosen["ignore"] or (),
            group=chosen["group"],
            dictionary=dictionary_of(chosen["dictionary"]),
        ),
        verdict=None if gate is None else gate.record(forced=gate.refusal is not None),
        candidate=chosen["candidate"],
        trained_until=None if chosen["trained_until"] is None else chosen["trained_until"].replace(tzinfo=UTC),
    )
    bundle = _export_runs(source, request, output) if _holds_runs(source) else _export_file(source, request, output)
    output.finish(_document(bundle), lambda: _show(bundle))
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """What to export, and how."""

    name: str
    models: Path
    reference: Path | None
    features: tuple[str, ...]
    label: str | None
    columns: TableSection
    classes: tuple[str, ...]
    classes_of: Mapping[str, tuple[str, ...]]
    task: TaskName | None
    answer: str | None
    score: str | None
    embedding: str | None
    custom: str | None
    signature: str | None
    roles: DeclaredRoles
    verdict: Mapping[str, Any] | None
    trained_until: datetime | None = None
    candidate: bool = False

    @property
    def provenance(self) -> Provenance:
        """What the flags say of the model's making, for the manifest."""
        data = {} if self.trained_until is None else {TRAINED_UNTIL: self.trained_until.isoformat()}
        return Provenance(classes=self.classes, verdict=self.verdict, data=data)

    @property
    def file_only_flags(self) -> tuple[str, ...]:
        """Given flags that apply to a .keras file or a SavedModel only."""
        flags = {
            "--reference": self.reference,
            "--features": self.features,
            "--label": self.label,
            **{f"--{name.replace('_', '-')}": self.columns.named(name) for name in ROW_SETTINGS[:3]},
            "--task": self.task,
            "--output": self.answer,
            "--score": self.score,
            "--embedding": self.embedding,
            "--custom": self.custom,
            "--signature": self.signature,
        }
        return tuple(flag for flag, value in flags.items() if value)


def split_names(text: str | None, flag: str, example: str) -> tuple[str, ...]:
    """Split a list of names.

    Args:
        text: names separated by commas, or None.
        flag: the flag, for the error.
        example: a valid value, for the error.

    >>> split_names("on_time, late", "--classes", "on_time,late")
    ('on_time', 'late')

    Raises:
        BadInput: an empty or repeated name.
    """
    if text is None:
        return ()
    names = tuple(name.strip() for name in text.split(","))
    if not all(names) or len(set(names)) != len(names):
        raise BadInput(
            f"Invalid names for {flag}.",
            got=repr(text),
            expected="distinct names separated by commas",
            fix=f"For example {flag} {example}",
        )
    return names


def named_classes(text: str | None, label: str | None) -> tuple[tuple[str, ...], Mapping[str, tuple[str, ...]]]:
    """The classes of ``--classes``, and those of each output where its labels and they are named by output.

    >>> named_classes("kind=easy,hard", "kind=was_kind,price=paid")
    ((), {'kind': ('easy', 'hard')})
    """
    if text is None or "=" not in text or "=" not in (label or ""):
        return split_names(text, "--classes", "on_time,late"), {}
    by_output = named_columns({"label": (label or "",), "classes": COLUMNS.convert(text, None, None)})["classes"]
    if isinstance(by_output, tuple):
        raise BadInput(
            "Classes of several outputs begin with the name of one.",
            got=f"--classes {text}",
            expected="OUTPUT=CLASS,CLASS,OUTPUT=CLASS,CLASS",
            fix="For example --classes kind=easy,hard.",
        )
    return (), {
        output: split_names(",".join(names), "--classes", f"{output}=easy,hard") for output, names in by_output.items()
    }


def _read_gate(path: Path, source: Path) -> ReleaseGate:
    from pitfalls_tf.verdicts.gate import check_same_model, read_gate  # noqa: PLC0415 - as above

    gate = read_gate(path)
    check_same_model(gate, source)
    return gate


def _show_refusal(name: str, gate: ReleaseGate) -> None:
    click.echo(f"Refused, no new version of {name}: {gate.refusal}")
    click.echo("Train more seeds or another setup, or export it anyway with --force.")


def _export_runs(source: Path, request: ExportRequest, output: Output) -> Bundle:
    from pitfalls_tf.training.bundles import export_runs  # noqa: PLC0415 - as above

    if request.file_only_flags:
        raise BadInput(
            "A runs folder has its own reference table and model.",
            got=f"{source} with {', '.join(request.file_only_flags)}",
            expected="a runs folder without these flags, a .keras file, or a SavedModel's folder",
            fix="Leave the flags out, or name the .keras file or the folder with saved_model.pb.",
        )
    load_frameworks("tensorflow", "keras")
    output.progress(f"Exporting {request.name} from the runs in {source} …")
    return export_runs(
        source,
        folder=ModelFolder(request.models / request.name, candidate=request.candidate),
        clock=_now,
        declared=request.provenance,
        roles=request.roles,
    )


def _export_file(source: Path, request: ExportRequest, output: Output) -> Bundle:
    labels = split_names(request.label, "--label", "is_sports,is_politics")
    pairs = dict(label.split("=", 1) for label in labels if "=" in label)
    _check_pairs(labels, pairs, request)
    reference = Reference(
        table=None if request.reference is None else read_table(request.reference),
        features=request.features,
        label=request.label if len(labels) < 2 and not pairs else None,
        label_columns=labels if len(labels) > 1 and not pairs else (),
        label_of=pairs,
        classes_of=request.classes_of,
        task=request.task,
        output=request.answer,
        score=request.score,
        embedding=request.embedding,
        columns=request.columns,
        roles=request.roles,
    )
    full_reference = reference.named().with_lists(request.classes)
    full_reference.check_task(request.classes or full_reference.label_columns)
    load_frameworks("tensorflow", "keras")
    model = _load(source, request)
    output.progress(f"Exporting {request.name} from {source} …")
    return export_bundle(
        model,
        folder=ModelFolder(request.models / request.name, candidate=request.candidate),
        reference=reference,
        provenance=request.provenance,
        clock=_now,
        progress=output.progress,
    )


def _holds_runs(source: Path) -> bool:
    """Whether a folder is one of runs. Raises BadInput for what can be neither runs nor a model to export."""
    if is_saved_model(source) or source.suffix == ".keras":
        return False
    check_is_version(source)
    marks = ("ensemble.json", "*/ensemble.json", "seed-*/metrics.json", "*/seed-*/metrics.json")
    is_runs = any(any(source.glob(mark)) for mark in marks)
    advice = "" if is_runs else advice_for(source)
    if advice:
        raise BadInput(
            "This is no model that can be exported.",
            got=str(source),
            expected="a runs folder, a .keras file or a SavedModel's folder",
            fix=advice,
        )
    return source.is_dir()


def _load(source: Path, request: ExportRequest) -> Any:
    if not source.is_dir():
        if request.signature is not None:
            raise BadInput(
                "A Keras file has no signatures.",
                got=f"--signature {request.signature} with {source}",
                expected="a SavedModel's folder",
                fix="Leave --signature out.",
            )
        return load_keras(source, None if request.custom is None else import_custom(request.custom))
    if request.custom or request.embedding:
        raise BadInput(
            "A SavedModel has no layers.",
            got=f"--custom or --embedding with {source}",
            expected="a signature whose outputs are all that is wanted",
            fix="Leave these flags out. An output called embedding is watched as one.",
        )
    return load_signature(source, request.signature)


def _check_pairs(labels: tuple[str, ...], pairs: Mapping[str, str], request: ExportRequest) -> None:
    """Raises BadInput for labels of outputs that are not all, or beside what says otherwise."""
    others = {"--task": request.task, "--output": request.answer, "--score": request.score}
    conflicts = [flag for flag, value in others.items() if value]
    if pairs and (len(pairs) != len(labels) or conflicts or request.reference is None):
        raise BadInput(
            "Several outputs with a label each are all named with their columns.",
            got=f"--label {request.label}" + "".join(f" with {flag}" for flag in conflicts),
            expected="--label OUTPUT=COLUMN,OUTPUT=COLUMN with --reference, and none of --task, --output and --score",
            fix="For example --label kind=was_kind,price=paid.",
        )


def _document(bundle: Bundle) -> dict[str, object]:
    return {
        "name": bundle.name,
        "version": bundle.version,
        "path": str(bundle.path),
        "outputs": list(bundle.outputs),
        "baseline": bundle.has_baseline,
        "warnings": list(bundle.warnings),
        "remarks": list(bundle.remarks),
        "parity": {"rows": bundle.parity_rows, "tolerance": TOLERANCE},
        "metrics": nest(bundle.metrics),
    }


def _show(bundle: Bundle) -> None:
    click.echo(f"Exported {bundle.name}/{bundle.path.name} to {bundle.path}")
    click.echo(f"  {bundle.parity_rows} rows have the Keras model's own answers, within {TOLERANCE:g}.")
    whole = {metric_title(metric.metric): metric for metric in bundle.metrics if not metric.slice}
    width = max(map(len, whole), default=0)
    for title, metric in whole.items():
        click.echo(f"  {title:<{width}} {metric.mean:.4f}  95 % interval {metric.low:.4f} to {metric.high:.4f}")
    for warning in bundle.warnings:
        click.echo(f"  Check: {warning}")
    for remark in bundle.remarks:
        click.echo(f"  {remark}")


def _now() -> datetime:
    return datetime.now(UTC)
