"""Exports a trained Keras model as a bundle, MODELS/NAME/VERSION, which a server loads and a monitor reads.

MODELS/NAME/VERSION/            SavedModel with the signatures of `serving.export.saved_model`
    assets.extra/
        schema.pbtxt            TFDV's schema of the inputs and, in TRAINING only, the label
        baseline/               the reference rows and their profile
        tf_serving_warmup_requests
        manifest.json           how it was made, and its metrics
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NoReturn, final

import numpy as np
import pyarrow as pa

from monitoring.atomic import publish, staging_folder, sync_folder
from monitoring.baseline.benchmark import ReferenceMetric
from monitoring.config.sections import CANDIDATE
from monitoring.config.table_section import USUAL_COLUMNS, TableSection
from monitoring.errors import BadInput, CannotRun
from monitoring.tasks.task import TaskName
from serving.export.answers.interpreted_model import DeclaredTask, InterpretedModel, interpret_answers
from serving.export.embedding_layer import with_embedding
from serving.export.inputs.input_roles import NOTHING_DECLARED, DeclaredRoles, InputRoles, input_roles
from serving.export.keras_model import KerasModel, load_keras
from serving.export.manifest import MANIFEST_FILE, Manifest, Provenance, environment
from serving.export.model_name import check_name
from serving.export.outputs.number_vectors import labels_of_vectors
from serving.export.outputs.probabilities import EMBEDDING
from serving.export.outputs.rankings import labels_of_ids
from serving.export.outputs.several_outputs import labels_of_outputs
from serving.export.parity import check_parity, try_rows
from serving.export.reference_answers import NO_REFERENCE, WrittenReference, write_reference
from serving.export.reference_labels import LABEL, check_sets, is_number_type, labels_of_sets
from serving.export.reference_table import check_reference, match_columns, sample
from serving.export.row_columns import unnamed_time, with_row_columns, with_zone
from serving.export.saved_model import write_saved_model
from serving.export.version_before import remarks_on_version_before
from serving.export.warmup_writer import write_warmup
from serving.models.version_folders import LARGEST_VERSION

PREFIX = ".export-"
# What renaming onto a folder with something in it, or onto a file, fails with.
_TAKEN = {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR}


# The staging folder's name, MODELS/NAME/.export-XXXX, is not a number, so no server looks into it. One that a killed
# export left behind is deleted by the next; see `monitoring.atomic`.
@final
class StagedVersion:
    """A folder to write a version in, which `publish` moves to the next free number."""

    def __init__(self, model: Path, folder: Path) -> None:
        self._model = model
        self.folder = folder
        """Where to write."""

    def publish(self, *, candidate: bool = False) -> Path:
        """Make everything written durable, take the next free number N, and rename: to N, or to N.candidate.

        Two that publish at once get two numbers: renaming onto a version that has just appeared fails.

        Raises:
            OSError: the disk fails; there is no new version.
        """
        while True:
            target = self._model / f"{_next_version(self._model)}{CANDIDATE if candidate else ''}"
            try:
                publish(self.folder, target)
            except OSError as error:
                if error.errno not in _TAKEN:
                    raise
                continue
            sync_folder(self._model.parent)
            return target


@contextmanager
def staged_version(model: Path) -> Iterator[StagedVersion]:
    """An empty staging folder in MODELS/NAME, deleted at the end with whatever was not published.

    Args:
        model: The folder MODELS/NAME; it is made where there is none.
    """
    with ExitStack() as stack:
        try:
            model.mkdir(parents=True, exist_ok=True)
            folder = stack.enter_context(staging_folder(model, PREFIX))
        except OSError as error:
            raise CannotRun(
                "The models folder cannot be written.",
                got=f"{model}: {error.strerror}",
                expected="a folder this user may write",
                fix="Name another with --models, or change its permissions.",
            ) from error
        yield StagedVersion(model, folder)


def _next_version(model: Path) -> int:
    """One more than the largest number in the folder, a candidate's included, whether or not it is a version."""
    names = [path.name.removesuffix(CANDIDATE) for path in model.iterdir()]
    numbers = [int(name) for name in names if name.isascii() and name.isdecimal()]
    version = max((number for number in numbers if number <= LARGEST_VERSION), default=0) + 1
    if version > LARGEST_VERSION:
        raise CannotRun(
            "There is no number left for a new version.",
            got=f"version {LARGEST_VERSION} in {model}",
            expected="a smaller one",
            fix="Rename that version, or export under another name.",
        )
    return version


