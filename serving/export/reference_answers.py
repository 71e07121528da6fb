"""What a bundle keeps of the reference: schema, baseline, metrics."""

from __future__ import annotations

import hashlib
import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.baseline.benchmark import ReferenceMetric, benchmark
from monitoring.baseline.folder import write_baseline
from monitoring.baseline.output_numbers import output_columns
from monitoring.baseline.predictions import codes_as_text, predictions_from
from monitoring.baseline.schema import infer_schema, write_schema
from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.baseline.undated import in_drawn_order, rows_per_window
from monitoring.onboarding.reference_warnings import reference_warnings
from monitoring.tasks.id_codes import id_codes
from monitoring.tasks.label_codes import has_label
from monitoring.tasks.number_codes import number_codes, numbers
from monitoring.tasks.output_names import OF_OUTPUT
from monitoring.tasks.task import WatchedOutput
from monitoring.traffic.cells import as_doubles
from monitoring.traffic.descriptors.vector import MOST_NUMBERS
from monitoring.traffic.ranked_ids import check_relevant, listed_ids, often_first, ranked_answers
from monitoring.traffic.tables.answers import as_list_column
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.value_kinds import why_no_input
from serving.export.answers.interpreted_model import InterpretedModel
from serving.export.answers.model_answers import listed_answers
from serving.export.embedding import PROJECTION_FILE, embed_reference
from serving.export.outputs.probabilities import EMBEDDING, LOGITS, PROBABILITIES
from serving.export.reference_labels import LABEL, LISTED, class_names, labels_as_text
from serving.export.reference_table import baseline_spec, complete
from serving.export.usable_rows import usable_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from monitoring.baseline.spec import BaselineSpec, FeatureSpec
    from monitoring.tasks.ranking import Ranking
    from serving.export.inputs.input_roles import InputRoles
    from serving.export.keras_model import KerasModel
    from serving.export.outputs.rankings import RankedOutput

    Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherOutputs:
    """The other outputs of a model: those that are watched, their features, and the columns of a reference's rows."""

    watched: tuple[WatchedOutput, ...]
    features: tuple[FeatureSpec, ...]
    columns: dict[str, pa.ChunkedArray[Any]]

    def add_to(self, spec: BaselineSpec) -> BaselineSpec:
        """What a baseline is to hold, with these."""
        return replace(spec, features=(*spec.features, *self.features), other_outputs=self.watched)

    def append_to(self, table: pa.Table) -> pa.Table:
        """A reference with the columns."""
        for name, column in self.columns.items():
            table = table.append_column(name, column)
        return table


def other_outputs(reference: pa.Table, model: KerasModel, names: Sequence[str]) -> OtherOutputs:
    """Find what is watched of some outputs. Cost: one more pass of the rows through the model, where there are some."""
    if not names:
        return OtherOutputs(watched=(), features=(), columns={})
    answers = listed_answers(reference, model, names)
    watched: list[WatchedOutput] = []
    features: list[FeatureSpec] = []
    for name, column in answers.items():
        output = WatchedOutput(name=name, width=model.row_size(name))
        if pa.types.is_binary(column.type.value_type):
            if output.width != 1 or why_no_input(_texts(column).combine_chunks().cast(pa.large_string())):
                continue
            answers[name] = _texts(column)
            features.append(FeatureSpec(name=f"{OF_OUTPUT}{name}", kind="category"))
        else:
            features += [FeatureSpec(name=f"{OF_OUTPUT}{number}", kind="number") for number in output.numbers]
        watched.append(output)
    others = OtherOutputs(watched=tuple(watched), features=tuple(features), columns={})
    return replace(others, columns=output_columns(answers, others.add_to(BaselineSpec(classes=(), features=()))))


