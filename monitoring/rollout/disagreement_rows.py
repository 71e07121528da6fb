"""Rows of a rollout on which the versions disagree, as a person reads them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.baseline.folder import load_baseline
from monitoring.baseline.predictions import no_predictions
from monitoring.config import MonitorConfig
from monitoring.deployment.places import find_baseline
from monitoring.inspection.incident_rows import ExampleRows, ReadableRows, described_rows
from monitoring.inspection.live_rows import LiveRows
from monitoring.records import RolloutRecord
from monitoring.rollout.evidence.differences import paired_differences
from monitoring.rollout.log.evidence_job import ChosenByHash, answers_folder, measures_of, plan_of
from monitoring.rollout.log.paired_log import PairedLog, champion_log
from monitoring.rollout.log.versions import Versions, bundle_digest, find_versions
from monitoring.rollout.pairs import Measures, PairedRows
from monitoring.rollout.rollout_settings import rules_of_text
from monitoring.rollout.shadow.shares import shares_of
from monitoring.store.store import Store
from monitoring.tasks.task import Floats
from monitoring.timestamps import as_datetime
from monitoring.traffic.windows import Window

#: Rows of each kind that are shown at most, and windows that are looked through for them, the latest first.
MOST_ROWS, MOST_WINDOWS = 6, 14


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DisagreementRows(ReadableRows):
    """Rows on which two versions disagree; `others` of each are the answers of the version in the dark."""

    worse: ExampleRows
    better: ExampleRows
    unlabelled: ExampleRows


@dataclass(slots=True)
class _Chosen:
    """The rows of one kind that were chosen so far: ids, times, the dark version's answers, and differences."""

    is_swapped: bool
    ids: list[str] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    answers: list[Floats] = field(default_factory=list)
    differences: list[float] = field(default_factory=list)

    def add(self, rows: PairedRows, order: NDArray[np.int64], differences: Floats) -> None:
        dark = rows.champion if self.is_swapped else rows.candidate
        for place in order[: MOST_ROWS - len(self.ids)].tolist():
            self.ids.append(str(rows.rows.ids[place].as_py()))
            self.times.append(int(rows.rows.event_times[place]))
            self.answers.append(dark[place])
            self.differences.append(float(differences[place]))


def read_disagreements(
    config: MonitorConfig, store: Store, record: RolloutRecord, clock: Callable[[], datetime]
) -> DisagreementRows:
    """Read some rows on which the versions of a rollout disagree, of its latest windows.

    Returns:
        At most `MOST_ROWS` rows of each kind, those with the largest differences of a window first. Cost: a pass over
        the windows that are looked through, and all labels.
    """
    versions = find_versions(config, champion=record.logging, candidate=record.dark)
    rules = rules_of_text(record.settings)
    measures, now = measures_of(versions, rules, record.scale), clock()
    chosen = ChosenByHash(record.salt, record.share) if record.mode == "replay" else shares_of(record)
    paired = _paired(config, versions, record)
    worse, better, unlabelled = (_Chosen(is_swapped=record.mode == "watch") for _ in range(3))
    for window in _windows(store, record, paired, config)[::-1][:MOST_WINDOWS]:
        pairs = paired.read(window, known_by=now, chosen=chosen).pairs
        differences, largest = _differences(measures, pairs)
        by_size = np.argsort(-np.nan_to_num(np.abs(differences)), kind="stable")
        worse.add(pairs, by_size[differences[by_size] > 0.0], differences)
        better.add(pairs, by_size[differences[by_size] < 0.0], differences)
        open_rows = np.flatnonzero(np.isnan(differences) & (largest > 0.0))
        unlabelled.add(pairs, open_rows[np.argsort(-largest[open_rows], kind="stable")], largest)
        if all(len(group.ids) == MOST_ROWS for group in (worse, better, unlabelled)):
            break
    return _shown(versions, (worse, better, unlabelled), clock)


def _paired(config: MonitorConfig, versions: Versions, record: RolloutRecord) -> PairedLog:
    folder = answers_folder(config, versions, bundle_digest(versions.bundle))
    horizon = rules_of_text(record.settings).horizon
    return PairedLog(versions, champion_log(versions), folder, horizon=horizon, swapped=record.mode == "watch")


def _windows(store: Store, record: RolloutRecord, paired: PairedLog, config: MonitorConfig) -> list[Window]:
    """The windows of a rollout: those that were counted, and of one that goes on those that are not mature yet."""
    counted = [Window(start=start, end=end) for start, end, _ in store.rollouts.windows(record.number)]
    if not record.goes_on:
        return counted
    last = counted[-1].end if counted else record.started_at
    return [*counted, *(window for window in paired.windows(plan_of(config)) if window.end > last)]


def _differences(measures: Measures, pairs: PairedRows) -> tuple[Floats, Floats]:
    """The differences of rows, NaN without a label, and the largest that a label could make."""
    differences = paired_differences(measures.task, measures.loss, pairs.champion, pairs.candidate, pairs.labels)
    return np.where(differences.largest > 0.0, differences.values, 0.0), differences.largest


def _shown(versions: Versions, groups: Sequence[_Chosen], clock: Callable[[], datetime]) -> DisagreementRows:
    """The rows with their inputs, as a person reads them."""
    times = [time for group in groups for time in group.times]
    baseline = load_baseline(find_baseline(versions.config).baseline)
    baseline = replace(baseline, spec=versions.spec)
    fields = described_rows(baseline.spec)
    if not times:
        empty = ExampleRows(rows=no_predictions(fields["spec"]), note="There is no such row.")
        return DisagreementRows(**fields, worse=empty, better=empty, unlabelled=empty)
    window = Window(start=as_datetime(min(times)), end=as_datetime(max(times) + 1))
    live = LiveRows.open(versions.config, baseline, versions.champion, since=window.start, clock=clock)
    worse, better, unlabelled = (_examples(live, group, window) for group in groups)
    return DisagreementRows(**fields, worse=worse, better=better, unlabelled=unlabelled)


def _examples(live: LiveRows, chosen: _Chosen, window: Window) -> ExampleRows:
    ids = pa.array(chosen.ids, pa.string())
    rows = live.some(ids, window)
    places = [chosen.ids.index(name) for name in rows.ids.to_pylist()]
    gone = len(chosen.ids) - len(places)
    empty = "" if chosen.ids else "There is no such row."
    width = rows.probabilities.shape[1]
    return ExampleRows(
        rows=rows,
        scores=tuple(chosen.differences[place] for place in places),
        files=live.images(rows.ids, window),
        ids=live.id_names(rows.ids, window),
        others=np.array([chosen.answers[place] for place in places]).reshape(len(places), width),
        note=f"{gone} of {len(chosen.ids)} are not in the traffic now." if gone else empty,
    )
