"""The traffic that a config names: a traffic log or a table, opened as runs read it."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.baseline.folder import Baseline
from monitoring.baseline.predictions import Predictions, microseconds
from monitoring.baseline.spec import BaselineSpec
from monitoring.config import MonitorConfig
from monitoring.config.addresses import is_database_url, redacted
from monitoring.config.toml_values import toml_key
from monitoring.config.traffic_section import TrafficSection
from monitoring.deployment.deployment import Deployment
from monitoring.engines.engine import Engine
from monitoring.engines.plugin import PluginEngine
from monitoring.engines.processes import ProcessEngine
from monitoring.engines.spark import SparkEngine, session
from monitoring.errors import BadInput
from monitoring.judging.window.traffic_source import TrafficSource
from monitoring.sources.database_rows import copy_database
from monitoring.sources.engine_sources import open_remote
from monitoring.sources.log_source import LogSource
from monitoring.sources.read_scope import EVERYTHING, Reading, ReadScope
from monitoring.sources.table_source import TableSource
from monitoring.tasks.label_codes import only_where
from monitoring.tasks.registry import numbers_of, ranking_of
from monitoring.tasks.task import NO_LABEL, Task
from monitoring.traffic.descriptors.registry import require_libraries
from monitoring.traffic.foreign_logs.conversion import CONVERTED, convert_log, log_files
from monitoring.traffic.format.layout import LABELS, OPEN, is_log
from monitoring.traffic.remote.urls import is_url
from monitoring.traffic.tables.columns import TableColumns, named_columns
from monitoring.traffic.tables.files import is_table, pattern_below, require_table


def engine_of(config: MonitorConfig, meanwhile: Callable[[], None]) -> Engine | None:
    """The engine that reads the windows of a config's files.

    Returns:
        The engine; None where rows are read by the process that judges, without tasks.
    """
    if config.engine.kind == "processes":
        return ProcessEngine(config.engine.workers, meanwhile=meanwhile)
    if config.engine.kind == "spark":
        return SparkEngine(session(config.engine.master), meanwhile=meanwhile)
    if config.engine.is_plugin:
        return PluginEngine(config.engine.kind, config.engine.options, meanwhile)
    return None


#: Labels for each prediction from which on they are looked for among those of the predictions first.
_FEW = 4


def open_traffic(
    config: MonitorConfig,
    baseline: Baseline,
    version: int | None,
    *,
    clock: Callable[[], datetime],
    scope: ReadScope = EVERYTHING,
    meanwhile: Callable[[], None] = lambda: None,
) -> TrafficSource:
    """Open the traffic that a config names. Of a database, the rows of interest are copied now.

    Args:
        version: the model version whose predictions are read; a table has none.
        meanwhile: called after each batch of rows, and now and then while others read them.
    """
    require_libraries(baseline.spec.described)
    config = converted(config)
    scope = replace(scope, reading=replace(scope.reading, meanwhile=meanwhile))
    if config.engine.kind == "sql" or config.engine.table is not None:
        return open_live(config, baseline, None, clock=clock, scope=scope, meanwhile=meanwhile)
    path = traffic_path(config)
    if config.traffic.query is not None:
        return _from_database(config, baseline, clock=clock, scope=scope, meanwhile=meanwhile)
    if is_table(path):
        engine = engine_of(config, meanwhile) if scope.job else None
        ids = engine.ids if isinstance(engine, SparkEngine) else None
        reading = Reading(engine=engine, ids=ids, in_place=config.engine.kind == "spark", meanwhile=meanwhile)
        scope = replace(scope, reading=reading)
        return _table(config, baseline, (path, config.traffic.labels), clock=clock, scope=scope)
    _check_folder(path)
    _check_engine(config)
    version = version if config.model.bundle is not None else None
    return LogSource(
        path,
        config.model,
        baseline.spec,
        version=version,
        excluded=frozenset(config.traffic.exclude_callers),
        scope=replace(scope, blanks=frozenset(each.feature for each in baseline.bins if "" in (each.categories or ()))),
    )


def open_live(
    config: MonitorConfig,
    baseline: Baseline,
    live: Any,
    *,
    clock: Callable[[], datetime],
    scope: ReadScope,
    meanwhile: Callable[[], None] = lambda: None,
) -> TableSource:
    """Open rows that stay where they are.

    Args:
        live: a frame of Spark or a relation of DuckDB; None for the query or the table that the config names.
        meanwhile: as for `open_traffic`.
    """
    require_libraries(baseline.spec.described)
    _check_answers(baseline)
    config.traffic.check_table()
    table = (columns_of(config, baseline), baseline.spec)
    scope = replace(scope, reading=replace(scope.reading, meanwhile=meanwhile))
    return open_remote(config, table, live, clock=clock, scope=scope, meanwhile=meanwhile)


def keep_partials(config: MonitorConfig, traffic: TrafficSource, deployment: Deployment, *, judges: bool) -> None:
    """Have a table's windows judged by what is kept of them, and keep it, where the config says so.

    Args:
        judges: whether windows are read to be judged; otherwise it is only known which there are.
    """
    if config.engine.keep:
        traffic.keep(config.traffic.label_log, deployment.judge.aggregator(), judges=judges)


def _table(
    config: MonitorConfig,
    baseline: Baseline,
    places: tuple[Path | str, Path | str | None],
    *,
    clock: Callable[[], datetime],
    scope: ReadScope,
) -> TableSource:
    """A table at the first of two places, whose labels are at the second."""
    _check_answers(baseline)
    config.traffic.check_table()
    path, labels = places
    return TableSource(
        path,
        columns_of(config, baseline),
        baseline.spec,
        labels=(config.traffic.label_log, labels),
        clock=clock,
        scope=scope,
    )


def _check_engine(config: MonitorConfig) -> None:
    """Raises BadInput for an engine that reads tables, where the traffic is a traffic log."""
    if config.engine.kind != "local" or config.engine.keep:
        setting = "keep = true" if config.engine.keep else f'kind = "{config.engine.kind}"'
        raise BadInput(
            "A traffic log is read by the process that judges, and keeps its rows itself.",
            got=f"{setting} in the [engine] section, and a traffic log",
            expected="files of a table",
            fix="Remove `kind` and `keep` from the [engine] section.",
        )


def _from_database(
    config: MonitorConfig,
    baseline: Baseline,
    *,
    clock: Callable[[], datetime],
    scope: ReadScope,
    meanwhile: Callable[[], None],
) -> TableSource:
    """The rows of a query as a table, of files that are deleted when nobody needs it any longer."""
    columns = columns_of(config, baseline)
    copy = copy_database(config.traffic, columns, scope, now=clock(), meanwhile=meanwhile)
    try:
        table = _table(config, baseline, (copy.rows, copy.labels), clock=clock, scope=scope)
    except BaseException:
        copy.remove()
        raise
    weakref.finalize(table, copy.remove)
    return table


def _check_answers(baseline: Baseline) -> None:
    """Raises BadInput for a model of outputs without labels, which a table has no columns of."""
    if baseline.spec.task.outputs_watched:
        raise BadInput(
            "A model whose outputs are watched without labels is monitored from its traffic log.",
            got="the files of a table",
            expected="the folder that a server was given with --traffic",
            fix="Name it as the `path` of the [traffic] section.",
        )


def _check_outputs(traffic: TrafficSection, spec: BaselineSpec) -> None:
    """Raises BadInput for columns of other outputs than the baseline has."""
    outputs = spec.task.classes_of_outputs
    if set(outputs) != set(traffic.outputs):
        lines = (
            f"outputs.{toml_key(name)} = {{ {'scores = [...]' if classes else 'predicted = ...'}, label = ... }}"
            for name, classes in outputs.items()
        )
        raise BadInput(
            "The columns of the outputs are not those of the baseline.",
            got=f"outputs {', '.join(traffic.outputs) or '(none)'} in the [traffic] section",
            expected=f"the outputs {', '.join(outputs)}" if outputs else "no outputs: the baseline has one answer",
            fix=f"Write there, with the columns of your table: {'; '.join(lines)}." if outputs else "Remove them.",
        )


def require_traffic(config: MonitorConfig) -> None:
    """Check, before anything is stored, that the traffic is there; what lies at a URL is not asked for."""
    if config.engine.table is not None:
        return  # a cluster is asked when the traffic is opened
    path = traffic_path(config)
    if config.traffic.log is not None:
        next(log_files(path))
        return
    if is_url(str(path)):
        return  # a database's columns are checked with its first rows
    if is_table(path):
        require_table(Path(path))
    else:
        _check_folder(path)


def _check_folder(place: Path | str) -> None:
    """Raises BadInput for a folder of this machine that is neither a traffic log nor one of tables."""
    if is_url(str(place)) or not Path(place).is_dir():
        return
    names = sorted(each.name for each in Path(place).iterdir())
    if is_log(names):
        return
    pattern = pattern_below(Path(place))
    raise BadInput(
        f"{place} is neither a traffic log nor a folder of tables.",
        got=f"a folder with {', '.join(names[:3])}" if names else "an empty folder",
        expected=f"files such as live.parquet or live.csv in it, or a log's {OPEN}/, {LABELS}/ or model=NAME/",
        fix="Check the path." if pattern is None else f"Name the tables in its folders by a pattern: '{pattern}'.",
    )


def converted(config: MonitorConfig) -> MonitorConfig:
    """The config with the tables that are made of another server's log as its traffic, what is new of it read now."""
    traffic = config.traffic
    if traffic.log is None:
        return config
    folder = traffic.label_log / CONVERTED
    convert_log(log_files(traffic_path(config)), traffic.log, folder, names=traffic.log_columns)
    places = {"path": folder / "rows", "labels": folder / "labels", "log": None, "log_columns": ()}
    return config.model_copy(update={"traffic": traffic.model_copy(update=places)})