def _texts(column: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
    """Lists of one text each as texts."""
    return pc.list_element(column, 0).cast(pa.string())


#: Of fewer labelled rows nothing is said.
LEAST_ROWS = 50
#: For a suggestion the share of labels below the answers is at most so far from 0 or 1, and so many standard errors
#: from 1/2.
MOST_DISTANCE = 0.3
STANDARD_ERRORS = 3.0
#: The mean error over the mean absolute error: errors that mostly have one sign.
LEAST_ONE_SIDED = 0.5
COMMON = (0.01, 0.05, 0.1, 0.2, 0.25, 0.3, 0.7, 0.75, 0.8, 0.9, 0.95, 0.99)


def quantile_remark(output: str, answers: Array, labels: Array) -> str:
    """Suggest a quantile where the bias is large and one-sided.

    >>> rng = np.random.default_rng(0)
    >>> quantile_remark("q90", np.full(1000, 1.28), rng.normal(size=1000))  # doctest: +ELLIPSIS
    'Output q90 lies above 91 % of the labels, with a mean error of +1.33, 0.95 of the mean ...

    Args:
        answers: Its numbers, float64 [n].
        labels: The truth, float64 [n]; NaN where it is not known.

    Returns:
        A remark of two sentences; empty where the answers may as well be means or medians.
    """
    is_usable = np.isfinite(answers) & np.isfinite(labels)
    errors = answers[is_usable] - labels[is_usable]
    if errors.size < LEAST_ROWS or not errors.any():
        return ""
    above = float(np.mean(errors > 0) + np.mean(errors == 0) / 2)
    deviation = np.sqrt(max(above * (1 - above), 1 / errors.size) / errors.size)
    is_aside = abs(above - 0.5) - STANDARD_ERRORS * deviation > 0 and min(above, 1 - above) <= MOST_DISTANCE
    bias, size = float(errors.mean()), float(np.abs(errors).mean())
    if not is_aside or abs(bias) < LEAST_ONE_SIDED * size or (bias > 0) != (above > 0.5):
        return ""
    quantile = min(COMMON, key=lambda common: abs(common - above))
    return (
        f"Output {output} lies above {above:.0%} of the labels, with a mean error of {bias:+.3g}, "
        f"{abs(bias) / size:.2f} of the mean absolute error. If it predicts a quantile, tell its monitor: "
        f"pitfalls monitor init --quantile {quantile:g}."
    ).replace("%", " %", 1)


_FIX: Final = (
    "Name the column of relevant ids with --label, as the model answers them: text as text, whole numbers as whole "
    "numbers, and ids of the catalogue rather than places in a table of vectors."
)


def with_rankings(reference: pa.Table, model: KerasModel, ranked: RankedOutput) -> tuple[pa.Table, Ranking]:
    """Run the model on every row."""
    answers = listed_answers(reference, model, ranked.outputs)
    ids, *scores = (answers[name].combine_chunks() for name in ranked.outputs)
    words = listed_ids(ids)
    task = replace(ranked.task, first=often_first([words]))
    if LABEL in reference.column_names:
        labels = pc.unique(reference[LABEL]).drop_null().to_pylist()
        check_relevant(labels, np.unique(id_codes(words[0])), task, fix=_FIX)
    values = ranked_answers(ids, scores[0] if scores else None, task)
    columns = [name for name in reference.column_names if name != PROBABILITIES]
    return reference.select(columns).append_column(PROBABILITIES, as_list_column(values)), task


SCHEMA_FILE: Final = "assets.extra/schema.pbtxt"
BASELINE_FOLDER: Final = "assets.extra/baseline"
# Of the bootstrap: the same model and reference give the same manifest.
SEED: Final = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenReference:
    """What was written of the reference."""

    has_baseline: bool = False
    metrics: tuple[ReferenceMetric, ...] = ()
    description: Mapping[str, Any] | None = None
    warnings: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


NO_REFERENCE: Final = WrittenReference(
    remarks=("Without --reference the bundle has no baseline, and cannot be monitored.",)
)
NO_TASK: Final = (
    "No loss is watched: the outputs are not known to be class probabilities, nor a number of which the label is the "
    "truth. A monitor watches inputs, and where the outputs' numbers lie."
)
NO_NUMBERS: Final = "No output holds numbers, so the bundle has no baseline, and cannot be monitored."


def write_reference(
    reference: pa.Table, interpreted: InterpretedModel, roles: InputRoles, folder: Path, now: datetime
) -> WrittenReference:
    """Write the schema of the reference and, where it is known what is predicted, the baseline and its metrics."""
    model, outputs = interpreted.model, interpreted.outputs_only
    if interpreted.task is None and outputs is None:
        _write_schema(reference, interpreted, roles.features, folder / SCHEMA_FILE)
        return WrittenReference(
            description={"rows": reference.num_rows}, remarks=(*_tensors(model, roles, has_embedding=False), NO_NUMBERS)
        )
    reference, spec = _answered(reference, interpreted, roles)
    others = other_outputs(reference, model, _others(interpreted, roles))
    reference, spec = others.append_to(reference), others.add_to(spec)
    table = complete(reference, model, spec, now)
    usable = usable_rows(table, reference, model, spec)
    groups = roles.groups
    if not usable.rows.all():
        reference, table = (rows.filter(pa.array(usable.rows)) for rows in (reference, table))
        groups = None if groups is None else groups.filter(pa.array(usable.rows))
    _write_schema(reference, interpreted, spec.features, folder / SCHEMA_FILE)
    embedded = embed_reference(reference, model, [each.source for each in roles.described if each.kind == "text"])
    if embedded is not None:
        spec, table = replace(spec, embedding=embedded.embedding), embedded.append_to(table)
    if "event_time" not in reference.column_names:
        spec, table = replace(spec, rows_per_window=rows_per_window(table.num_rows)), in_drawn_order(table, groups)
    (folder / BASELINE_FOLDER).parent.mkdir(exist_ok=True)
    write_baseline(table, folder=folder / BASELINE_FOLDER, spec=spec)
    if embedded is not None:
        embedded.projection.write(folder / PROJECTION_FILE)
    return WrittenReference(
        has_baseline=True,
        metrics=benchmark(predictions_from(table, spec), spec, np.random.default_rng(SEED)),
        description=_describe(table, folder, dated=spec.rows_per_window is None),
        warnings=_warnings(table, interpreted, spec),
        remarks=(
            *usable.remarks,
            *roles.remarks,
            *((_no_task(reference),) if interpreted.task is None else ()),
            *_quantile(interpreted, table),
            *_remarks_on_others(interpreted, others, _others(interpreted, roles)),
            *_tensors(model, roles, has_embedding=embedded is not None),
            *_gaps(reference, has_loss=interpreted.task is not None),
        ),
    )


def _warnings(table: pa.Table, interpreted: InterpretedModel, spec: BaselineSpec) -> tuple[str, ...]:
    """What is probably not meant of a classifier's or one number's answers, such as another order of the classes."""
    if interpreted.task not in ("classification", "regression") or LABEL not in table.column_names:
        return ()
    columns = TableColumns(
        event_time="event_time",
        scores=(str(interpreted.answer or interpreted.number),),
        classes=spec.classes,
        inputs={each.name: "number" for each in spec.features if each.name in table.column_names},
    )
    return reference_warnings(table, columns, {})


def _answered(reference: pa.Table, interpreted: InterpretedModel, roles: InputRoles) -> tuple[pa.Table, BaselineSpec]:
    """What the baseline is to hold, and the reference; of a ranking, with its answers."""
    many, ranked = interpreted.multilabel, interpreted.ranked
    output = interpreted.number if many is None else interpreted.answer
    spec = baseline_spec(roles.features, interpreted.classes, output, interpreted.outputs_only or many)
    spec = replace(spec, described=roles.described)
    if interpreted.vector is not None:
        spec = replace(spec, other_task=interpreted.vector)
    if interpreted.several is not None:
        spec = replace(spec, other_task=interpreted.several)
    if ranked is not None:
        reference, task = with_rankings(reference, interpreted.model, ranked)
        spec = replace(spec, other_task=task, output=ranked.ids, id_scores=ranked.scores)
    return reference, spec


def _others(interpreted: InterpretedModel, roles: InputRoles) -> tuple[str, ...]:
    """The outputs that are served, that no label is the truth of, and that their owner does not ignore."""
    if interpreted.task is None:
        return ()
    model, ranked = interpreted.model, interpreted.ranked
    apart = {interpreted.answer, PROBABILITIES, LOGITS, EMBEDDING, *model.unserved}
    apart |= set() if interpreted.several is None else {output.output for output in interpreted.several.outputs_judged}
    apart |= {omission.name for omission in roles.left_out} | set(() if ranked is None else ranked.outputs)
    return tuple(name for name in model.outputs if name not in apart)


def _remarks_on_others(interpreted: InterpretedModel, others: OtherOutputs, names: tuple[str, ...]) -> Iterator[str]:
    """Remarks on outputs that no label is the truth of."""
    watched = [output.name for output in others.watched]
    if watched:
        truth = f"the label is the truth of {interpreted.answer}"
        yield f"Watched for drift, and not for losses: {', '.join(watched)}; {truth}."
    if gone := [name for name in names if name not in watched]:
        yield f"A monitor does not watch {', '.join(gone)}, which holds texts that are no categories."


def _no_task(reference: pa.Table) -> str:
    """A remark that it is not known what the model predicts, and how to declare it."""
    if LABEL not in reference.column_names:
        return f"{NO_TASK} Give --label; or, without labels, --classes or --task regression."
    labels = pc.unique(labels_as_text(reference[LABEL])).drop_null().sort().to_pylist()
    if not labels:
        return f"{NO_TASK} The reference has no known label: for a classifier, give --classes."
    if len(labels) > LISTED:
        return (
            f"{NO_TASK} The label has {len(labels):,} different values, which are not indices of an output, and no "
            "output is one number a row."
        )
    return (
        f"{NO_TASK} The labels ({', '.join(labels)}) are not indices of an output: for a classifier, give its "
        f"classes in the order of the output, --classes {shlex.quote(','.join(labels))}."
    )


def _tensors(model: KerasModel, roles: InputRoles, *, has_embedding: bool) -> Iterator[str]:
    """Remarks on what a monitor watches of inputs that are tensors."""
    described = set() if has_embedding else {each.source for each in roles.described}
    lists = ", ".join(
        model_input.name for model_input in model.inputs if model_input.shape and model_input.name not in described
    )
    if lists and has_embedding:
        yield f"A monitor watches {lists} by the model's output embedding, and not by single values."
    elif lists:
        yield (
            f"A monitor does not watch {lists}: it describes images, and tensors of a fixed size of up to "
            f"{MOST_NUMBERS} numbers. Others are watched by an embedding: name one of the "
            "model's layers with --embedding."
        )


def _write_schema(
    reference: pa.Table, interpreted: InterpretedModel, features: tuple[FeatureSpec, ...], path: Path
) -> None:
    """Write TFDV's schema of the inputs that are watched, and the label; none if there is neither."""
    described = {feature.name: reference[feature.name] for feature in features if not feature.is_code}
    described |= {feature.name: codes_as_text(reference[feature.name]) for feature in features if feature.is_code}
    labelled = LABEL in reference.column_names
    if labelled:
        # By name, as labels will reach a monitor.
        described[LABEL] = (
            class_names(reference[LABEL], interpreted.classes) if interpreted.classes else reference[LABEL]
        )
        if pa.types.is_decimal(described[LABEL].type):
            described[LABEL] = as_doubles(described[LABEL])
    if described:
        path.parent.mkdir(exist_ok=True)
        write_schema(infer_schema(pa.table(described), label=LABEL if labelled else None), path)


def _quantile(interpreted: InterpretedModel, table: pa.Table) -> Iterator[str]:
    """A suggestion where a predicted number looks like a quantile."""
    if interpreted.number is None or interpreted.task is None or interpreted.multilabel is not None:
        return
    answers = pc.list_element(table[PROBABILITIES], 0).to_numpy()
    labels = number_codes(table[LABEL])
    remark = quantile_remark(interpreted.number, answers, np.where(has_label(labels), numbers(labels), np.nan))
    if remark:
        yield remark


def _gaps(reference: pa.Table, *, has_loss: bool) -> Iterator[str]:
    """Remarks on what a monitor will not have."""
    if has_loss and LABEL not in reference.column_names:
        yield "The reference has no label, so a monitor has no error rate to compare later ones with."
    if "event_time" not in reference.column_names:
        yield (
            "The reference has no event_time: a monitor draws its rows into windows, as if they were independent, and "
            "does not know how much good traffic differs from window to window."
        )


def _describe(table: pa.Table, folder: Path, *, dated: bool) -> dict[str, Any]:
    """Number and times of the rows, if they have some, and the digest of the baseline's file of them."""
    times = table["event_time"].sort()
    written = folder / BASELINE_FOLDER / "reference.parquet"
    return {
        "rows": table.num_rows,
        "labelled": table.num_rows - table[LABEL].null_count,
        "first_event_time": times[0].as_py().isoformat() if dated else None,
        "last_event_time": times[-1].as_py().isoformat() if dated else None,
        "sha256": hashlib.sha256(written.read_bytes()).hexdigest(),
    }
