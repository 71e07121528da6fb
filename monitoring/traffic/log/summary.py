"""A summary of a traffic log: rows, repeats, labels and gaps, by model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.traffic.format.rows import SAMPLING_RATE, ModelKey
from monitoring.traffic.labels.label_log import LabelSummary
from monitoring.traffic.log.assembly import REPEATS_KEY
from monitoring.traffic.log.gaps import Gap
from monitoring.traffic.log.scans import Scan


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSummary:
    """Counts and times of one signature of one version of a model."""

    key: ModelKey
    rows: int
    answered: int  # an estimate; more than `rows` where only a sample was logged
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficSummary:
    """A traffic log's contents. `rows` are predictions, each counted once; `repeats` are dropped copies."""

    rows: int
    repeats: int
    torn_bytes: int
    segments: int
    models: tuple[ModelSummary, ...]
    labels: LabelSummary
    gaps: tuple[Gap, ...] = ()
    conflicts: int = 0
    """Of the repeats, those whose inputs are not those of the first row of their id."""
    quarantined: int = 0
    """Rows beside these whose event times are out of the server's range."""

    @property
    def lost_rows(self) -> int:
        """The number of answered rows that were not logged."""
        return sum(gap.rows for gap in self.gaps)

    @property
    def first(self) -> datetime | None:
        """The first event time; None without rows."""
        return min((model.first for model in self.models), default=None)

    @property
    def last(self) -> datetime | None:
        """The last event time; None without rows."""
        return max((model.last for model in self.models), default=None)


def summarise(
    scans: Sequence[Scan],
    tables: Sequence[pa.Table],
    labels: LabelSummary,
    gaps: Sequence[Gap],
    *,
    conflicts: int = 0,
    quarantined: int = 0,
) -> TrafficSummary:
    """Summarise a log."""
    models = tuple(sorted((each for table in tables for each in _by_key(table)), key=lambda each: each.key))
    torn = {scan.segment: scan.torn_bytes for scan in scans}
    return TrafficSummary(
        rows=sum(table.num_rows for table in tables),
        repeats=sum(int((table.schema.metadata or {})[REPEATS_KEY]) for table in tables),
        torn_bytes=sum(torn.values()),
        segments=len(torn),
        models=models,
        labels=labels,
        gaps=tuple(gaps),
        conflicts=conflicts,
        quarantined=quarantined,
    )


def _by_key(table: pa.Table) -> list[ModelSummary]:
    keys = ["model", "version", "signature"]
    rates = table.column(SAMPLING_RATE) if SAMPLING_RATE in table.column_names else pa.array(np.ones(table.num_rows))
    table = table.append_column("weight", pc.divide(1.0, rates))
    sums = [("event_time", "count"), ("event_time", "min"), ("event_time", "max"), ("weight", "sum")]
    grouped = table.group_by(keys).aggregate(sums)
    return [
        ModelSummary(
            key=ModelKey(row["model"], row["version"], row["signature"]),
            rows=row["event_time_count"],
            answered=round(row["weight_sum"]),
            first=row["event_time_min"],
            last=row["event_time_max"],
        )
        for row in grouped.to_pylist()
    ]
