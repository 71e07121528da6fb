"""What an alarm says, in typed parts: the user's metric, what proved it, what explains it, how sure it is, a step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from monitoring.incidents.alarm import Alarm
from monitoring.incidents.decomposition import CLASS, NUMBER, OTHERS, sum_windows
from monitoring.incidents.harm import BETTER, excesses, inputs_moved, loss_changes
from monitoring.incidents.input_drift import FALSE_DISCOVERY_RATE, LEAST_EXPLAINED
from monitoring.incidents.input_shift import Aspect, Shifts, no_shifts
from monitoring.incidents.metric_change import Departure, departure, onset_of, split_of, user_metrics
from monitoring.records import (
    LOSS_FAMILIES,
    WHOLE,
    AlarmCause,
    AlarmEvidence,
    CauseDetail,
    InputShift,
    LabelDelay,
    LossPart,
    LossSplit,
    MovedInput,
    NextStep,
    NoticeReason,
    Onset,
    ScoreSum,
    SlicePart,
    StepKind,
    WatchKey,
)
from monitoring.tasks.metrics import part_of
from monitoring.tasks.output_names import split_output
from monitoring.tasks.task import MATERIAL, loss_of
from monitoring.tasks.vector_regression import NUMBER_METRICS
from monitoring.watches.descriptions import is_rank
from monitoring.watches.integrity import is_long_tailed
from monitoring.watches.label_delays import delay_quantile, merged_counts

#: A class with more than this share of the change of a mean over classes is named.
MOST_OF_CHANGE = 0.5

#: A slice with this share of the change of a loss is named first.
MOSTLY = 2.0 / 3.0

#: Evidence beyond this is not told apart.
LARGEST_LOG_EVIDENCE = 700.0


def alarm_cause(
    alarm: Alarm, detail: CauseDetail, shifts: Shifts = no_shifts, *, reason: NoticeReason | None = None
) -> AlarmCause:
    """What an alarm says.

    Args:
        alarm: With the windows since its onset.
        detail: The numbers behind it.
    """
    moved, changes = departure(alarm), user_metrics(alarm)
    is_loss = alarm.watch.family in LOSS_FAMILIES
    has_labels = bool(is_loss and loss_changes(alarm))
    score = alarm.baseline.scores[alarm.key]
    return AlarmCause(
        key=alarm.key,
        family=alarm.watch.family,
        feature=alarm.watch.feature,
        reason=reason,
        since=_since(alarm),
        changes=changes,
        cycle=(alarm.baseline.scores[changes[0].key].cycle or "") if changes else "",
        shift=_shift_of(alarm, moved, shifts) if changes else None,
        level=moved.level,
        expected=moved.expected,
        deviation=score.deviation,
        tolerance=score.tolerance,
        material=_material(alarm) if is_loss and alarm.is_material else None,
        is_estimate=is_loss and not has_labels,
        delay=_delay(alarm) if has_labels and alarm.watch.family != "estimates" else None,
        split=detail.split,
        proof=_proof(alarm, [change.key.watch for change in changes], detail) if is_loss else None,
        part=_part_at_fault(detail) if is_loss else None,
        largest=_largest(alarm, moved, detail.parts),
        segment=_segment(alarm, moved, detail.parts),
        inputs=_moved_inputs(alarm, detail, shifts),
        inputs_watched=any(watch.family == "inputs" for watch in alarm.baseline.watches.values()),
        discovery_rate=FALSE_DISCOVERY_RATE,
        inputs_moved=inputs_moved(alarm) if is_loss else None,
        pairs=alarm.drifted_pairs if alarm.watch.family == "joint" else (),
        evidence=_evidence(alarm),
        step=NextStep(kind="accept the improvement") if reason == BETTER else _next_step(alarm, detail),
    )


def _since(alarm: Alarm) -> Onset:
    """When the change began; of which rows get a label, when the rows were answered that are no longer waited for."""
    first = alarm.windows[0]
    since = onset_of(first, alarm.baseline.timezone)
    if alarm.watch.family != "labelled" or first.batch is not None:
        return since
    waits = -(-alarm.baseline.horizon // (first.end - first.start))
    answered = first.start - waits * (first.end - first.start)
    return replace(since, start=answered.astimezone(ZoneInfo(alarm.baseline.timezone)))


def _material(alarm: Alarm) -> float:
    return alarm.baseline.scores[
        WatchKey(watch=f"{MATERIAL}{loss_of(alarm.key.watch)}", slice=alarm.key.slice)
    ].tolerance


def _delay(alarm: Alarm) -> LabelDelay | None:
    """From when on rows are concerned, where labels are later than a window is long: losses count when labels come."""
    first = alarm.windows[0]
    delay = delay_quantile(merged_counts(window.label_delays for window in alarm.windows), 0.5)
    late = timedelta(seconds=delay or 0)
    if first.batch is not None or late <= max(first.end - first.start, timedelta(days=1)):
        return None
    return LabelDelay(days=late.days, rows_since=(first.start - late).astimezone(ZoneInfo(alarm.baseline.timezone)))


def _proof(alarm: Alarm, metrics: Sequence[str], detail: CauseDetail) -> LossSplit | None:
    """The split of the first of the metrics that has one: of a loss that rises, how much of it was expected."""
    splits = (split_of(alarm, metric) for metric in metrics if not is_rank(split_output(metric)[1]))
    return next((split for split in splits if split is not None), detail.split)


def _part_at_fault(detail: CauseDetail) -> LossPart | None:
    """The class or number that a loss is of, or that most of a mean's change comes from; None without one."""
    if detail.split is None:
        return None
    is_number = split_output(detail.split.metric)[1].partition(":")[0] in {metric.name for metric in NUMBER_METRICS}
    of_parts = [part for part in detail.parts if part.column in (CLASS, NUMBER)]
    if not of_parts:
        name = part_of(detail.split.metric)
        return None if name is None else LossPart(kind=NUMBER if is_number else CLASS, name=name)
    change, most = math.fsum(part.loss for part in of_parts), of_parts[0]
    if not most.loss > MOST_OF_CHANGE * change > 0.0:
        return None
    return LossPart(kind=NUMBER if most.column == NUMBER else CLASS, name=most.slice.partition("=")[2])


