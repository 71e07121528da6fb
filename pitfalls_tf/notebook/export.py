"""`pitfalls_tf.export`: a trained model as the next version of a served one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from monitoring.config import parse_dictionary
from monitoring.errors import BadInput
from monitoring.notebook.frames import in_arrow
from monitoring.notebook.monitor import TableLike
from monitoring.onboarding.table_description import described
from monitoring.tasks.task import TaskName
from pitfalls_tf.training.bundles import export_runs
from pitfalls_tf.training.train import TrainingResult
from serving.export.export import Bundle, ModelFolder, Reference, export_bundle
from serving.export.inputs.input_roles import DeclaredRoles
from serving.export.manifest import Provenance
from serving.export.table_file import read_table


def export(  # noqa: PLR0913 - a front door: an editor completes what it can see
    model: TrainingResult | str | Path | Any,
    name: str,
    *,
    models: str | Path = "models",
    reference: TableLike | None = None,
    features: Sequence[str] = (),
    label: str | Mapping[str, str] | None = None,
    classes: Sequence[str] | Mapping[str, Sequence[str]] = (),
    task: TaskName | None = None,
    output: str | None = None,
    prediction_id: str | None = None,
    event_time: str | None = None,
    label_time: str | None = None,
    naive_timezone: str = "UTC",
    categorical: Sequence[str] = (),
    ignore: Sequence[str] = (),
    group: str | None = None,
    dictionary: Mapping[str, Mapping[str, Any]] | None = None,
    candidate: bool = False,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Bundle:
    """Export a model as the next version of `name`, with its schema, baseline, warmup requests and manifest.

    >>> export(model, "lender", reference="held_out.parquet", classes=["no", "yes"])  # doctest: +SKIP

    Args:
        model: What `train` returned, a Keras model in memory, or the path of a ``.keras`` file or of a folder of runs.
        name: The model's name.
        models: The folder of NAME/VERSION folders.
        reference: Held-out rows with the model's inputs and labels: a path, a pandas frame, a pyarrow table, or
            anything with the Arrow interface; None: no baseline. Runs have their own.
        features: The columns of the inputs, in the model's order; none: as the inputs are called.
        label: The column of labels; of several outputs with a label each their columns by output.
        classes: The classes in the order of the output; of several outputs by output.
        task: What is predicted, where labels and outputs do not say it.
        output: The output that the label is the truth of.
        prediction_id: The column of ids.
        event_time: The column of event times.
        label_time: The column of the times at which labels became known.
        naive_timezone: The zone of times that have none.
        categorical: Inputs that are categories, whatever they look like.
        ignore: Columns that are no inputs.
        group: The column of what dependent rows share.
        dictionary: The data dictionary, such as ``{"amount": {"unit": "EUR"}}``.
        candidate: Whether to export where no server takes it up, NAME/N.candidate, for a rollout to compare.
        clock: Gives the time.

    Returns:
        The version with its path, its metrics on the reference, and remarks.

    Raises:
        BadInput: The name, the model or the reference cannot be used.
        CannotRun: Nothing can be written there, or the exported model answers differently.
    """
    by_output = classes if isinstance(classes, Mapping) else {}
    provenance = Provenance(classes=() if isinstance(classes, Mapping) else tuple(classes))
    roles = DeclaredRoles(
        categorical=tuple(categorical), ignore=tuple(ignore), group=group, dictionary=parse_dictionary(dictionary or {})
    )
    folder = ModelFolder(Path(models) / name, candidate=candidate)
    runs = _runs(model)
    if runs is not None:
        if reference is not None:
            raise BadInput(
                "A runs folder has its own reference table.", got="a reference", expected="none", fix="Leave it out."
            )
        return export_runs(runs, folder=folder, clock=clock, declared=provenance, roles=roles)
    rows = None if reference is None else _rows(reference)
    columns = described(
        prediction_id=prediction_id, event_time=event_time, label_time=label_time, naive_timezone=naive_timezone
    )
    with_names = Reference(
        table=rows,
        features=tuple(features),
        label=None if isinstance(label, Mapping) else label,
        label_of=label if isinstance(label, Mapping) else {},
        classes_of={name: tuple(names) for name, names in by_output.items()},
        task=task,
        output=output,
        columns=columns.traffic,
        roles=roles,
    )
    source = Path(model) if isinstance(model, str) else model
    return export_bundle(source, folder=folder, reference=with_names, provenance=provenance, clock=clock)


def _rows(reference: TableLike) -> pa.Table:
    """The rows of a file, or of a frame in memory."""
    return read_table(Path(reference)) if isinstance(reference, str | Path) else in_arrow(reference)


def _runs(model: TrainingResult | str | Path | Any) -> Path | None:
    """The folder of runs, where the model is one."""
    if isinstance(model, TrainingResult):
        return model.ensemble.folder
    if isinstance(model, str | Path) and Path(model).suffix != ".keras":
        return Path(model)
    return None
