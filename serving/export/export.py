"""A trained Keras model becomes a bundle: MODELS/NAME/VERSION, which a server loads and a monitor reads.

MODELS/NAME/VERSION/            SavedModel with the signatures of `serving.export.signatures_written`
    assets.extra/
        schema.pbtxt            TFDV's schema of the inputs and, in TRAINING only, the label
        baseline/               the reference rows and their profile
        tf_serving_warmup_requests
        manifest.json           how it was made, and how good it was
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from monitoring.errors import BadInput
from serving.export.keras_model import KerasModel, load_keras
from serving.export.manifest import MANIFEST_FILE, Manifest, Provenance, environment
from serving.export.parity import check_agreement, rehearse
from serving.export.reference_answers import NO_REFERENCE, read_answers, write_reference
from serving.export.reference_table import check_reference, match_columns, sample
from serving.export.signatures_written import write_saved_model
from serving.export.staging import staged_version
from serving.export.warmup_writer import write_warmup

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import pyarrow as pa

    from monitoring.baseline.benchmark import ReferenceMetric

# Of made-up rows: the same model and reference give the same manifest.
SEED: Final = 0
# A server reads the name out of a URL, and takes a number for a version.
MODEL_NAME: Final = re.compile(r"(?=.*[^0-9])[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """One exported version. `remarks` say what it lacks and how its answers were read, in whole sentences."""

    name: str
    version: int
    path: Path
    metrics: tuple[ReferenceMetric, ...]
    outputs: tuple[str, ...] = ()
    has_baseline: bool = False
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Rows to judge a model by, if there are any; which columns it takes, in its order; which is the truth.

    Without `features` columns have the inputs' names; without `label` it is the column `label`, if there is one.
    """

    table: pa.Table | None = None
    features: tuple[str, ...] = ()
    label: str | None = None


def export_bundle(
    model: Any | Path,
    *,
    name: str,
    models: Path,
    reference: pa.Table | Reference | None,
    provenance: Provenance,
    clock: Callable[[], datetime],
) -> Bundle:
    """Export a Keras model (or the path of a ``.keras`` file of Keras's own layers) as the next version of NAME.

    ``reference`` has one row per prediction on a row the model was not fitted on: the model's inputs and, as far as
    they are known, label, prediction_id, event_time, label_time and probabilities, which
    `serving.export.reference_table.complete` makes up for. Without a reference, or for a model whose answers are no
    class probabilities, there is no baseline, and a monitor cannot watch it: `Bundle.remarks` say so.

    Everything is written aside; the exported model must answer as the Keras model does, and its warmup requests must
    run, before a rename makes it visible. Cost: some seconds, most of them TensorFlow's import.

    Raises:
        BadInput: the name, the model's file or the reference will not do.
        CannotRun: nothing can be written there, the model cannot be traced, or answers otherwise once exported.
    """
    check_name(name)
    given = reference if isinstance(reference, Reference) else Reference(table=reference)
    opened = KerasModel(load_keras(model) if isinstance(model, Path) else model, given.features)
    table = None if given.table is None else match_columns(given.table, opened, given.label)
    if table is not None:
        check_reference(table, opened, provenance.classes)
    rows, answers = rehearse(opened, sample(table, opened.inputs, np.random.default_rng(SEED)))
    reading = read_answers(opened, answers, table, provenance.classes)
    opened, provenance = reading.model, replace(provenance, classes=reading.classes)
    with staged_version(models / name) as staging:
        folder = staging.folder
        write_saved_model(opened, folder)
        check_agreement(opened, folder, rows)
        write_warmup(folder, name, opened.inputs, rows)
        now = clock()
        written = NO_REFERENCE if table is None else write_reference(table, reading, folder, now)
        manifest = Manifest(
            name=name,
            created_at=now,
            provenance=provenance,
            environment=environment(),
            inputs=opened.inputs,
            outputs=opened.outputs,
            reference=written.description,
            metrics=written.metrics,
        )
        manifest.write(folder / MANIFEST_FILE)
        path = staging.publish()
    return Bundle(
        name=name,
        version=int(path.name),
        path=path,
        metrics=written.metrics,
        outputs=opened.outputs,
        has_baseline=written.has_baseline,
        remarks=(*reading.remarks, *written.remarks),
    )


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
