"""What the jobs need of traffic, from a traffic log or from anyone's table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.folder import Baseline
from monitoring.baseline.predictions import NO_LABEL, Predictions, label_indices, microseconds, predictions_from
from monitoring.config import MonitorConfig
from monitoring.errors import BadInput
from monitoring.jobs.read_scope import EVERYTHING, ReadScope
from monitoring.jobs.table_source import TableSource
from monitoring.judging.window.in_memory_rows import InMemoryRows
from monitoring.judging.window.label_findings import UnmatchedLabels
from monitoring.judging.window.traffic_source import TrafficSource
from monitoring.records import Finding
from monitoring.timestamps import as_microseconds
from monitoring.traffic.format.layout import LABELS, OPEN, is_log
from monitoring.traffic.format.rows import SAMPLING_RATE
from monitoring.traffic.format.tensors import flatten_scalars
from monitoring.traffic.labels.label_log import LabelLog
from monitoring.traffic.log.gaps import LostRows
from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.prediction_index import PredictionIndex
from monitoring.traffic.log.remote_log import log_folder
from monitoring.traffic.remote.file_store import is_url
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.files import is_table, pattern_below
from monitoring.traffic.windows import Window

_REPEATS = b"pitfalls.repeats"
_ROW = ("prediction_id", "event_time")

#: Models that a message names.
_SHOWN = 5


class PredictionReader:
    """Reads one version's predictions, window by window, as the baseline declares its inputs. A `TrafficSource`.

    Of rows before `since` it is not known that they are there when labels come for them.
    """

    unmatched_labels = UnmatchedLabels()

    def __init__(
        self, config: MonitorConfig, baseline: Baseline, version: int | None, since: datetime | None = None
    ) -> None:
        self._root = log_folder(traffic_path(config))
        self._labels = LabelLog(self._root)
        self.log = TrafficLog(self._root)
        self.model = config.model.name
        self.version = version
        if config.model.bundle is None:  # a table's baseline goes by its folder's name, and the log by the model's
            models = {key.model for key in self.log.models()}
            self.model = models.pop() if len(models) == 1 else self.model
        self._gaps = self.log.gaps(model=self.model, version=version)
        self._unsampled: dict[Window, int] = {}
        self._since = since
        self._output = f"output:{config.model.probabilities}"
        self._spec = baseline.spec

    def read(self, window: Window) -> tuple[Predictions, int]:
        """See `TrafficSource`."""
        table = self.log.read(model=self.model, version=self.version, start=window.start, end=window.end)
        repeats = int((table.schema.metadata or {}).get(_REPEATS, b"0"))
        self._unsampled[window] = _unsampled(table)
        flat = flatten_scalars(table)
        del table  # a window of it, and what follows is another
        if flat.num_rows == 0 and self._output not in flat.column_names:
            flat = flat.append_column(self._output, pa.array([], pa.list_(pa.float64())))
        # An input goes by its own name; outputs keep their prefix, so that neither can stand for the other.
        plain = {name.removeprefix("input:"): flat[name] for name in flat.column_names if name in _ROW or ":" in name}
        return predictions_from(pa.table(plain), self._spec, probabilities=self._output), repeats

    @property
    def source_findings(self) -> tuple[Finding, ...]:
        """See `TrafficSource`: labels that are not read as their log is damaged, and that no row is of the model."""
        held = () if self.log.extent(self.model, self.version) is not None else self.log.models()
        others = ", ".join(sorted({f"{key.model} version {key.version}" for key in held})[:_SHOWN])
        mine = self.model if self.version is None else f"{self.model} version {self.version}"
        foreign = f"The traffic log has no row of {mine}; it has rows of {others}."
        damaged = tuple(
            Finding(
                kind="label log damaged",
                feature="",
                message=f"The label log is damaged: {each.unread_bytes:,} bytes of {each.path.name} are not read.",
            )
            for each in self._labels.damage()
        )
        return (*damaged, *((Finding(kind="no such model", feature="", message=foreign),) if others else ()))

    @cached_property
    def _identities(self) -> PredictionIndex:
        return PredictionIndex(self._root, model=self.model, version=self.version, since=self._since)

    def was_answered(self, ids: pa.Array, before: int) -> NDArray[np.bool_]:
        """See `TrafficSource`."""
        return self._identities.was_answered(ids, before)

    def of_other_models(self, ids: pa.Array) -> NDArray[np.bool_]:
        """See `TrafficSource`."""
        return self._identities.of_other_models(ids)

    def rows(self, window: Window) -> InMemoryRows:
        """See `TrafficSource`."""
        predictions, repeats = self.read(window)
        return InMemoryRows(predictions, repeats, lambda: self.findings(window))

    def missing_rows(self, window: Window) -> int:
        """See `TrafficSource`. Unsampled rows are estimated: a sampled row stands for 1 / rate answered rows."""
        if window not in self._unsampled:
            self.read(window)
        return self._unsampled[window] + self._lost(window)

    def findings(self, window: Window) -> tuple[Finding, ...]:
        """A log's columns are those of the model's signature; but rows may be missing."""
        lost = self._lost(window)
        message = f"{lost} rows were answered and are not in the traffic log."
        return (Finding(kind="capture gap", feature="", message=message),) if lost else ()

    def _lost(self, window: Window) -> int:
        return sum(lost_within(lost, window) for gap in self._gaps for lost in gap.lost)

    def spans(self, longest_gap: timedelta) -> tuple[tuple[datetime, datetime], ...]:
        """The whole extent of the log, whatever its gaps."""
        extent = self.log.extent(self.model, self.version)
        return () if extent is None else (extent,)

    def row_counts(self, windows: Sequence[Window]) -> NDArray[np.int64]:
        """See `TrafficSource`."""
        return self._identities.row_counts(windows)

    def event_times(self) -> NDArray[np.int64]:
        """See `TrafficSource`."""
        table = self.log.read(model=self.model, version=self.version, columns=("event_time",))
        return np.sort(microseconds(table["event_time"])) if table.num_columns else np.zeros(0, np.int64)

    def labels(self) -> pa.Table:
        """See `TrafficSource`."""
        return self._labels.read()

    def latest_labels(self) -> pa.Table:
        """See `TrafficSource`."""
        return self._labels.latest()

    def with_labels(self, predictions: Predictions, labels: pa.Table) -> Predictions:
        """See `with_labels`."""
        return with_labels(predictions, labels, self._spec.classes)


def lost_within(lost: LostRows, window: Window) -> int:
    """How many lost rows belong to a window: of a gap that is in several, as if they were spread evenly over its time.

    Over windows that follow each other the numbers add up to all of them.
    """
    length = lost.last_event_us - lost.first_event_us + 1

    def before(us: int) -> int:
        return lost.rows * min(max(us - lost.first_event_us, 0), length) // length

    return before(as_microseconds(window.end)) - before(as_microseconds(window.start))


def _unsampled(rows: pa.Table) -> int:
    """About how many rows were answered and left out by the sample that these are of."""
    if SAMPLING_RATE not in rows.column_names:
        return 0
    return round(float(np.sum(1.0 / rows[SAMPLING_RATE].to_numpy() - 1.0)))


def open_traffic(
    config: MonitorConfig,
    baseline: Baseline,
    version: int | None,
    *,
    clock: Callable[[], datetime],
    scope: ReadScope = EVERYTHING,
) -> TrafficSource:
    """The traffic that a config names: a traffic log or a table."""
    if is_table(traffic_path(config)):
        return TableSource(
            traffic_path(config),
            columns_of(config, baseline),
            baseline.spec,
            labels=(config.traffic.label_log, config.traffic.labels),
            clock=clock,
            scope=scope,
        )
    _check_folder(traffic_path(config))
    version = version if config.model.bundle is not None else None
    return PredictionReader(config, baseline, version, since=scope.labels_since)


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


def traffic_path(config: MonitorConfig) -> Path | str:
    """Where the traffic is: a path or a URL. Raises BadInput if the config does not say so."""
    if config.traffic.path is None:
        raise BadInput(
            "The config does not say where the traffic is.",
            got="no path in its [traffic] section",
            expected="a traffic log, or a table's files",
            fix="Add `path`, or give --traffic.",
        )
    return config.traffic.path


def columns_of(config: MonitorConfig, baseline: Baseline) -> TableColumns:
    """The columns of a table, as the config names them, and the inputs and classes of the baseline."""
    traffic, spec = config.traffic, baseline.spec
    return TableColumns(
        event_time=traffic.event_time,
        prediction_id=traffic.prediction_id,
        label=traffic.label,
        label_time=traffic.label_time,
        naive_timezone=traffic.naive_timezone,
        scores=traffic.scores or (() if traffic.predicted else (config.model.probabilities,)),
        predicted=traffic.predicted,
        classes=spec.classes,
        inputs={feature.name: feature.kind for feature in spec.features},
        known=dict(spec.columns),
    )


def with_labels(predictions: Predictions, labels: pa.Table, classes: tuple[str, ...]) -> Predictions:
    """The predictions with whatever label has come for them by now (`labels` has one row per prediction)."""
    places = pc.index_in(predictions.ids, labels["prediction_id"].combine_chunks())
    found = np.asarray(places.is_valid(), dtype=np.bool_)
    rows = np.asarray(pc.fill_null(places, 0), dtype=np.int64)
    indices, times = label_indices(labels["label"], classes), microseconds(labels["label_time"])
    if indices.size == 0:
        return predictions
    return predictions.labelled(np.where(found, indices[rows], NO_LABEL), np.where(found, times[rows], 0))
