"""A rollout replayed on a table that has the answers of both versions already."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from monitoring.judging.window.windowing import split_by_window
from monitoring.records import RolloutResult
from monitoring.rollout.decision_rules import CALIBRATION, ERRORS, DecisionRules
from monitoring.rollout.evaluation import evaluate
from monitoring.rollout.evidence.differences import loss_named
from monitoring.rollout.pairs import Measures, PairedRows, WindowEvidence
from monitoring.rollout.replay.paired_table import PairedTable
from monitoring.tasks.label_codes import only_where
from monitoring.timestamps import as_microseconds
from monitoring.traffic.windows import Window, WindowPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayResult:
    """What a replay found."""

    result: RolloutResult
    measures: Measures
    evidence: tuple[WindowEvidence, ...]
    notes: tuple[str, ...]


def replay_table(
    table: PairedTable, rules: DecisionRules, plan: WindowPlan, *, now: datetime, excluded: Sequence[Window] = ()
) -> ReplayResult:
    """Compare two versions on a table's rows, window by window, as it would have been done while they came.

    A window is mature, and enters, once the label horizon after its end is over. A label that became known later does
    not count. Where the table does not say when, labels are there.
    """
    horizon = rules.horizon if table.has_label_times else timedelta(0)
    measures = Measures(
        task=table.task,
        loss=loss_named(table.task, rules.loss),
        slices=table.slices,
        guards=frozenset(guard.name for guard in rules.guards if guard.name in (CALIBRATION, ERRORS)),
    )
    evidence: list[WindowEvidence] = []
    young = trained_on = 0
    for window, rows in _windows(table.rows, plan):
        if any(window.start < exclusion.end and exclusion.start < window.end for exclusion in excluded):
            trained_on += 1
            continue
        if window.end + horizon > now:
            young += 1
            continue
        mature = _matured(rows, window.end + horizon) if table.has_label_times else rows
        if not evidence:
            measures = replace(measures, scale=measures.scale_of(mature))
        evidence.append(measures.window(window, mature))
    notes = [*table.notes]
    if young:
        notes.append(f"{young} windows are not mature: labels are waited for {_days(horizon)} after a window's end.")
    if trained_on:
        notes.append(f"{trained_on} windows were left out, as a version was trained on them.")
    result = evaluate(evidence, measures, rules)
    return ReplayResult(result=result, measures=measures, evidence=tuple(evidence), notes=tuple(notes))


def _windows(rows: PairedRows, plan: WindowPlan) -> Iterator[tuple[Window, PairedRows]]:
    for window, places in split_by_window(rows.rows.event_times, plan):
        if places.size:
            yield window, rows.take(places)


def _matured(rows: PairedRows, until: datetime) -> PairedRows:
    """The rows with those labels that became known before a time."""
    is_mature = np.asarray(rows.rows.label_times < as_microseconds(until), dtype=np.bool_)
    labels = only_where(is_mature, rows.labels)
    return PairedRows(rows=rows.rows.labelled(labels, rows.rows.label_times), candidate=rows.candidate)


def _days(duration: timedelta) -> str:
    days = duration / timedelta(days=1)
    return f"{days:g} day{'' if days == 1 else 's'}"
