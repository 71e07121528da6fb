"""The reader of a traffic log: each prediction once, sorted by event time, whichever files hold it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.errors import BadInput
from monitoring.timestamps import as_datetime, duration_microseconds
from monitoring.traffic.format.layout import check_root
from monitoring.traffic.format.rows import (
    ANSWER_ID,
    CALLER,
    INPUT,
    OUTPUT,
    SAMPLING_RATE,
    TIMESTAMP,
    ModelKey,
    prediction_ids,
)
from monitoring.traffic.format.tensors import flatten_scalars
from monitoring.traffic.id_keys import IdSet
from monitoring.traffic.labels.label_log import LabelLog
from monitoring.traffic.log.answer_ids import conflicting_rows, with_prediction_ids
from monitoring.traffic.log.assembly import IDENTITY, assemble
from monitoring.traffic.log.gaps import Gap, read_gaps
from monitoring.traffic.log.scans import Query, Scan, extent_us, list_keys, read_scans, scan_files, spans_us
from monitoring.traffic.log.summary import TrafficSummary, summarise

_ROW_COLUMNS = ("prediction_id", "request_id", "row", "event_time", "model", "version", "signature")
_OPTIONAL_COLUMNS = (ANSWER_ID, *CALLER)
_LABEL_COLUMNS = ("label", "label_time")


def join_labels(rows: pa.Table, labels: pa.Table, more: tuple[str, ...] = ()) -> pa.Table:
    """Join rows and labels by prediction id."""
    rows = flatten_scalars(rows)
    for name in _OPTIONAL_COLUMNS:
        if name not in rows.column_names:
            rows = rows.append_column(name, pa.nulls(rows.num_rows, pa.string()))
    names = [*_ROW_COLUMNS, *more, *_OPTIONAL_COLUMNS, *([SAMPLING_RATE] if SAMPLING_RATE in rows.column_names else [])]
    fields = [rows.schema.field(name) for name in names]
    columns: list[pa.ChunkedArray] = [rows.column(name) for name in names]
    for name, plain in plain_names(rows.column_names).items():
        fields.append(rows.schema.field(name).with_name(plain))
        columns.append(rows.column(name))
    places = _label_of_each(rows, labels)
    for name, kind in zip(_LABEL_COLUMNS, (pa.string(), TIMESTAMP), strict=True):
        fields.append(pa.field(name, kind))
        columns.append(labels.column(name).combine_chunks().take(places))
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def _label_of_each(rows: pa.Table, labels: pa.Table) -> pa.ChunkedArray:
    """The place of each row's label, null where it has none: of several, the last to arrive."""
    places = pc.index_in(rows.column("prediction_id"), value_set=labels.column("prediction_id").combine_chunks())
    if "version" not in labels.column_names or labels["version"].null_count == labels.num_rows:
        return places
    candidates = []
    for has_version in (False, True):
        label_places = pc.indices_nonzero(
            pc.is_valid(labels["version"]) if has_version else pc.is_null(labels["version"])
        )
        some = labels.take(label_places)
        keys = (_versioned(rows), _versioned(some)) if has_version else (rows["prediction_id"], some["prediction_id"])
        candidates.append(pc.take(label_places, pc.index_in(keys[0], value_set=keys[1].combine_chunks())))
    return pc.max_element_wise(*candidates)  # labels stand in order of arrival


def _versioned(table: pa.Table) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(table["prediction_id"], table["version"].cast(pa.string()), "\0")


def plain_names(columns: list[str]) -> dict[str, str]:
    """Names without prefix for tensor columns; the prefixed name where another column has the bare one.

    >>> plain_names(["row", "input:temp", "input:row", "output:temp", "output:p"])
    {'input:temp': 'temp', 'input:row': 'input:row', 'output:temp': 'output:temp', 'output:p': 'p'}
    """
    used_names = {*_ROW_COLUMNS, *_OPTIONAL_COLUMNS, SAMPLING_RATE, *_LABEL_COLUMNS}
    names: dict[str, str] = {}
    for prefix in (INPUT, OUTPUT):
        for name in columns:
            if name.startswith(prefix):
                bare = name.removeprefix(prefix)
                names[name] = name if bare in used_names else bare
                used_names.add(names[name])
    return names


