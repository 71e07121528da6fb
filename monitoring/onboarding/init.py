"""A monitor made of a reference table: its baseline and schema next to a config that watches more of its kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from monitoring.baseline.folder import write_baseline
from monitoring.baseline.schema import has_tfdv, write_inferred
from monitoring.baseline.spec import BaselineSpec
from monitoring.config import check_settings, render_config
from monitoring.config.template import Settings
from monitoring.deployment.data_dictionary import recorded_columns, with_words
from monitoring.deployment.deployment import Deployment, deploy
from monitoring.deployment.metrics.metric_loading import load_metrics
from monitoring.deployment.places import BASELINE, SCHEMA_FILE
from monitoring.fits.fit_folder import FOLDER
from monitoring.judging.fit.reference_limits import label_horizon, reference_limits, undated
from monitoring.onboarding.baseline_rows import BaselineRows, count_windows, read_reference, window_sizes
from monitoring.onboarding.config_file import NAME, keep_existing, promise, put_in_place, staging
from monitoring.onboarding.label_promise import label_promise_notes
from monitoring.onboarding.reference_notes import min_rows, min_rows_note, reference_notes
from monitoring.onboarding.reference_warnings import check_class_order, reference_warnings
from monitoring.onboarding.smallest_harm import smallest_harm_notes
from monitoring.onboarding.table_description import TableDescription, baseline_spec
from monitoring.traffic.column_roles import ColumnRole
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.label_tables import LabelTables
from monitoring.traffic.tables.tasks.outputs import by_output, naming

WITHOUT_SCHEMA = (
    "Windows are not checked against a schema, since TensorFlow Data Validation is not installed: "
    "pip install 'pitfalls-tf-monitor[tfdv]' before init adds it."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InitResult:
    """What was written, and what the owner should know of it.

    Attributes:
        warnings: what is probably not meant, such as classes in another order or a copy of the labels.
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
    warnings: tuple[str, ...]
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
    description.traffic.check_table()
    rows = read_reference(reference, description, clock=clock)
    columns = rows.columns
    for output, output_columns, of_output in by_output(rows.table, columns):
        if not (description.output_classes[output] if output else description.classes):
            with naming(output):
                check_class_order(output_columns, of_output)
    spec = replace(baseline_spec(columns), columns=tuple(rows.types.items()), rows_per_window=rows.rows_per_window)
    settings = _settings(description, rows)
    config = check_settings(settings, out)
    load_metrics(config)
    place = config.traffic.labels
    labels = LabelTables.at(place, columns) if isinstance(place, Path) and place.exists() else None
    if labels is not None:
        labels.check()
    sizes = window_sizes(rows, description)
    least = min_rows(sizes, rows.rows_per_window or description.windows.rows)
    settings["windows"] = {"min_rows": least, **settings["windows"]}
    windows = count_windows(rows, description, sizes)
    deployment, promised, promise_notes = _write(rows, spec, settings, out)
    fit = deployment.reference_fit
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
        warnings=reference_warnings(rows.table, columns, rows.left_out),
        notes=(
            *rows.notes,
            *(finding.message for finding in undated(rows.rows_per_window)),
            *reference_notes(rows.table, columns, windows),
            *min_rows_note(sizes, description.min_rows or least),
            *reference_limits(fit.means, fit.unfitted, span=rows.span, pooled_rows=fit.tests["page"].pooled_rows),
            *promise_notes,
            *smallest_harm_notes(check_settings(promised, out), deployment),
            *label_promise_notes(check_settings(promised, out), deployment),
            *(() if has_tfdv() else (WITHOUT_SCHEMA,)),
        ),
    )


def _write(
    rows: BaselineRows, spec: BaselineSpec, settings: Settings, out: Path
) -> tuple[Deployment, Settings, tuple[str, ...]]:
    """Put the baseline and the config in their places, whole, once a run could use them.

    Returns:
        The deployment, the settings with the promise that suits the baseline, and notes of that.
    """
    answers = _answers_note(rows.columns)
    with staging(out) as aside:
        write_baseline(rows.table, folder=aside / BASELINE, spec=spec)
        table = rows.table.select([*(feature.name for feature in spec.features), "label"])
        write_inferred(table, aside / BASELINE / SCHEMA_FILE, label="label")
        deployment = _deploy(settings, answers, aside, out)
        promised, notes = promise(settings, deployment.reference_fit)
        if notes:
            deployment = _deploy(promised, answers, aside, out)
        fit_folders = [FOLDER] if (aside / FOLDER).is_dir() else []  # the fit, where the store is beside the config
        put_in_place(aside, (BASELINE, NAME, *fit_folders), out)
    return deployment, promised, notes


def _deploy(settings: Settings, answers: str, aside: Path, out: Path) -> Deployment:
    """Write the config beside its baseline, and fit every watch as a run will."""
    (aside / NAME).write_text(render_config(settings, answers), encoding="utf-8")
    config = check_settings(settings, aside)
    metrics = tuple(metric.in_folder(out.absolute()) for metric in config.metric)
    return deploy(config.model_copy(update={"metric": metrics}))


def _settings(description: TableDescription, rows: BaselineRows) -> dict[str, Any]:
    """The settings of the config: those that are said, with what the reference shows."""
    columns, said = rows.columns, description.settings
    traffic = {name: value for name, value in rows.format.model_dump().items() if value is not None}
    traffic |= {name: value for name, value in said.get("traffic", {}).items() if name not in ("scores", "predicted")}
    if not columns.outputs:
        traffic |= _answer(columns) | ({} if columns.label_columns else {"label": columns.label})
    entries = recorded_columns(
        rows.roles, description.dictionary, group=description.group_column, answer=description.follows
    )
    classes = {"classes": columns.classes} if columns.classes else {}
    return {
        **said,
        "model": {**said.get("model", {}), "baseline": BASELINE, **classes},
        "traffic": traffic,
        "windows": {"label_horizon": f"{label_horizon(rows.label_delays).days}d", **said.get("windows", {})},
        "columns": {name: section.model_dump(exclude_none=True) for name, section in entries.items()},
    }


def _answer(columns: TableColumns) -> dict[str, Any]:
    """The settings of the columns of answers: a predicted class or number, or scores."""
    if columns.predicted is not None:
        scores = {} if columns.id_scores is None else {"id_scores": columns.id_scores}
        return {"predicted": columns.predicted, **scores}
    if columns.scores and not (columns.classes or columns.numbers):
        return {"predicted": columns.scores[0]}
    return {"scores": columns.scores}


def _answers_note(columns: TableColumns) -> str:
    """What is answered, where that is no class."""
    if columns.classes:
        return ""
    if not columns.answer:
        return "The table has no answers of the model: its inputs are watched alone."
    if columns.outputs:
        return f"{len(columns.outputs)} outputs have a label each."
    if columns.ranking is not None:
        return "Ids are answered, best first."
    return f"{len(columns.numbers)} numbers are predicted." if columns.numbers else "A number is predicted."