# Of sampled and generated rows: the same model and reference give the same manifest.
SEED: Final = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """One exported version.

    `warnings` are sentences on what is probably not meant, such as another order of the classes; `remarks`, on what it
    lacks and how its answers are interpreted.
    """

    name: str
    version: int
    path: Path
    """MODELS/NAME/N, or MODELS/NAME/N.candidate."""
    metrics: tuple[ReferenceMetric, ...]
    outputs: tuple[str, ...] = ()
    has_baseline: bool = False
    warnings: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    parity_rows: int = 0
    """How many rows were run through the author's model and through the exported one, with equal answers."""


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """The folder of a model, MODELS/NAME, and whether an export is a candidate, which no server takes up."""

    path: Path
    candidate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The reference table of a model, if there is one; the columns of its inputs, in its order; the label column.

    Without `features` columns have the inputs' names; without `label` the label is the column `label`, if there is one.
    Where a row may have several classes, labels are lists, or `label_columns` names a column of 0 and 1 for each class.
    `numbers` is what each number of a label is called, where it has several.
    `label_of` is the column of labels of each of several outputs, in the place of `label`; `classes_of` are the classes
    of those whose labels are names, in the order of the output.
    `task` says what is predicted, and `output` which output the label is the truth of; None: as labels and outputs are.
    `score` is the output of the scores of a ranking's ids; None: the one that has as many numbers, if there is one.
    `roles` is what its owner says of the inputs' columns. `embedding` is the layer by which inputs that are tensors and
    texts are watched; None: the output of that name, if there is one. `columns` names ids and times, and says in which
    zone times are that have none.
    """

    table: pa.Table | None = None
    features: tuple[str, ...] = ()
    label: str | None = None
    label_columns: tuple[str, ...] = ()
    label_of: Mapping[str, str] = field(default_factory=dict)
    classes_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    task: TaskName | None = None
    output: str | None = None
    score: str | None = None
    numbers: tuple[str, ...] = ()
    roles: DeclaredRoles = NOTHING_DECLARED
    embedding: str | None = None
    columns: TableSection = USUAL_COLUMNS

    def named(self) -> Reference:
        """The reference with ids and times under their standard names."""
        if self.table is None:
            return self
        usual = TableSection(naive_timezone=self.columns.naive_timezone)
        return replace(self, table=with_row_columns(self.table, self.columns), columns=usual)

    def with_lists(self, names: tuple[str, ...] = ()) -> Reference:
        """The reference with labels that are sets of classes, several numbers, or ids as text, and the task of those.

        Args:
            names: What the numbers are called, where the task is said to be a regression of several.

        Returns:
            The same where labels are none of these, or it is declared to be of another task.
        """
        if self.table is not None and self.label_of:
            return self._relabelled(labels_of_outputs(self.table, self.label_of))
        if self.table is None or self.task == "classification":
            return self
        absent = [name for name in self.label_columns if name not in self.table.column_names]
        if absent:
            raise BadInput(
                "The reference table has no such label column.",
                got=f"--label {','.join(absent)}",
                expected=f"some of {', '.join(self.table.column_names)[:300]}",
                fix="Name the columns of the labels, one for each class, or for each number.",
            )
        name, numbers = self.label or LABEL, self.task == "regression"
        if self.task == "ranking":
            ids = labels_of_ids(self.table, name)
            return self if ids is None else self._relabelled(ids)
        vectors = None
        if self.task != "multilabel":
            vectors = labels_of_vectors(
                self.table, name, self.label_columns, declared=numbers, names=names if numbers else ()
            )
        if vectors is not None:
            return self._relabelled(vectors[0], task="regression", numbers=vectors[1], label_columns=())
        texts = None if numbers else labels_of_sets(self.table, name, self.label_columns)
        return self if texts is None else self._relabelled(texts, task="multilabel")

    def _relabelled(self, texts: pa.ChunkedArray[Any], **changes: Any) -> Reference:
        """The same with a column of labels that are text, in the place of those that it has."""
        gone = {self.label or LABEL, LABEL, *self.label_columns}
        columns = [] if self.table is None else [each for each in self.table.column_names if each not in gone]
        table = (
            pa.table({LABEL: texts}) if self.table is None else self.table.select(columns).append_column(LABEL, texts)
        )
        return replace(self, table=table, label=LABEL, **changes)

    @property
    def declared_task(self) -> DeclaredTask:
        """What its owner says that is predicted."""
        return DeclaredTask(
            task=self.task,
            output=self.output,
            numbers=self.numbers,
            score=self.score,
            judged=tuple(self.label_of),
            classes_of=self.classes_of,
        )

    def check_task(self, classes: tuple[str, ...]) -> None:
        """Check, before a model is loaded, that labels fit what is predicted."""
        if self.task == "multilabel":
            check_sets(self.table, self.label or LABEL, classes)
        if self.score is not None and self.task != "ranking":
            _refuse_ranking(f"--score {self.score} without --task ranking")
        if self.task == "ranking" and (classes or self.label_columns):
            _refuse_ranking(f"--classes {','.join(classes)}" if not self.label_columns else "several label columns")
        if self.task != "regression":
            return
        if classes and classes != self.numbers:
            raise BadInput(
                "A model that predicts a number has no classes.",
                got=f"--task regression with --classes {','.join(classes)}",
                expected="one of the two",
                fix="Leave --classes out, or give --task classification; where each label is several numbers, --task "
                "regression has --classes name them.",
            )
        name = self.label or LABEL
        there = self.table is not None and name in self.table.column_names
        kind = self.table.schema.field(name).type if self.table is not None and there else pa.null()
        if not (self.numbers or pa.types.is_null(kind) or is_number_type(kind)):
            raise BadInput(
                "The label of a model that predicts a number is not a number.",
                got=f"column {name} is {kind}",
                expected="numbers",
                fix="Name the right column with --label, convert it, or give --task classification.",
            )


def export_bundle(
    model: Any | Path,
    *,
    folder: Path | ModelFolder,
    reference: pa.Table | Reference | None,
    provenance: Provenance,
    clock: Callable[[], datetime],
    progress: Callable[[str], None] = lambda _: None,
) -> Bundle:
    """Export a Keras model as the next version of a model.

    Everything is written to a staging folder. The exported model must answer as the Keras model does, and its warmup
    requests must run, before a rename makes it visible. Cost: some seconds, most of them TensorFlow's import.

    Args:
        model: A Keras model, or the path of a ``.keras`` file of Keras's own layers.
        folder: MODELS/NAME, which says whether the export is a candidate.
        progress: Called with a sentence before each step that may take seconds.
    """
    place = ModelFolder(folder) if isinstance(folder, Path) else folder
    name = place.path.name
    check_name(name)
    checked_reference, classes, zones = _checked(reference, provenance.classes)
    opened = _opened(load_keras(model) if isinstance(model, Path) else model, checked_reference)
    table, roles = _matched(checked_reference, opened, () if checked_reference.label_of else classes)
    tried = try_rows(opened, sample(table, opened.inputs, np.random.default_rng(SEED)))
    rows = tried.rows
    interpreted = interpret_answers(
        opened, opened.without_unserved(tried.answers), table, classes, checked_reference.declared_task
    )
    opened, provenance = interpreted.model, replace(provenance, classes=interpreted.names)
    with staged_version(place.path) as staging:
        served = _saved(opened, staging.folder, rows, progress)
        write_warmup(staging.folder, name, opened.inputs, roles.without_raw(opened.inputs, rows))
        now = clock()
        written = _written(table, interpreted, roles, staging.folder, now, progress)
        _manifest(name, interpreted, provenance, written, now).write(staging.folder / MANIFEST_FILE)
        path = staging.publish(candidate=place.candidate)
    before = remarks_on_version_before(path, written.metrics)
    return Bundle(
        name=name,
        version=int(path.name.removesuffix(CANDIDATE)),
        path=path,
        metrics=written.metrics,
        outputs=opened.outputs,
        has_baseline=written.has_baseline,
        warnings=written.warnings,
        parity_rows=len(next(iter(rows.values()))),
        remarks=(
            *interpreted.remarks,
            *written.remarks,
            *tried.remarks,
            *served,
            *zones,
            *_unnamed_times(checked_reference, opened),
            *before,
        ),
    )


def _opened(model: Any, reference: Reference) -> KerasModel:
    """The model, with the layer that its owner names as an embedding that is not served."""
    if reference.embedding is None:
        opened = KerasModel(model, reference.features)
    else:
        opened = KerasModel(with_embedding(model, reference.embedding), reference.features, unserved=(EMBEDDING,))
    _check_outputs(reference, opened)
    return opened


def _saved(
    model: KerasModel, folder: Path, rows: Mapping[str, np.ndarray[Any, Any]], progress: Callable[[str], None]
) -> tuple[str, ...]:
    """Write the SavedModel, which must answer these rows as the model does; remarks on how equal they are."""
    progress("Writing the SavedModel …")
    write_saved_model(model, folder)
    progress(f"Comparing {len(next(iter(rows.values()))):,} rows of it with the model …")
    return check_parity(model, folder, rows)


def _written(
    table: pa.Table | None,
    model: InterpretedModel,
    roles: InputRoles,
    folder: Path,
    now: datetime,
    progress: Callable[[str], None],
) -> WrittenReference:
    """Write what the bundle keeps of the reference, if there is one."""
    if table is None:
        return NO_REFERENCE
    progress(f"Making the baseline of {table.num_rows:,} rows …")
    return write_reference(table, model, roles, folder, now)


def _with_zone(reference: Reference) -> tuple[Reference, tuple[str, ...]]:
    """The reference with times in UTC, and a remark on those without a zone."""
    if reference.table is None:
        return reference, ()
    table, remark = with_zone(reference.table, reference.columns.naive_timezone)
    return replace(reference, table=table), (remark,) if remark else ()


def _unnamed_times(reference: Reference, model: KerasModel) -> tuple[str, ...]:
    remark = (
        ""
        if reference.table is None
        else unnamed_time(reference.table, reference.features or [i.name for i in model.inputs])
    )
    return (remark,) if remark else ()


def _checked(
    reference: pa.Table | Reference | None, classes: tuple[str, ...]
) -> tuple[Reference, tuple[str, ...], tuple[str, ...]]:
    """The reference, the classes, and remarks on its times; BadInput for labels that do not fit the classes."""
    checked_reference = (
        (reference if isinstance(reference, Reference) else Reference(table=reference)).named().with_lists(classes)
    )
    checked_reference.check_task(classes or checked_reference.label_columns)
    checked_reference, zones = _with_zone(checked_reference)
    return checked_reference, () if checked_reference.numbers else classes or checked_reference.label_columns, zones


def _manifest(
    name: str, interpreted: InterpretedModel, provenance: Provenance, written: WrittenReference, now: datetime
) -> Manifest:
    model = interpreted.model
    return Manifest(
        name=name,
        created_at=now,
        provenance=provenance,
        environment=environment(),
        inputs=model.inputs,
        outputs=model.outputs,
        task=interpreted.task,
        reference=written.description,
        metrics=written.metrics,
    )


def _matched(reference: Reference, model: KerasModel, classes: tuple[str, ...]) -> tuple[pa.Table | None, InputRoles]:
    """The reference table, matched with the model and checked, if there is one, and the roles of the inputs."""
    if reference.table is None:
        return None, input_roles(None, model.inputs)
    scalars = [model_input.name for model_input in model.inputs if not model_input.shape]
    declared = reference.roles.with_dictionary(
        [model_input.name for model_input in model.inputs], reference.table.column_names, model.outputs
    )
    declared.check(scalars, reference.table.column_names, model.outputs)
    table = match_columns(reference.table, model, reference.label)
    check_reference(table, model, classes, sets=reference.task == "multilabel")
    groups = None if declared.group is None else reference.table[declared.group]
    roles = input_roles(table, model.inputs, declared, groups)
    return roles.describe(table), roles


def _check_outputs(reference: Reference, model: KerasModel) -> None:
    """Raises BadInput for outputs that the model does not have."""
    for flag, output in (("--output", reference.output), ("--score", reference.score)):
        if output is not None and output not in model.outputs:
            raise BadInput(
                "The model has no such output.",
                got=f"{flag} {output}",
                expected=f"one of {', '.join(model.outputs)}",
                fix="Name the output that the label is the truth of, or that of the ids' scores.",
            )


def _refuse_ranking(got: str) -> NoReturn:
    raise BadInput(
        "A ranking has an output of ids, perhaps one of their scores, one column of relevant ids, and no classes.",
        got=got,
        expected="--task ranking with --label, and with --output and --score where several outputs fit",
        fix="For example: --task ranking --label clicked.",
    )
