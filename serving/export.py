"""A trained Keras model becomes a bundle: MODELS/NAME/VERSION, which a server loads and a monitor reads.

MODELS/NAME/VERSION/            SavedModel with the signatures of `serving.endpoints`
    assets.extra/
        schema.pbtxt            TFDV's schema of the inputs and, in TRAINING only, the label
        baseline/               the reference rows and their profile
        tf_serving_warmup_requests
        manifest.json           how it was made, and how good it was
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from monitoring.baseline import write_baseline
from monitoring.baseline.metrics import Metric, benchmark
from monitoring.baseline.predictions import predictions_from
from monitoring.errors import BadInput
from serving.agreement import check_agreement
from serving.endpoints import write_saved_model
from serving.keras_model import KerasModel, load_keras
from serving.manifest import MANIFEST_FILE, Manifest, Provenance, environment
from serving.reference import baseline_spec, check_reference, sample
from serving.staging import staged
from serving.warmup_file import write_warmup

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

SCHEMA_FILE: Final = "assets.extra/schema.pbtxt"
BASELINE_FOLDER: Final = "assets.extra/baseline"
# Of the bootstrap and of made-up rows: the same model and reference give the same manifest.
SEED: Final = 0
# A server reads the name out of a URL, and takes a number for a version.
MODEL_NAME: Final = re.compile(r"(?=.*[^0-9])[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """One exported version."""

    name: str
    version: int
    path: Path
    metrics: tuple[Metric, ...]


def export_bundle(
    model: Any | Path,
    *,
    name: str,
    models: Path,
    reference: pa.Table | None,
    provenance: Provenance,
    clock: Callable[[], datetime],
) -> Bundle:
    """Export a Keras model (Functional or Sequential, or the path of a ``.keras`` file) as the next version of NAME.

    ``reference`` has one row per prediction on a row the model was not fitted on: prediction_id, event_time, the
    model's inputs, probabilities (list of floats), label (a class name) and label_time, the last two null where the
    truth never arrived. Without it there is no schema, no baseline and no metric, and a monitor cannot watch it.

    Everything is written aside; the exported model must answer as the Keras model does, and its warmup requests must
    run, before a rename makes it visible. Cost: some seconds, most of them TensorFlow's and TFDV's import.

    Raises:
        BadInput: the name, the model's file or the reference will not do.
        CannotRun: nothing can be written there, or the exported model answers otherwise.
    """
    check_name(name)
    opened = KerasModel(load_keras(model) if isinstance(model, Path) else model)
    if reference is not None:
        check_reference(reference, opened, provenance.classes)
    rows = sample(reference, opened.inputs, np.random.default_rng(SEED))
    with staged(models / name) as staging:
        folder = staging.folder
        write_saved_model(opened, folder)
        check_agreement(opened, folder, rows)
        write_warmup(folder, name, opened.inputs, rows)
        metrics = () if reference is None else _write_reference(reference, opened, provenance.classes, folder)
        manifest = Manifest(
            name=name,
            created_at=clock(),
            provenance=provenance,
            environment=environment(),
            inputs=opened.inputs,
            outputs=opened.outputs,
            reference=None if reference is None else _describe(reference, folder),
            metrics=metrics,
        )
        manifest.write(folder / MANIFEST_FILE)
        path = staging.publish()
    return Bundle(name=name, version=int(path.name), path=path, metrics=metrics)


def check_name(name: str) -> None:
    """Raise BadInput unless a server can be asked for a model of this name.

    >>> check_name("flights-2013")
    """
    if not MODEL_NAME.fullmatch(name):
        raise BadInput(
            "This is no name for a model.",
            got=repr(name),
            expected="up to 128 letters, digits, '.', '_' and '-', the first a letter or digit, and not a bare number",
            fix="For example --name flights.",
        )


def _write_reference(
    reference: pa.Table, model: KerasModel, classes: tuple[str, ...], folder: Path
) -> tuple[Metric, ...]:
    """Schema and baseline of the reference; its metrics."""
    from monitoring.baseline.schema import infer_schema, write_schema  # noqa: PLC0415 - brings TFDV when called

    spec = baseline_spec(model, classes)
    features = [feature.name for feature in spec.features]
    write_schema(infer_schema(reference.select([*features, "label"]), label="label"), folder / SCHEMA_FILE)
    write_baseline(reference, folder=folder / BASELINE_FOLDER, spec=spec)
    return benchmark(predictions_from(reference, spec), spec, np.random.default_rng(SEED))


def _describe(reference: pa.Table, folder: Path) -> dict[str, Any]:
    """How many rows, from when to when, and the digest of the file that the baseline keeps them in."""
    times = reference["event_time"].sort()
    written = folder / BASELINE_FOLDER / "reference.parquet"
    return {
        "rows": reference.num_rows,
        "labelled": reference.num_rows - reference["label"].null_count,
        "first_event_time": times[0].as_py().isoformat(),
        "last_event_time": times[-1].as_py().isoformat(),
        "sha256": hashlib.sha256(written.read_bytes()).hexdigest(),
    }
