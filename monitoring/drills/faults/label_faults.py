"""Faults of labels: wrong ones, as if the model had become so much worse, all alike, that stop or come too late."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.predictions import predictions_from
from monitoring.drills.faults.fault import Fault, FaultScope, Plant, with_column
from monitoring.records import Level
from monitoring.tasks.task import Task

#: A deployment has labels if at least this share of its rows has.
LABELLED = 0.1

#: How long after the label horizon labels come that are too late.
TOO_LATE = timedelta(days=1)

#: The share of labels that are wrong on a bad day, at the end of a slow creep, and how many windows that takes.
BAD_DAY = 0.25
CREEP, CREEP_WINDOWS = 0.1, 60

#: The share of rows with the inputs and answers of others.
STALE = 0.5

#: What a row keeps then.
_OWN = ("prediction_id", "event_time", "label", "label_time")

_TIME = pa.timestamp("us", "UTC")


def has_labels(scope: FaultScope) -> tuple[str, ...]:
    """Targets of a fault of labels: none where hardly a row has a label."""
    valid = scope.sample.num_rows - scope.sample["label"].null_count
    return ("",) if valid and valid >= LABELLED * scope.sample.num_rows else ()


def has_time_for_late_labels(scope: FaultScope) -> tuple[str, ...]:
    """Targets of a fault whose labels come after the horizon: none where the windows with it are over before."""
    enough = scope.span is None or scope.span > scope.horizon + TOO_LATE
    return has_labels(scope) if enough else ()


@dataclass(frozen=True, slots=True)
class WrongLabels:
    """So many points of the labelled rows are wrong that were right.

    Where a row has one of several classes, that share of rows for which the model was right gets another class. Of any
    other task, the rows of that share get the label of another of them.
    """

    points: float

    def __call__(self, rows: pa.Table, _target: str, scope: FaultScope, rng: np.random.Generator) -> pa.Table:
        """Plant it; see `monitoring.drills.faults.fault.Plant`."""
        labelled = np.flatnonzero(np.asarray(rows["label"].is_valid()))
        wanted = round(self.points * labelled.size)
        if not wanted:
            return rows
        task = scope.spec.task
        if not task.exclusive:
            return _among_themselves(rows, rng.permutation(labelled)[:wanted])
        predictions = predictions_from(rows.take(pa.array(labelled)), scope.spec)
        right = labelled[task.losses(predictions.probabilities, predictions.labels)["error"] == 0.0]
        chosen = rng.permutation(right)[:wanted]
        steps = rng.integers(1, len(task.classes), chosen.size)
        return _other_class(rows, np.sort(chosen), steps, task)


def _among_themselves(rows: pa.Table, places: NDArray[np.int64]) -> pa.Table:
    """The rows at some places get each other's labels."""
    order = np.arange(rows.num_rows)
    order[places] = np.roll(places, 1)
    return with_column(rows, "label", rows["label"].combine_chunks().take(pa.array(order)))


def _other_class(rows: pa.Table, places: NDArray[np.int64], steps: NDArray[np.int64], task: Task) -> pa.Table:
    """The labels at some places are those so many classes further."""
    codes = task.label_codes(rows["label"])
    words = rows["label"].to_pylist()
    for place, step in zip(places.tolist(), steps.tolist(), strict=True):
        if codes[place] >= 0:
            words[place] = task.classes[(int(codes[place]) + step) % len(task.classes)]
    return with_column(rows, "label", pa.array(words, pa.string()))


def _on_a_bad_day(rows: pa.Table, target: str, scope: FaultScope, rng: np.random.Generator) -> pa.Table:
    """In the first window alone."""
    return WrongLabels(BAD_DAY)(rows, target, scope, rng) if scope.window == 1 else rows


def _creeping(rows: pa.Table, target: str, scope: FaultScope, rng: np.random.Generator) -> pa.Table:
    """A little more in each window, for `CREEP_WINDOWS` windows."""
    share = CREEP * min(scope.window / CREEP_WINDOWS, 1.0)
    return WrongLabels(share)(rows, target, scope, rng)