def traffic_path(config: MonitorConfig) -> Path | str:
    """Where the traffic is."""
    if config.traffic.path is None:
        raise BadInput(
            "The config does not say where the traffic is.",
            got="no path in its [traffic] section",
            expected="a traffic log, or a table's files",
            fix="Add `path`, or give --traffic.",
        )
    path = config.traffic.path
    if isinstance(path, str) and is_database_url(path) and config.traffic.query is None:
        raise BadInput(
            "Traffic of a database needs a query.",
            got=redacted(path),
            expected="query in the [traffic] section of the config",
            fix="Write it there, with the URL as path.",
        )
    return path


def columns_of(config: MonitorConfig, baseline: Baseline) -> TableColumns:
    """The columns of a table, as the config names them, and the inputs and classes of the baseline."""
    spec = baseline.spec
    columns = named_columns(config, of_outputs=spec.task.classes_of_outputs).replaced(
        inputs={feature.name: feature.kind for feature in spec.features},
        described=spec.described,
        reference_types=dict(spec.columns),
    )
    if spec.task.labels_in_parts or columns.outputs:
        _check_outputs(config.traffic, spec)
        return columns.replaced(outputs={name: columns.outputs[name] for name, _ in spec.task.judged})
    has_answers = spec.task.outputs_watched is None
    predicted = columns.predicted or (None if columns.scores else spec.output)
    return columns.replaced(
        scores=columns.scores or (() if predicted or not has_answers else (config.model.probabilities,)),
        predicted=predicted,
        id_scores=columns.id_scores or spec.id_scores,
        classes=spec.task.classes,
        numbers=spec.task.number_names if len(numbers_of(spec.task)) > 1 else (),
        exclusive=not spec.task.is_multilabel,
        ranking=ranking_of(spec.task),
    )


