"""The schedule of a replay: requests and labels in order, determined by the table, so that every replay is the same."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from monitoring.config.table_section import USUAL_COLUMNS, TableSection
from monitoring.errors import BadInput
from monitoring.tasks.label_objects import label_object
from monitoring.timestamps import as_datetime
from monitoring.traffic.cells import decoded, is_list, is_text
from monitoring.traffic.tables.rows import listed
from monitoring.traffic.tables.times import ParsedTimes, parse_times
from serving.export.export import Reference
from serving.export.outputs.several_outputs import labels_of_outputs
from serving.export.reference_labels import LABEL

Times = np.ndarray[Any, np.dtype[np.int64]]


def label_texts(table: pa.Table, label: str) -> list[str | None]:
    """Read labels as `pitfalls export --label` does.

    >>> label_texts(pa.table({"kind": ["a", "b"], "paid": [1.5, None]}), "kind=kind,price=paid")
    ['{"kind":"a","price":"1.5"}', '{"kind":"b"}']

    Args:
        label: A column of labels: text, numbers, lists, or structs with a part for each output; or ``A,B,C``, columns
            of a 0 or 1 for each class or of numbers; or ``OUTPUT=COLUMN,…`` for several outputs.

    Returns:
        The text of each row's label, [n]; None where there is none.
    """
    names = [name.strip() for name in label.split(",")]
    if label not in table.column_names and len(names) + ("=" in label) > 1:
        pairs: Mapping[str, str] = dict(name.split("=", 1) for name in names if "=" in name)
        if pairs and len(pairs) != len(names):
            raise BadInput(
                "Several outputs with a label each are all named with their columns.",
                got=f"--label {label}",
                expected="--label OUTPUT=COLUMN,OUTPUT=COLUMN",
                fix="For example --label kind=was_kind,price=paid.",
            )
        if pairs:
            return _plain(labels_of_outputs(table, pairs))
        _check_columns(table, names)
        reference = Reference(table=table, label_columns=tuple(names)).with_lists().table
        return [] if reference is None else _texts(reference[LABEL], label)
    _check_columns(table, [label])
    return _texts(table[label], label)


def _texts(labels: pa.ChunkedArray, name: str) -> list[str | None]:
    column = decoded(labels)
    if pa.types.is_struct(column.type):
        return [None if value is None else label_object(value) for value in column.to_pylist()]
    if is_list(column.type):
        return _plain(listed(column))
    try:
        return _plain(column.cast(pa.string()))
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
        raise BadInput(
            f"Column {name!r} has no labels.",
            got=str(column.type),
            expected="text, numbers, booleans, lists, or structs with a part for each output",
            fix="Convert the column, or name one column for each output: --label OUTPUT=COLUMN,OUTPUT=COLUMN.",
        ) from error


def _plain(texts: Any) -> list[str | None]:
    plain: list[str | None] = texts.to_pylist()
    return plain


def _check_columns(table: pa.Table, names: list[str]) -> None:
    absent: Any = [name for name in names if name not in table.column_names]
    if absent:
        raise BadInput(
            f"The table has no column {absent[0]!r}.",
            got=", ".join(table.column_names)[:300],
            expected="a column of labels; or A,B,C; or OUTPUT=COLUMN,OUTPUT=COLUMN",
            fix="Pass the right --label.",
        )


HOUR_US = 3_600_000_000
PREFIX = re.compile(r"[\x21-\x7e]{1,80}")
MAX_ROWS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayPlan:
    """How a table becomes requests.

    Consecutive rows of one clock hour, at most ``rows_per_request``, form one request. Its id is
    ``PREFIX-<first event time>-<number within the hour>`` and its event time that of its first row.
    """

    columns: TableSection = USUAL_COLUMNS
    """The columns of times, with timestamps, dates or text in ISO 8601. A row without a label time gets no label."""
    rows_per_request: int = 256
    prefix: str = "replay"
    label: str | None = None
    """Column of labels, or several, as of `pitfalls_tf.replay.plan.label_texts`; rows without one get no label."""
    form: Literal["columns", "rows"] = "columns"
    """TensorFlow Serving's columnar (``inputs``) or row (``instances``) form."""

    @property
    def label_time(self) -> str | None:
        """The column of label times; None where none is named."""
        return self.columns.named("label_time")

    def __post_init__(self) -> None:
        if not 1 <= self.rows_per_request <= MAX_ROWS:
            raise BadInput(
                "Invalid number of rows per request.",
                got=f"{self.rows_per_request}",
                expected=f"1 to {MAX_ROWS}",
                fix="Pass --rows-per-request 256, for example.",
            )
        if not PREFIX.fullmatch(self.prefix):
            raise BadInput(
                "The prefix cannot be part of a request id.",
                got=repr(self.prefix),
                expected="1 to 80 visible ASCII characters without spaces",
                fix="Pass --name with another prefix.",
            )
        if (self.label is None) != (self.label_time is None):
            raise BadInput(
                "Label and label time must be given together.",
                got=f"label {self.label}, label time {self.label_time}",
                expected="both columns, or neither",
                fix="Pass both --label and --label-time.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRequest:
    """Rows ``start`` to ``stop`` of the sorted table, as one request."""

    request_id: str
    event_time: datetime
    start: int
    stop: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedLabel:
    """The label of one row."""

    prediction_id: str
    label: str
    label_time: datetime
    request: int
    """Index of the request with the labelled prediction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaySchedule:
    """The whole replay: ``labels[i]`` are posted before request i, the last group after all requests."""

    table: pa.Table
    """Sorted by event time; rows with equal times keep their order."""
    requests: tuple[PlannedRequest, ...]
    labels: tuple[tuple[PlannedLabel, ...], ...]


def zone_remark(table: pa.Table, plan: ReplayPlan) -> str:
    """Say that the table's times have no zone. Returns a sentence; empty if they have."""
    names = [name for name in (plan.columns.event_time, plan.label_time) if name is not None]
    naive = [name for name in names if _times(table, name, plan).naive]
    return (
        f"Times of {' and '.join(naive)} have no zone, and are taken as {plan.columns.naive_timezone}." if naive else ""
    )


def schedule_replay(table: pa.Table, plan: ReplayPlan) -> ReplaySchedule:
    """Schedule all requests and labels of a table."""
    times = _times(table, plan.columns.event_time, plan)
    absent = int((~times.valid).sum())
    if absent:
        raise BadInput(
            f"Column {plan.columns.event_time!r} has rows without a time, so they cannot be replayed in order.",
            got=f"{absent} nulls, or values that are no time",
            expected="an event time in every row",
            fix="Remove those rows, or pass another --event-time.",
        )
    moments = times.us
    order = np.argsort(moments, kind="stable")
    if (np.diff(moments) < 0).any():
        table, moments = table.take(pa.array(order)), moments[order]
    requests = _requests(moments, plan)
    return ReplaySchedule(table=table, requests=requests, labels=_labels(table, requests, moments, plan))


def _requests(moments: Times, plan: ReplayPlan) -> tuple[PlannedRequest, ...]:
    if not len(moments):
        return ()
    hours = moments // HOUR_US
    starts = [0, *(np.flatnonzero(np.diff(hours)) + 1).tolist(), len(moments)]
    requests = []
    for hour_start, hour_stop in pairwise(starts):
        for number, start in enumerate(range(hour_start, hour_stop, plan.rows_per_request)):
            first = as_datetime(moments[start])
            requests.append(
                PlannedRequest(
                    request_id=f"{plan.prefix}-{first:%Y%m%dT%H%M%SZ}-{number}",
                    event_time=first,
                    start=start,
                    stop=min(start + plan.rows_per_request, hour_stop),
                )
            )
    return tuple(requests)


def _labels(
    table: pa.Table, requests: Sequence[PlannedRequest], moments: Times, plan: ReplayPlan
) -> tuple[tuple[PlannedLabel, ...], ...]:
    """Labels grouped by the request before which they are posted, each group sorted by label time."""
    groups: list[list[PlannedLabel]] = [[] for _ in range(len(requests) + 1)]
    if plan.label is None or plan.label_time is None or not requests:
        return tuple(map(tuple, groups))
    labels = label_texts(table, plan.label)
    times = _times(table, plan.label_time, plan)
    labelled = np.flatnonzero(times.valid & np.array([label is not None for label in labels], np.bool_))
    label_us = times.us
    starts = np.array([request.start for request in requests])
    owners = np.searchsorted(starts, labelled, side="right") - 1
    # Posted before the first request at or after the label time, but after the request with the prediction.
    due = np.maximum(np.searchsorted(moments[starts], label_us[labelled], side="left"), owners + 1)
    for index in np.lexsort((labelled, label_us[labelled], due)).tolist():
        row, owner = int(labelled[index]), int(owners[index])
        groups[int(due[index])].append(
            PlannedLabel(
                prediction_id=f"{requests[owner].request_id}:{row - requests[owner].start}",
                label=labels[row] or "",
                label_time=as_datetime(label_us[row]),
                request=owner,
            )
        )
    return tuple(map(tuple, groups))


def _column(table: pa.Table, name: str) -> pa.Array:
    if name not in table.column_names:
        raise BadInput(
            f"The table has no column {name!r}.",
            got=", ".join(table.column_names),
            expected=f"a column {name!r}",
            fix="Pass the right column name.",
        )
    column = table.column(name)
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _times(table: pa.Table, name: str, plan: ReplayPlan) -> ParsedTimes:
    column = decoded(_column(table, name))
    times = parse_times(column, plan.columns.naive_timezone)
    if times.problem or pa.types.is_null(column.type):
        raise BadInput(
            f"Column {name!r} has no times.",
            got=f"{column.type}: {times.problem}" if is_text(column.type) else str(column.type),
            expected="timestamps, dates, or text such as 2013-04-01T05:15:00Z",
            fix="Convert the column, or name another.",
        )
    return times