def _one_label(rows: pa.Table, _target: str, scope: FaultScope, _rng: np.random.Generator) -> pa.Table:
    """Every labelled row has the commonest label of the clean rows."""
    counts = pc.value_counts(scope.sample["label"].drop_null().combine_chunks())
    commonest = counts.field("values")[int(pc.index(counts.field("counts"), pc.max(counts.field("counts"))).as_py())]
    labels = pa.array([commonest.as_py()] * rows.num_rows, pa.string())
    return with_column(rows, "label", pc.if_else(rows["label"].is_valid(), labels, pa.scalar(None, pa.string())))


def _stale(rows: pa.Table, _target: str, _scope: FaultScope, rng: np.random.Generator) -> pa.Table:
    """Half of the rows have the inputs and answers of other rows; ids, times and labels stay."""
    places = np.flatnonzero(rng.random(rows.num_rows) < STALE)
    order = np.arange(rows.num_rows)
    order[places] = np.roll(places, 1)
    other = rows.take(pa.array(order))
    for name in _OWN:
        other = with_column(other, name, rows[name])
    return other


def _inverted(rows: pa.Table, _target: str, scope: FaultScope, rng: np.random.Generator) -> pa.Table:
    labelled = np.flatnonzero(np.asarray(rows["label"].is_valid()))
    task = scope.spec.task
    if task.exclusive:
        return _other_class(rows, labelled, np.ones(labelled.size, dtype=np.int64), task)
    return _among_themselves(rows, rng.permutation(labelled))


def _stopped(rows: pa.Table, _target: str, _scope: FaultScope, _rng: np.random.Generator) -> pa.Table:
    rows = with_column(rows, "label", pa.nulls(rows.num_rows, pa.string()))
    return with_column(rows, "label_time", pa.nulls(rows.num_rows, _TIME))


def _late(rows: pa.Table, _target: str, scope: FaultScope, _rng: np.random.Generator) -> pa.Table:
    late = pc.add(rows["event_time"], pa.scalar(scope.horizon + TOO_LATE, pa.duration("us")))
    nothing = pa.scalar(None, _TIME)
    return with_column(rows, "label_time", pc.if_else(rows["label"].is_valid(), late.cast(_TIME), nothing))


def _fault(
    name: str, title: str, what: str, plant: Plant, *, level: Level = "page", rise: float | None = None
) -> Fault:
    return Fault(
        name=name,
        title=title,
        what=what,
        touches="labels",
        level=level,
        needs="labels",
        targets=has_labels,
        plant=plant,
        rise=rise,
    )


LABEL_FAULTS = (
    _fault(
        "labels-inverted",
        "labels inverted",
        "gives every labelled row the next class, or the label of another row where there are no classes",
        _inverted,
    ),
    _fault(
        "labels-wrong-5",
        "5 % of labels wrong",
        "changes the labels of 5 % of the labelled rows, of those that the model had right where there are classes",
        WrongLabels(0.05),
        rise=0.05,
    ),
    _fault(
        "labels-wrong-10",
        "10 % of labels wrong",
        "changes the labels of 10 % of the labelled rows, of those that the model had right where there are classes",
        WrongLabels(0.1),
        rise=0.1,
    ),
    _fault(
        "bad-day",
        "one bad day",
        "changes the labels of 25 % of the labelled rows in the first window alone",
        _on_a_bad_day,
    ),
    _fault(
        "creep",
        "slow creep",
        "changes the labels of more rows in each window, of 10 % after 60 windows",
        _creeping,
        rise=CREEP / 2.0,
    ),
    _fault(
        "stale",
        "stale features",
        "gives half of the rows the inputs and answers of other rows, as a join with the day before does",
        _stale,
    ),
    _fault("labels-one-class", "labels all alike", "gives every labelled row the commonest label", _one_label),
    _fault("labels-stop", "labels stop", "takes away the labels of all rows", _stopped),
    replace(
        _fault("labels-late", "labels too late", "lets all labels come a day after the label horizon", _late),
        needs="labels, and more windows with the fault than the label horizon and a day has (--windows)",
        targets=has_time_for_late_labels,
    ),
)