def with_labels(predictions: Predictions, labels: pa.Table, task: Task) -> Predictions:
    """The predictions with the labels that are known for them.

    Args:
        labels: one label for each prediction at most: columns prediction_id, label and label_time.

    Returns:
        The same predictions; those without a label as they were without one.
    """
    if len(predictions) < labels.num_rows // _FEW:  # a table of these ids is smaller than one of all labels
        labels = labels.filter(pc.is_in(labels["prediction_id"], value_set=predictions.ids.cast(pa.string())))
    if not labels.num_rows:
        parts = task.label_codes(pa.chunked_array([], pa.string())).shape[1:]
        if predictions.labels.shape[1:] == parts:
            return predictions
        return predictions.labelled(np.full((len(predictions), *parts), NO_LABEL), predictions.label_times)
    places = pc.index_in(predictions.ids, labels["prediction_id"].combine_chunks())
    is_labelled = np.asarray(places.is_valid(), dtype=np.bool_)
    those = labels.take(places.drop_null())
    codes = task.label_codes(those["label"])  # of these alone: a log has the labels of all times
    rows = np.where(is_labelled, np.cumsum(is_labelled) - 1, 0)
    if not those.num_rows:
        codes, those = np.full((1, *codes.shape[1:]), NO_LABEL), labels.slice(0, 1)
    times = microseconds(those["label_time"])
    return predictions.labelled(only_where(is_labelled, codes[rows]), np.where(is_labelled, times[rows], 0))
