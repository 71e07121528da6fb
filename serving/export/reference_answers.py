"""What the model's answers mean, and what a bundle keeps of the reference: schema, baseline, metrics."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.baseline.benchmark import ReferenceMetric, benchmark
from monitoring.baseline.folder import write_baseline
from monitoring.baseline.predictions import predictions_from
from serving.export.embedding import PROJECTION_FILE, embed_reference
from serving.export.probabilities import classes_of, find_score
from serving.export.reference_table import LABEL, as_texts, baseline_spec, class_names, complete, is_words, scalars
from serving.export.usable_rows import usable_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from serving.export.keras_model import KerasModel

    Array = np.ndarray[Any, Any]

SCHEMA_FILE: Final = "assets.extra/schema.pbtxt"
BASELINE_FOLDER: Final = "assets.extra/baseline"
# Of the bootstrap: the same model and reference give the same manifest.
SEED: Final = 0

_FORMS: Final = {
    "distribution": "Output {} adds up to 1 over the classes and is served as probabilities.",
    "logits": "Output {} is read as logits: its softmax is served as probabilities.",
    "probability": "Output {} is read as the probability of {}: both classes' are served as probabilities.",
    "logit": "Output {} is read as the logit of {}: both classes' are served as probabilities.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The model with an output `probabilities`, if its answers are those of classes; and the classes' names."""

    model: KerasModel
    classes: tuple[str, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What the bundle holds of its reference."""

    has_baseline: bool = False
    metrics: tuple[ReferenceMetric, ...] = ()
    description: Mapping[str, Any] | None = None
    remarks: tuple[str, ...] = ()


NO_REFERENCE: Final = Written(remarks=("Without --reference the bundle has no baseline, and cannot be monitored.",))
NO_CLASSES: Final = (
    "The answers are not known to be class probabilities, so the bundle has no baseline, and cannot be monitored: a "
    "monitor watches classifiers."
)
# Labels that are quoted, at most.
QUOTED: Final = 5


def read_answers(
    model: KerasModel, answers: Mapping[str, Array], reference: pa.Table | None, classes: tuple[str, ...]
) -> Reading:
    """What the model's answers to some rows mean, given the classes or, without those, the labels that occur.

    Raises:
        BadInput: classes that fit no output, or labels that could be classes in an order that nothing tells.
    """
    if not classes and reference is not None and LABEL in reference.column_names:
        labels = pc.unique(as_texts(reference[LABEL])).drop_null().to_pylist()
        classes = classes_of(labels, answers, text=is_words(reference[LABEL].type))
    if not classes:
        return Reading(model=model, classes=(), remarks=())
    score = find_score(answers, len(classes))
    if score is None:
        return Reading(model=model, classes=classes, remarks=())
    said = _FORMS[score.form].format(score.source, classes[-1])
    return Reading(model=model.scoring(score), classes=classes, remarks=(said,))


def write_reference(reference: pa.Table, reading: Reading, folder: Path, now: datetime) -> Written:
    """Write the schema of the reference and, where the answers are class probabilities, the baseline and its metrics.

    Raises:
        BadInput: see `serving.export.usable_rows` and `monitoring.baseline.folder.write_baseline`.
    """
    model, classes = reading.model, reading.classes
    if not classes:
        _write_schema(reference, reading, folder / SCHEMA_FILE)
        return Written(
            description={"rows": reference.num_rows}, remarks=(*_tensors(model, seen=False), _no_classes(reference))
        )
    spec = baseline_spec(model, classes)
    table = complete(reference, model, classes, now)
    usable = usable_rows(table, reference, model)
    if not usable.rows.all():
        reference, table = (rows.filter(pa.array(usable.rows)) for rows in (reference, table))
    _write_schema(reference, reading, folder / SCHEMA_FILE)
    seen = embed_reference(reference, model)
    if seen is not None:
        spec, table = replace(spec, embedding=seen.embedding), seen.beside(table)
    (folder / BASELINE_FOLDER).parent.mkdir(exist_ok=True)
    write_baseline(table, folder=folder / BASELINE_FOLDER, spec=spec)
    if seen is not None:
        seen.projection.write(folder / PROJECTION_FILE)
    return Written(
        has_baseline=True,
        metrics=benchmark(predictions_from(table, spec), spec, np.random.default_rng(SEED)),
        description=_describe(table, folder),
        remarks=(*usable.remarks, *_tensors(model, seen=seen is not None), *_gaps(reference)),
    )


def _no_classes(reference: pa.Table) -> str:
    """That the model is not known to be a classifier, and what would make it one."""
    if LABEL not in reference.column_names:
        return f"{NO_CLASSES} For one, name --label or --classes."
    labels = pc.unique(as_texts(reference[LABEL])).drop_null().sort()[: QUOTED + 1].to_pylist()
    if not labels:
        return f"{NO_CLASSES} The reference has no label that is known: for a classifier, name --classes."
    few = len(labels) <= QUOTED
    return (
        f"{NO_CLASSES} The labels ({', '.join(labels if few else [*labels[:QUOTED], '…'])}) are no places, from 0 on, "
        "among the numbers of an output: for a classifier, name its classes in the order of its answer, "
        f"--classes {','.join(labels) if few else 'A,B,C'}."
    )


def _tensors(model: KerasModel, *, seen: bool) -> Iterator[str]:
    """What a monitor sees of inputs that are tensors."""
    lists = ", ".join(one.name for one in model.inputs if one.shape)
    if lists and seen:
        yield f"A monitor sees {lists} as the model does: by its output embedding, and not by single values."
    elif lists:
        yield (
            f"A monitor does not look into {lists}: it profiles inputs of one value a row, and tensors of a fixed size "
            "by an output called embedding, which this model does not have."
        )


def _write_schema(reference: pa.Table, reading: Reading, path: Path) -> None:
    """TFDV's schema of the scalars and the label; none where there is neither."""
    from monitoring.baseline.schema import infer_schema, write_schema  # noqa: PLC0415 - only where there is a reference

    described = {one.name: reference[one.name] for one in scalars(reading.model)}
    labelled = LABEL in reference.column_names
    if labelled:
        # As labels will come to a monitor: by name.
        described[LABEL] = class_names(reference[LABEL], reading.classes) if reading.classes else reference[LABEL]
    if described:
        path.parent.mkdir(exist_ok=True)
        write_schema(infer_schema(pa.table(described), label=LABEL if labelled else None), path)


def _gaps(reference: pa.Table) -> Iterator[str]:
    """What a monitor will miss."""
    if LABEL not in reference.column_names:
        yield "The reference has no label, so a monitor has no errors of the model to hold later ones against."
    if "event_time" not in reference.column_names:
        yield (
            "The reference has no event_time, so all of its rows count as of one moment, and a monitor cannot cut them "
            "into windows by time."
        )


def _describe(table: pa.Table, folder: Path) -> dict[str, Any]:
    """How many rows, from when to when, and the digest of the file that the baseline keeps them in."""
    times = table["event_time"].sort()
    written = folder / BASELINE_FOLDER / "reference.parquet"
    return {
        "rows": table.num_rows,
        "labelled": table.num_rows - table[LABEL].null_count,
        "first_event_time": times[0].as_py().isoformat(),
        "last_event_time": times[-1].as_py().isoformat(),
        "sha256": hashlib.sha256(written.read_bytes()).hexdigest(),
    }