class TrafficLog:
    """Reads the traffic log in the folder `root`, also while it is being written."""

    def __init__(self, root: Path, *, excluded: frozenset[str] = frozenset()) -> None:
        check_root(root)
        self._root = root
        self._excluded = excluded

    def models(self) -> tuple[ModelKey, ...]:
        """The models, versions and signatures with rows in the log, sorted. Cost: one file opened per segment."""
        return tuple(sorted(list_keys(self._root)))

    def read(
        self,
        *,
        model: str,
        version: int | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        columns: Sequence[str] | None = None,
        ids: IdSet | None = None,
    ) -> pa.Table:
        """The rows of a model, each prediction once: of several rows with one id the one written first.

        Cost: only the files of the dates asked for are opened, about 2 ms each, and every open segment of the model.

        Args:
            start: The first event time, aware; None is the beginning.
            end: The first event time that is excluded, aware; None is the end.
            columns: Which columns, in this order; None for all.
            ids: The ids of the predictions; None for all.

        Returns:
            A table sorted by event_time, request_id, row; empty for a model without rows. Columns: prediction_id,
            request_id, row, event_time, answered_at, latency_us, answer_id, caller_principal, caller_peer (where the
            log has them; null where they are not known), model, version, signature, then sampling_rate where
            only a sample was logged (each row stands for 1 / sampling_rate answered ones; it may always be asked for),
            then a list column per tensor, `input:NAME` and `output:NAME`, null where a version has no such tensor. The
            schema's metadata has the number of dropped repeats, `pitfalls.repeats`, of those with other inputs,
            `pitfalls.conflicts`, and of rows of excluded callers, `pitfalls.excluded`.

        Raises:
            BadInput: no version has a column that was asked for, a column's type differs between versions, or a time
                has no zone.
        """
        _check_aware(start, end)
        query = Query(model=model, version=version, start=start, end=end, ids=ids, excluded=self._excluded)
        stored = None if columns is None else tuple(dict.fromkeys((*IDENTITY, *columns)))
        table = assemble(read_scans(self._root, query, stored))
        if columns is None:
            return table
        if SAMPLING_RATE in columns and SAMPLING_RATE not in table.column_names:
            table = table.append_column(SAMPLING_RATE, pa.array(np.ones(table.num_rows)))
        unknown = [name for name in columns if name not in table.column_names]
        if unknown and not table.num_rows:
            return table.select([name for name in columns if name not in unknown])
        if unknown:
            raise BadInput(
                f"The traffic of {model} has no such column.",
                got=", ".join(unknown),
                expected="columns of the log, such as event_time, input:NAME or output:NAME",
                fix="`pitfalls traffic` lists the models; their signatures list the tensors.",
            )
        return table.select(list(columns))

    def table(
        self,
        *,
        model: str | None = None,
        version: int | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> pa.Table:
        """The rows with their labels, under plain names, for other tools.

        Args:
            start: The first event time, aware; None is the beginning.
            end: The first event time that is excluded, aware; None is the end.

        Returns:
            Columns: prediction_id, request_id, row, event_time, model, version, signature, answer_id, caller_principal,
            caller_peer (null where they are not known), one per input and output,
            label and label_time (null while there is no label; the last to arrive wins). A tensor has its bare name,
            unless another column has that: then it keeps its prefix, `input:NAME` or `output:NAME`. Where only a sample
            of a model's requests was logged there is sampling_rate, too, null for models that were logged completely.
        """
        names = sorted({key.model for key in self.models()}) if model is None else [model]
        tables = [
            join_labels(self.read(model=name, version=version, start=start, end=end), self._labels_of(name).latest())
            for name in names
        ]
        if not tables:
            return join_labels(assemble([]), self._labels_of(None).latest())
        return pa.concat_tables(tables, promote_options="permissive")

    def quarantine(self, *, model: str | None = None, version: int | None = None) -> pa.Table:
        """The rows whose event times are out of the server's range, which nothing else reads."""
        by_model = _by_model(read_scans(self._root, Query(model=model, version=version, quarantined=True), None))
        tables = [
            join_labels(assemble(scans), self._labels_of(_model_of(scans)).latest(), ("answered_at",))
            for scans in by_model
        ]
        if not tables:
            return join_labels(assemble([]), self._labels_of(None).latest(), ("answered_at",))
        return pa.concat_tables(tables, promote_options="permissive")

    def quarantined_at(self, model: str, version: int | None = None) -> np.ndarray:
        """When the rows in quarantine were answered, in microseconds since 1970, in order: int64 [n]."""
        query = Query(model=model, version=version, quarantined=True, excluded=self._excluded)
        scans = scan_files(self._root, query, ["answered_at"])
        times = [scan.table["answered_at"].cast(pa.int64()).to_numpy() for scan in scans if scan.key is not None]
        return np.sort(np.concatenate([np.zeros(0, np.int64), *times]))

    def extent(self, model: str, version: int | None = None) -> tuple[datetime, datetime] | None:
        """First and last event time; None without rows. Cost: the footers of two dates, the times of open segments."""
        extent = extent_us(self._root, Query(model=model, version=version, excluded=self._excluded))
        return None if extent is None else (as_datetime(extent[0]), as_datetime(extent[1]))

    def spans(
        self, model: str, version: int | None = None, *, longest_gap: timedelta
    ) -> tuple[tuple[datetime, datetime], ...]:
        """Find the stretches of time with rows, between which nothing is for longer than a gap.

        Args:
            longest_gap: The longest gap within a stretch; at most two days more are taken for one.
        """
        query = Query(model=model, version=version, excluded=self._excluded)
        spans = spans_us(self._root, query, duration_microseconds(longest_gap))
        return tuple((as_datetime(first), as_datetime(last)) for first, last in spans)

    def gaps(self, *, model: str | None = None, version: int | None = None) -> tuple[Gap, ...]:
        """Intervals in which answered rows were not logged, in order of time; an open one is included."""
        return read_gaps(self._root, model=model, version=version)

    def summary(self) -> TrafficSummary:
        """Counts of rows, labels and gaps. Cost: ids and times of every row are read, and all of repeated rows."""
        scans = read_scans(self._root, Query(), IDENTITY)
        tables = [assemble(some) for some in _by_model(scans)]
        quarantined = scan_files(self._root, Query(quarantined=True), ["answered_at"])
        return summarise(
            scans,
            tables,
            self._labels_of(None).summary(),
            self.gaps(),
            conflicts=sum(self._conflicts(some) for some in _by_model(scans)),
            quarantined=sum(scan.table.num_rows for scan in quarantined if scan.key is not None),
        )

    def _labels_of(self, model: str | None) -> LabelLog:
        """The labels of the log that name a model, or none; all of them without one."""
        return LabelLog(self._root, resolve=partial(with_prediction_ids, self._root), model=model)

    def _conflicts(self, scans: Sequence[Scan]) -> int:
        """How many rows of a model repeat an id with other inputs, given the ids of all rows."""
        ids = pa.concat_arrays([prediction_ids(scan.table) for scan in scans])
        counts = pc.value_counts(ids)
        repeated = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
        if not len(repeated):
            return 0
        key = scans[0].key
        query = Query(model=None if key is None else key.model, ids=IdSet(repeated))
        return sum(len(rows) for _, rows in conflicting_rows(read_scans(self._root, query, None)))


def _model_of(scans: Sequence[Scan]) -> str | None:
    return None if scans[0].key is None else scans[0].key.model


def _by_model(scans: Sequence[Scan]) -> list[list[Scan]]:
    """The scans of each model, in order of their names."""
    by_model: dict[str, list[Scan]] = {}
    for scan in scans:
        if scan.key is not None:
            by_model.setdefault(scan.key.model, []).append(scan)
    return [by_model[model] for model in sorted(by_model)]


def _check_aware(*times: datetime | None) -> None:
    for time in times:
        if time is not None and time.tzinfo is None:
            raise BadInput(
                "A time has no zone.",
                got=time.isoformat(),
                expected="a time with a zone, such as 2013-04-01T00:00:00+00:00",
                fix="Add the zone.",
            )