def _largest(alarm: Alarm, moved: Departure, parts: Sequence[SlicePart]) -> SlicePart | None:
    """The one part that most of a change comes from, in its direction; the others are the incident's table.

    Calibration alarms for either sign of its own number, and its parts are those of a loss that rose.
    """
    sign = -1.0 if moved.change < 0.0 and alarm.watch.family != "calibration" else 1.0
    moved_so = [part for part in parts if sign * part.loss > 0.0]
    classes = [part for part in moved_so if part.column in (CLASS, NUMBER)]
    return max(classes or moved_so, key=lambda part: (abs(part.loss), part.slice), default=None)


def _segment(alarm: Alarm, moved: Departure, parts: Sequence[SlicePart]) -> str:
    """The slice from which most of a change comes, and that is no large part of the rows; empty without one."""
    largest = _largest(alarm, moved, [part for part in parts if part.column not in (CLASS, NUMBER)])
    if largest is None or largest.slice in (OTHERS, alarm.key.slice):
        return ""
    change = math.fsum(part.total for part in parts if part.column == largest.column)
    judged = sum_windows(alarm.windows, alarm.baseline.watches[largest.metric])
    rows, of_slice = (
        judged.get(key, ScoreSum()).rows + alarm.waiting.get(key, ScoreSum()).rows
        for key in (WatchKey(watch=largest.metric, slice=slice_) for slice_ in (WHOLE, largest.slice))
    )
    is_most = largest.loss / change >= MOSTLY if change else False
    return largest.slice if is_most and 2 * of_slice <= rows else ""


def _evidence(alarm: Alarm) -> AlarmEvidence:
    """How certain it is, in the evidence of the detector that alarmed."""
    reading = alarm.reading
    log_evidence = reading.loss_log_evidence if reading.loss_alarm and not reading.alarm else reading.log_evidence
    return AlarmEvidence(
        level=reading.level,
        log_evidence=max(min(log_evidence, LARGEST_LOG_EVIDENCE), -LARGEST_LOG_EVIDENCE),
        threshold=alarm.threshold,
        share=alarm.share,
        team=reading.team,
    )


def _shift_of(alarm: Alarm, moved: Departure, shifts: Shifts) -> InputShift | None:
    """The shift of the input that an alarm is about, in its own unit; None where its quantiles do not show it."""
    watch, last = alarm.watch, alarm.key.watch.rpartition(":")[2]
    if watch.family != "inputs" or watch.feature is None:
        return None
    if last not in ("location", "spread"):
        shift = shifts(watch.feature, "location")
        return shift if shift is not None and shift.what == "constant" else None
    shift = shifts(watch.feature, "spread" if last == "spread" else "location")
    against = shift is not None and shift.rose is not None and shift.rose != (moved.change >= 0.0)
    return None if against else shift


def _aspect(name: str, alarm: Alarm) -> Aspect:
    """Whether a number's values lie elsewhere or more widely, whichever moved by more standard deviations."""
    moved = {}
    for aspect in ("location", "spread"):
        key = WatchKey(watch=f"input:{name}:{aspect}")
        values = excesses(alarm, key)
        moved[aspect] = (
            abs(math.fsum(values) / len(values)) / max(alarm.baseline.scores[key].deviation, 1e-12) if values else 0.0
        )
    return "spread" if moved["spread"] > moved["location"] else "location"


def _moved_inputs(alarm: Alarm, detail: CauseDetail, shifts: Shifts) -> tuple[MovedInput, ...]:
    return tuple(
        MovedInput(
            input=drift.input,
            explained=drift.explained,
            explains=(drift.explained or 0.0) >= LEAST_EXPLAINED,
            shift=shifts(drift.input, _aspect(drift.input, alarm)),
        )
        for drift in detail.inputs
    )


#: What to do first, by the family of the watch, where nothing else decides it.
_STEPS: dict[str, StepKind] = {
    "performance": "check the labels of its rows",
    "surprise": "check the labels of its rows",
    "calibration": "check the labels of its rows",
    "estimates": "wait for labels",
    "labels": "check the label job",
    "selection": "compare its rows",
    "labelled": "check how rows are labelled",
}


def _next_step(alarm: Alarm, detail: CauseDetail) -> NextStep:
    """What to look at first, by the family of the watch."""
    family, feature = alarm.watch.family, alarm.watch.feature
    subjects = (feature,) if feature else ()
    if detail.split is not None and detail.split.is_expected:
        return NextStep(kind="check the traffic" if inputs_moved(alarm) else "check the answers")
    if family in _STEPS:
        return NextStep(kind=_STEPS[family])
    if is_long_tailed(alarm.watch):
        return NextStep(kind="check the new values", subjects=subjects)
    if family == "integrity":
        return NextStep(kind="check the pipeline" if feature else "check the outputs", subjects=subjects)
    if family == "outputs" and inputs_moved(alarm) is False:
        return NextStep(kind="check the model")
    day = alarm.windows[-1].start.astimezone(ZoneInfo(alarm.baseline.timezone))
    return NextStep(kind="compare the inputs", day=day)
