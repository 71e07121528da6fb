"""How the relation of inputs and label changed since the onset of an incident: from its rows and the reference's."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.baseline.batch import joined
from monitoring.baseline.predictions import Predictions
from monitoring.deployment.deployment import Deployment
from monitoring.judging.incident_tracker import ASSESSED_AGAIN_AFTER
from monitoring.judging.judge import Judgement
from monitoring.judging.window.window_traffic import WindowTraffic
from monitoring.records import LOSS_FAMILIES, AlarmCause, FactCause, IncidentRecord, RelationChange, WindowRecord
from monitoring.subgroups.relation import LabelledSide, relation_change
from monitoring.subgroups.run_search import with_incidents
from monitoring.subgroups.subgroup_rows import reference_rows, watched_inputs
from monitoring.tasks.expected_labels import expected_labels
from monitoring.timestamps import as_microseconds, duration_microseconds
from monitoring.tracing import span
from monitoring.traffic.windows import Window
from monitoring.watches.catalogue import labelled_rows
from monitoring.watches.sampling import sample_indices

#: Rows of the reference, and labelled ones since the onset, that are compared at most.
MOST_BEFORE = 6_000
MOST_SINCE = 5_000

#: The chance that an input is named by errors, which are looked at where the class's share names none.
ERRORS_RATE = 0.01

#: Families of watches that the relation may explain: losses and shares of labels, which need them.
FAMILIES = frozenset({*LOSS_FAMILIES, "labels"} - {"estimates"})

#: Rows count once so many of the reference's labels had come after as long: the first labels may be of one class.
LABELS_COME = 0.9


@dataclass(frozen=True, kw_only=True)
class RelationSearch:
    """Explains the incidents of a deployment that no input explains by how the relation of inputs and label changed."""

    deployment: Deployment

    @cached_property
    def _before(self) -> Predictions:
        """Labelled rows of the reference."""
        spec = replace(self.deployment.baseline.spec, embedding=None)
        return reference_rows(replace(self.deployment.baseline, spec=spec), MOST_BEFORE)

    def after(self, judgement: Judgement, traffic: WindowTraffic) -> Judgement:
        """A judgement whose incidents of a loss have the change, those that this window opened or assessed again.

        Cost: of such an incident a pass over the rows of its last windows, of some `MOST_SINCE`, and 0.1 s.
        """
        found = [
            replace(incident, detail=replace(incident.detail, relation=change))
            for incident in judgement.state.incidents
            if (cause := _unexplained(incident, judgement.window)) is not None
            and (change := self._change(cause, judgement.window, traffic)) != incident.detail.relation
        ]
        return with_incidents(judgement, found)

    def _change(self, cause: AlarmCause, record: WindowRecord, traffic: WindowTraffic) -> RelationChange | None:
        before = self._before
        if not len(before):
            return None
        with span("search relation"):
            live = self._since(cause.since.start if cause.delay is None else cause.delay.rows_since, record, traffic)
            length_us = duration_microseconds(record.end - record.start)
            return _largest(self._sides(before, length_us), self._sides(live, length_us))

    def _since(self, start: datetime, record: WindowRecord, traffic: WindowTraffic) -> Predictions:
        """The labelled rows that were answered since a time, the last ones of which most labels have come."""
        length = record.end - record.start
        delays = np.maximum(self._before.label_times - self._before.event_times, 0)
        wait = timedelta(microseconds=int(np.quantile(delays, LABELS_COME)))
        windows = math.ceil(wait / length) + math.ceil(MOST_SINCE / max(record.rows, 1))
        read = Window(start=max(record.end - windows * length, min(start, record.start)), end=record.end)
        batches = (batch.take(np.arange(len(batch))) for batch in traffic.batches.earlier(read))
        rows = joined([rows.take(labelled_rows(rows)) for rows in batches] or [self._before.take(np.arange(0))])
        first, last = as_microseconds(start), as_microseconds(record.end - wait)
        rows = rows.take((rows.event_times >= first) & (rows.event_times < last))
        return _in_order(rows.take(sample_indices(rows, MOST_SINCE)))

    def _sides(self, rows: Predictions, length_us: int) -> dict[str, LabelledSide]:
        """The rows by each class, or by the number that is predicted; none of other tasks."""
        task = self.deployment.baseline.spec.task
        rows = rows.take(np.isfinite(rows.probabilities).all(axis=1) & ~task.unknown(rows.labels))
        inputs, window = watched_inputs(self.deployment.catalogue, rows.features), rows.event_times // length_us
        return {
            name: LabelledSide(inputs=inputs, predicted=predicted, label=label, window=window)
            for name, (predicted, label) in expected_labels(task, rows.probabilities, rows.labels).items()
        }


def _in_order(rows: Predictions) -> Predictions:
    """Rows by event time, then by id: sums are the same to the last bit in whatever order rows were read."""
    keys = pa.table({"time": rows.event_times, "id": rows.ids})
    order = pc.sort_indices(keys, sort_keys=[("time", "ascending"), ("id", "ascending")])
    return rows.take(np.asarray(order, dtype=np.int64))


def _largest(before: dict[str, LabelledSide], since: dict[str, LabelledSide]) -> RelationChange | None:
    """The change of the class whose share has left the model's most; of a number its own."""
    there = [name for name, side in since.items() if side.label.size]
    if not there:
        return None
    output = max(there, key=lambda name: _departure(before[name], since[name]))
    found = relation_change(before[output], since[output], output=output, is_share=bool(output))
    if not output or (found is not None and found.conditions):
        return found
    wrong = relation_change(_errors(before[output]), _errors(since[output]), output=output, error_rate=ERRORS_RATE)
    return found if wrong is None or not wrong.conditions else replace(wrong, of_errors=True)


def _errors(side: LabelledSide) -> LabelledSide:
    """Rows with the chance that the likelier of a class and all others is wrong, and whether it was."""
    return replace(
        side,
        predicted=np.minimum(side.predicted, 1.0 - side.predicted),
        label=((side.label > 0.5) != (side.predicted >= 0.5)).astype(np.float64),
    )


def _unexplained(incident: IncidentRecord, record: WindowRecord) -> AlarmCause | None:
    """What a window has said of a loss or of labels that no input explains; None where it said nothing."""
    last = incident.diagnoses[-1] if incident.diagnoses else None
    if last is None:
        return None
    cause: object
    if isinstance(last.cause, FactCause):
        cause = last.cause.evidence
        since = (record.start - incident.window_start) / (record.end - record.start)
        is_due = since in (0, *ASSESSED_AGAIN_AFTER)
    else:
        is_again = last.again is not None and last.again.window.start == record.start
        cause = last.again.cause if last.again is not None and is_again else last.cause
        is_due = is_again or last.at == record.end
    if not is_due or not isinstance(cause, AlarmCause) or cause.family not in FAMILIES:
        return None
    is_explained = cause.renaming is not None or any(moved.explains for moved in cause.inputs)
    return None if is_explained else cause


def _departure(before: LabelledSide, since: LabelledSide) -> float:
    """By how many standard errors the mean residual has moved."""
    first, second = (side.label - side.predicted for side in (before, since))
    error = np.sqrt(first.var() / max(first.size, 1) + second.var() / max(second.size, 1))
    return float(abs(second.mean() - first.mean()) / max(error, 1e-12))
