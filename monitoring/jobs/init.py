"""A monitor made of a reference table: its baseline and schema next to a config that watches more of its kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from monitoring.baseline.folder import write_baseline
from monitoring.baseline.schema import has_tfdv, write_inferred
from monitoring.baseline.spec import BaselineSpec
from monitoring.config import ConfigDraft, OutputDraft, TableDraft, check_draft, render_config
from monitoring.jobs.baseline_rows import BaselineRows, count_windows, read_reference, window_sizes
from monitoring.jobs.config_file import NAME, keep_existing, promise_note, put_in_place, staging, with_promise
from monitoring.jobs.data_dictionary import recorded_columns, with_words
from monitoring.jobs.deployment import deploy
from monitoring.jobs.fits.fit_folder import FOLDER
from monitoring.jobs.metrics.metric_loading import load_metrics
from monitoring.jobs.places import BASELINE, SCHEMA_FILE
from monitoring.jobs.reference_notes import check_class_order, min_rows, min_rows_note, reference_notes
from monitoring.jobs.table_description import EVENT_TIME, TableDescription, baseline_spec
from monitoring.judging.fit.reference_fit import ReferenceFit
from monitoring.judging.fit.reference_limits import label_horizon, reference_limits, undated
from monitoring.traffic.column_roles import ColumnRole
from monitoring.traffic.tables.label_tables import LabelTables
from monitoring.traffic.tables.table_format import TableFormat
from monitoring.traffic.tables.tasks.outputs import by_output, naming

WITHOUT_SCHEMA = (
    "Windows are not checked against a schema, since TensorFlow Data Validation is not installed: "
    "pip install 'pitfalls-tf-monitor[tfdv]' before init adds it."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InitResult:
    """What was written, and what the owner should know of it.

    Attributes:
        classes: the classes, in the order of the scores; none where a number is predicted.
        places: of a ranking, how many ids an answer has; None of other tasks.
        outputs: of several outputs with a label each, the classes of each; none of one that is a number.
    """

    config: Path
    rows: int
    windows: int
    classes: tuple[str, ...]
    inputs: tuple[str, ...]
    columns: tuple[ColumnRole, ...]
    notes: tuple[str, ...]
    numbers: tuple[str, ...] = ()
    places: int | None = None
    outputs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def init_monitor(
    reference: Path | str,
    description: TableDescription,
    *,
    out: Path,
    clock: Callable[[], datetime],
    force: bool = False,
) -> InitResult:
    """Write ``baseline/`` (rows, description, TFDV schema) and ``monitor.toml`` from a reference table.

    The reference should hold predictions on rows that the model was not fitted on, over at least 20 windows, labelled.
    Cost: the reference in memory, TFDV's inference, and every watch fitted once.
    """
    keep_existing(out / NAME, force=force)
    rows = read_reference(reference, description, clock=clock)
    columns = rows.columns
    for output, output_columns, of_output in by_output(rows.table, columns):
        if not (description.outputs[output].classes if output else description.classes):
            with naming(output):
                check_class_order(output_columns, of_output)
    spec = replace(baseline_spec(columns), columns=tuple(rows.types.items()), rows_per_window=rows.rows_per_window)
    draft = _draft(description, rows)
    config = check_draft(draft, out)
    load_metrics(config)
    place = config.traffic.labels
    labels = LabelTables.at(place, columns) if isinstance(place, Path) and place.exists() else None
    if labels is not None:
        labels.check()
    sizes = window_sizes(rows, description)
    draft = replace(draft, min_rows=min_rows(sizes, rows.rows_per_window or description.rows))
    windows = count_windows(rows, description, sizes)
    fit, draft = _write(rows, spec, draft, out)
    return InitResult(
        config=out / NAME,
        rows=rows.table.num_rows,
        windows=windows,
        classes=columns.classes,
        numbers=columns.numbers,
        outputs={name: output.classes for name, output in columns.outputs.items()},
        places=None if columns.ranking is None else columns.ranking.places,
        inputs=tuple(columns.inputs),
        columns=with_words(rows.roles, description.dictionary),
        notes=(
            *rows.notes,
            *(finding.message for finding in undated(rows.rows_per_window)),
            *reference_notes(rows.table, columns, windows),
            *min_rows_note(sizes, description.min_rows or draft.min_rows),
            *reference_limits(fit.means, fit.unfitted, span=rows.span, pooled_rows=fit.tests["page"].pooled_rows),
            *_last_notes(draft, fit),
        ),
    )


def _last_notes(draft: ConfigDraft, fit: ReferenceFit) -> tuple[str, ...]:
    """What a new config promises, and that there is no schema."""
    return (*promise_note(draft, fit), *(() if has_tfdv() else (WITHOUT_SCHEMA,)))


def _write(rows: BaselineRows, spec: BaselineSpec, draft: ConfigDraft, out: Path) -> tuple[ReferenceFit, ConfigDraft]:
    """Put the baseline and the config in their places, whole, once a run could use them; the fit, and the config."""
    with staging(out) as aside:
        write_baseline(rows.table, folder=aside / BASELINE, spec=spec)
        table = rows.table.select([*(feature.name for feature in spec.features), "label"])
        write_inferred(table, aside / BASELINE / SCHEMA_FILE, label="label")
        fit = _fit(draft, aside, out)
        promised = with_promise(draft, fit)
        if promised != draft:
            fit = _fit(promised, aside, out)
        fit_folders = [FOLDER] if (aside / FOLDER).is_dir() else []  # the fit, where the store is beside the config
        put_in_place(aside, (BASELINE, NAME, *fit_folders), out)
    return fit, promised


def _fit(draft: ConfigDraft, aside: Path, out: Path) -> ReferenceFit:
    """Write the config beside its baseline, and fit every watch as a run will."""
    (aside / NAME).write_text(render_config(draft), encoding="utf-8")
    config = check_draft(draft, aside)
    metrics = tuple(metric.in_folder(out.absolute()) for metric in config.metric)
    return deploy(config.model_copy(update={"metric": metrics})).reference_fit


def _draft(description: TableDescription, rows: BaselineRows) -> ConfigDraft:
    columns = rows.columns
    return ConfigDraft(
        bundle=BASELINE,
        traffic=description.traffic,
        table=TableDraft(
            event_time=EVENT_TIME if columns.batches is not None else columns.event_time,
            prediction_id=columns.prediction_id,
            label=columns.label,
            label_columns=columns.label_columns,
            label_time=columns.label_time,
            naive_timezone=columns.naive_timezone,
            scores=columns.scores,
            predicted=columns.predicted,
            classes=columns.classes,
            numbers=columns.numbers,
            id_scores=columns.id_scores,
            is_ranking=columns.ranking is not None,
            outputs={
                name: OutputDraft(label=output.label, scores=output.scores, predicted=output.predicted)
                for name, output in columns.outputs.items()
            },
        ),
        slices=description.slices,
        class_slices=description.class_slices,
        metrics=description.metrics,
        quantile=description.quantile,
        every=description.every,
        rows=description.rows,
        timezone=description.timezone,
        label_horizon=f"{label_horizon(rows.label_delays).days}d",
        columns=recorded_columns(
            rows.roles, description.dictionary, group=description.group_column, answer=description.predicted
        ),
        settings=_with_form(description, rows.format),
    )


def _with_form(description: TableDescription, form: TableFormat) -> dict[str, Any]:
    """The settings, with what is said or shows of the files and of batches."""
    settings = dict(description.settings)
    traffic = {name: value for name, value in asdict(form).items() if value is not None}
    if traffic:
        settings["traffic"] = {**traffic, **settings.get("traffic", {})}
    if description.batches is not None:
        column = description.batches.column
        key = {"by_file": True} if column is None else {"batch_column": column}
        settings["windows"] = {**key, **settings.get("windows", {})}
    return settings
