"""Windows of a split out of the traffic log: the rows that each version answered, their units, and their labels."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.batch import Batch
from monitoring.baseline.predictions import Predictions
from monitoring.errors import BadInput
from monitoring.judging.window.label_join import LabelJoin
from monitoring.records import SCORE_ONE
from monitoring.rollout.evidence.arms import unit_sums
from monitoring.rollout.evidence.differences import losses_of, surprise_of
from monitoring.rollout.evidence.paired_sums import PairedSums
from monitoring.rollout.log.paired_log import champion_log
from monitoring.rollout.log.versions import Versions
from monitoring.rollout.pairs import (
    CALIBRATION,
    CANDIDATE,
    CHAMPION,
    ERRORS,
    LATENCY,
    LOSS,
    Measures,
    WindowEvidence,
    answered,
    arm_name,
)
from monitoring.rollout.split.split_file import NO_KEY, UNIT_COLUMN, Split
from monitoring.sources.log_source import LogSource
from monitoring.sources.traffic import traffic_path
from monitoring.tasks.label_codes import has_label
from monitoring.tasks.task import Floats
from monitoring.timestamps import duration_microseconds
from monitoring.traffic.format.rows import INPUT
from monitoring.traffic.windows import Window
from monitoring.watches.scoring import slice_codes

UNIT = f"{INPUT}{UNIT_COLUMN}"

_NO_UNITS = pa.table(
    {"prediction_id": pa.nulls(0, pa.string()), "unit": pa.nulls(0, pa.string()), "latency_us": pa.nulls(0, pa.int64())}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmRows:
    """Rows of units that one version was to answer, and did.

    Attributes:
        units: The unit of each, [n].
        latencies: How long each took, in microseconds, [n].
    """

    rows: Predictions
    units: pa.Array
    latencies: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitWindow:
    """The rows of a window.

    Attributes:
        unkeyed: Rows without a key, which the champion answered and which do not count.
        crossed: Rows that another version answered than their unit says; they do not count.
    """

    champion: ArmRows
    candidate: ArmRows
    unkeyed: int
    crossed: int

    @property
    def rows(self) -> int:
        """Rows that count."""
        return len(self.champion.rows) + len(self.candidate.rows)


class ArmsLog:
    """Reads windows of a split."""

    def __init__(self, versions: Versions, split: Split, *, horizon: timedelta, started_at: datetime) -> None:
        self.champion = champion_log(versions)
        model = versions.config.model.model_copy(update={"bundle": versions.bundle})
        self.candidate = LogSource(
            traffic_path(versions.config),
            model,
            versions.candidate_spec,
            version=versions.candidate,
            excluded=frozenset(versions.config.traffic.exclude_callers),
        )
        self._versions = versions
        self._split = split
        self._horizon_us = duration_microseconds(horizon)
        self._started_at = started_at

    @cached_property
    def _labels(self) -> LabelJoin:
        """The label log, read once."""
        labels = self.champion.label_parts()
        return LabelJoin(labels, task=self._versions.task, read=0, horizon_us=self._horizon_us)

    def read(self, window: Window, *, known_by: datetime, before: Collection[str] = ()) -> SplitWindow:
        """The rows of a window. `before`: units whose rows do not count, as they have had their turn."""
        since = Window(start=max(window.start, self._started_at), end=window.end)
        arms, unkeyed, crossed = [], 0, 0
        for source, version in ((self.champion, self._split.champion), (self.candidate, self._split.candidate)):
            units = self._units(source, since)
            rows, _ = source.read(since)
            places = pc.index_in(rows.ids, units["prediction_id"].combine_chunks())
            unit_rows = units.take(pc.fill_null(places, 0)) if units.num_rows else units
            names = unit_rows["unit"].combine_chunks().to_pylist() if units.num_rows else [""] * len(rows)
            mask = np.zeros(len(rows), dtype=np.bool_)
            for place, name in enumerate(names):
                unkeyed += name == NO_KEY
                if name and name != NO_KEY and name not in before:
                    mask[place] = self._split.version_of(name) == version
                    crossed += not mask[place]
            arm_places = pa.array(np.flatnonzero(mask))
            latencies = np.asarray(unit_rows["latency_us"].take(arm_places), dtype=np.float64)
            arm_units = pa.array([name for name, keep in zip(names, mask.tolist(), strict=True) if keep], pa.string())
            arms.append(ArmRows(rows=self._labelled(rows.take(mask), known_by), units=arm_units, latencies=latencies))
        return SplitWindow(champion=arms[0], candidate=arms[1], unkeyed=unkeyed, crossed=crossed)

    def units(self, end: datetime) -> tuple[set[str], set[str]]:
        """The units of all rows from the beginning to a time that each version answered; those without a key are none.

        Cost: a pass over the column of units.
        """
        if end <= self._started_at:
            return set(), set()
        window = Window(start=self._started_at, end=end)
        both = (self._units(source, window)["unit"].unique().to_pylist() for source in (self.champion, self.candidate))
        first, second = ({name for name in names if name and name != NO_KEY} for names in both)
        return first, second

    def _units(self, source: LogSource, window: Window) -> pa.Table:
        """Id, unit and latency of the rows of a window; the unit is empty of rows that are no part of the split."""
        span = {"model": source.model, "version": source.version, "start": window.start, "end": window.end}
        try:
            table = source.log.read(**span, columns=("prediction_id", UNIT, "latency_us"))  # type: ignore[arg-type]
        except BadInput:  # no row of the version has ever been part of a split
            return _NO_UNITS
        if not table.num_rows:
            return _NO_UNITS
        unit = table[UNIT]
        unit = (pc.list_element(unit, 0) if pa.types.is_list(unit.type) else unit).cast(pa.string())
        return pa.table(
            {"prediction_id": table["prediction_id"], "unit": pc.fill_null(unit, ""), "latency_us": table["latency_us"]}
        )

    def _labelled(self, rows: Predictions, known_by: datetime) -> Predictions:
        batch = self._labels.labelled(Batch.of(rows), before=known_by)
        return replace(rows, labels=batch.labels, label_times=batch.label_times)


def split_evidence(
    window: Window, split: SplitWindow, measures: Measures, slow_us: float | None = None
) -> WindowEvidence:
    """The evidence of a window. `slow_us`: from which latency on a row is slow; None: latencies are not compared."""
    arms = {CHAMPION: split.champion, CANDIDATE: split.candidate}
    sums: dict[str, PairedSums] = {}
    for arm, rows in arms.items():
        sums |= {arm_name(name, arm): measure_sums for name, measure_sums in _arm(rows, measures, slow_us).items()}
    both = sums[arm_name(LOSS, CHAMPION)] + sums[arm_name(LOSS, CANDIDATE)]
    totals = [_total(rows, measures) for rows in arms.values()]
    return WindowEvidence(
        start=window.start,
        end=window.end,
        measures={LOSS: both, **sums},
        champion=totals[0],
        candidate=totals[1],
        labelled=sum(int(np.count_nonzero(has_label(rows.rows.labels))) for rows in arms.values()),
        failed=int(np.count_nonzero(~answered(split.candidate.rows.probabilities))),
    )


def _arm(rows: ArmRows, measures: Measures, slow_us: float | None) -> dict[str, PairedSums]:
    """The sums of each measure of one version."""
    answers, labels = rows.rows.probabilities, rows.rows.labels
    units = _codes(rows)
    losses = losses_of(measures.task, measures.loss, answers, labels)
    measure_sums = {LOSS: unit_sums(losses, units)}
    for column, values in measures.slices.items():
        codes = slice_codes(rows.rows.features[column], values)
        for code, value in enumerate(values):
            mask = codes == code
            measure_sums[f"{column}={value}"] = unit_sums(losses[mask], units[mask])
    if ERRORS in measures.guards:
        measure_sums[ERRORS] = unit_sums((~answered(answers)).astype(np.float64), units)
    if measures.measures_calibration:
        surprise = surprise_of(measures.task, measures.loss, answers, labels)
        measure_sums[CALIBRATION] = unit_sums(surprise.values / surprise.scale, units)
    if slow_us is not None:
        measure_sums[LATENCY] = unit_sums((rows.latencies > slow_us).astype(np.float64), units)
    return measure_sums


def _codes(rows: ArmRows) -> NDArray[np.int64]:
    """The unit of each row as a code from 0 on, [n]."""
    if not len(rows.units):
        return np.zeros(0, dtype=np.int64)
    return np.asarray(pc.dictionary_encode(rows.units).indices, dtype=np.int64)


def _total(rows: ArmRows, measures: Measures) -> int:
    losses = losses_of(measures.task, measures.loss, rows.rows.probabilities, rows.rows.labels)
    return int(np.rint(np.nan_to_num(losses, nan=0.0) * SCORE_ONE).astype(np.int64).sum())
