"""The cause of an alarm in sentences: the user's metric, what proved it, the evidence, the next step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from monitoring.incidents.alarm import Alarm
from monitoring.incidents.decomposition import CLASS, NUMBER
from monitoring.incidents.harm import BETTER, excesses, inputs_moved, loss_changes
from monitoring.incidents.input_drift import FALSE_DISCOVERY_RATE, LEAST_EXPLAINED
from monitoring.incidents.input_shift import Aspect, InputShift, Shifts, no_shifts
from monitoring.incidents.metric_change import Departure, metric_headline, moment_day, onset_day, split_of, user_metrics
from monitoring.incidents.rearm import LOSS_FAMILIES
from monitoring.records import CauseDetail, InputDrift, LossSplit, SlicePart, WatchKey
from monitoring.tasks import ranking, regression, vector_regression
from monitoring.tasks.metrics import part_of
from monitoring.tasks.output_names import split_output
from monitoring.tasks.task import MATERIAL, loss_of
from monitoring.watches.descriptions import (
    format_amount,
    format_change,
    format_move,
    lower_first,
    metric_title,
    printable,
    slice_title,
    watch_title,
)
from monitoring.watches.integrity import is_long_tailed
from monitoring.watches.label_delays import delay_quantile, merged_counts
from monitoring.watches.rank import is_rank

#: Begins what to do first.
NEXT_STEP = " Next step: "

#: A class with more than this share of the change of a mean over classes is named.
MOST_OF_CHANGE = 0.5

#: What an expected rise is where no input is known to have moved: answers that lost their confidence expect it, too.
EXPECTED = "the answers let expect most of it, though no input moved"

#: Evidence beyond this says nothing more.
LARGEST_EVIDENCE = 1_000_000

#: Losses of predicted numbers and of rankings, which state no confidence.
_OF_NUMBERS = frozenset(metric.name for metric in (*regression.METRICS, *vector_regression.NUMBER_METRICS))
_UNSTATED = _OF_NUMBERS | frozenset(metric.name for metric in ranking.METRICS)

#: What a watch's number means, by the watch's name.
_SCALES = {
    "joint": "0.5 is no drift, 1 is complete separation from the baseline.",
    "embedding": "0.5 is no drift, 1 is complete separation from the baseline.",
    "location": "That is the mean of the values' quantiles in the baseline (location): 0.5 is no shift.",
    "spread": "That is the mean of |2q - 1| over the values' baseline quantiles q: 0.5 is no change.",
}


def summary(
    alarm: Alarm, departure: Departure, detail: CauseDetail, shifts: Shifts = no_shifts, *, reason: str = ""
) -> str:
    """The cause in one line: the user's metric from, to and since when, and what it means for the model."""
    first = _headline(alarm, departure, shifts)
    if reason:
        return f"{first}: {reason}"
    if alarm.watch.family == "calibration":
        return f"{first}: {lower_first(_calibration_sentence(alarm, departure)).rstrip('.')}"
    split = detail.split
    if split is None or alarm.watch.family not in LOSS_FAMILIES:
        return first
    if split.surprise < split.difficulty:
        return f"{first}: {_expected(alarm)}"
    where = _class_at_fault(split.metric, detail.parts)
    kind = NUMBER if _is_of_numbers(split.metric) else CLASS
    at = "" if where is None else f" at {kind} {printable(where)}"
    return f"{first}: {_surprised(split.metric)}{at}"


def message(
    alarm: Alarm, departure: Departure, detail: CauseDetail, shifts: Shifts = no_shifts, *, reason: str = ""
) -> str:
    """The whole cause in one paragraph: the user's metric, what proved it, what moved with it, the evidence, a step."""
    sentences = [
        f"{_headline(alarm, departure, shifts)}.",
        *((f"{reason[0].upper()}{reason[1:]}.",) if reason else ()),
        *_proof_sentences(alarm, departure, detail, shifts),
        *_part_sentences(alarm, departure, detail.parts),
        *input_sentences(alarm, detail, shifts),
        _evidence_sentence(alarm),
    ]
    step = _BETTER_STEP if reason == BETTER else _next_step(alarm, detail)
    return f"{' '.join(sentences)}{NEXT_STEP}{step}"


def assessment(alarm: Alarm, departure: Departure, detail: CauseDetail, shifts: Shifts = no_shifts) -> str:
    """What is known of the cause of an open incident some windows later: its metric, its largest part, its inputs."""
    parts = _part_sentences(alarm, departure, detail.parts)
    return " ".join((f"{_headline(alarm, departure, shifts)}.", *parts, *input_sentences(alarm, detail, shifts)))


def _headline(alarm: Alarm, departure: Departure, shifts: Shifts) -> str:
    """The first sentence, without its full stop: of a loss in the user's metric, of an input in its own unit."""
    changes = user_metrics(alarm)
    if not changes:
        title = _place(alarm.key)
        return f"{title[0].upper()}{title[1:]} changed since {onset_day(alarm)}"
    shift = _shift_of(alarm, departure, shifts)
    if shift is None:
        return metric_headline(alarm, changes)
    rows = f"{changes[0].rows:,} row{'' if changes[0].rows == 1 else 's'}"
    return f"{shift.summary[0].upper()}{shift.summary[1:]} since {onset_day(alarm)} ({rows})"


def _proof_sentences(alarm: Alarm, departure: Departure, detail: CauseDetail, shifts: Shifts) -> list[str]:
    """What proved the change: of a loss that it is no expected one, of another watch how it usually varies."""
    if alarm.watch.family not in LOSS_FAMILIES:
        return _scale_sentences(alarm, departure, shifts)
    sentences = []
    changes = user_metrics(alarm)
    if alarm.is_material:
        metric = loss_of(alarm.key.watch)
        score = alarm.baseline.scores[WatchKey(watch=f"{MATERIAL}{metric}", slice=alarm.key.slice)]
        sentences.append(
            f"A rise by more than {format_amount(metric, score.tolerance)} is a page whatever explains it."
        )
    if alarm.watch.family == "calibration":
        sentences.append(_calibration_sentence(alarm, departure))
    if not loss_changes(alarm):
        sentences.append("No label has arrived since then: this is an estimate.")
    elif alarm.watch.family == "estimates":
        sentences.append("This is an estimate: it does not wait for the labels of these rows.")
    else:
        sentences += _delay_sentences(alarm)
    metrics = [change.key.watch for change in changes]
    splits = (split_of(alarm, metric) for metric in metrics if not is_rank(split_output(metric)[1]))
    split = next((each for each in splits if each is not None), detail.split)
    if split is not None:
        sentences.append(_split_sentence(split, alarm, is_told=split.metric == metrics[0] if metrics else False))
    return sentences


def _delay_sentences(alarm: Alarm) -> list[str]:
    """From when on rows are concerned, where labels are later than a window is long: losses count when labels come."""
    first = alarm.windows[0]
    delay = delay_quantile(merged_counts(window.label_delays for window in alarm.windows), 0.5)
    late = timedelta(seconds=delay or 0)
    if first.batch is not None or late <= max(first.end - first.start, timedelta(days=1)):
        return []
    start = moment_day((first.start - late).astimezone(ZoneInfo(alarm.baseline.timezone)))
    return [f"That is when labels arrived, half of them within {late.days} days: the rows are from about {start} on."]


def _calibration_sentence(alarm: Alarm, departure: Departure) -> str:
    """What a watch on the calibration of probabilities says."""
    watch, change = alarm.key.watch, departure.change
    if watch.startswith("residual:"):
        side = "more" if change >= 0.0 else "less"
        name = printable(watch.removeprefix("residual:"))
        return f"Class {name} is {format_amount(watch, abs(change))} {side} frequent than its probabilities say."
    return f"The probabilities are {'not sure enough' if change >= 0.0 else 'too sure'} (calibration slope)."


def _scale_sentences(alarm: Alarm, departure: Departure, shifts: Shifts) -> list[str]:
    """What the watch's number means, where its name does not say it, and how it varies in the baseline."""
    score, name, last = alarm.baseline.scores[alarm.key], alarm.key.watch, alarm.key.watch.rpartition(":")[2]
    sentences = []
    if _shift_of(alarm, departure, shifts) is not None and departure.windows:
        move = format_move(name, departure.expected, departure.level)
        sentences.append(f"{watch_title(name)} {move}.")
    if alarm.watch.family == "labelled":
        sentences.append("This is the share of these rows among labelled rows minus their share among all rows.")
    if alarm.watch.family == "selection":
        sentences.append("This is how often the model chooses the last class for these rows, minus how often for all.")
    if alarm.watch.family in ("joint", "inputs", "labels") and last in _SCALES:
        sentences.append(_SCALES[last])
    tolerated = f", and {format_amount(name, score.tolerance)} are tolerated" if score.tolerance else ""
    varies = f"{format_amount(name, score.deviation)} (standard deviation)"
    sentences.append(f"Windows of the baseline vary by {varies}{tolerated}.")
    if alarm.watch.family == "joint" and alarm.drifted_pairs:
        pairs = ", ".join(f"{printable(first)} with {printable(second)}" for first, second in alarm.drifted_pairs)
        sentences.append(f"Pairs whose joint distribution changed most: {pairs}.")
    return sentences


def _split_sentence(split: LossSplit, alarm: Alarm, *, is_told: bool) -> str:
    """How much of the change of a loss was expected: both parts add up to it."""
    verdict = _surprised(split.metric) if split.surprise >= split.difficulty else _expected(alarm)
    metric = lower_first(metric_title(split.metric))
    of = "Of this" if is_told else f"Of the change of the {metric} by {format_change(split.metric, split.change)}"
    who = "the model's own probabilities explain" if _states_confidence(split.metric) else "such inputs explain"
    return (
        f"{of} {who} {format_change(split.metric, split.difficulty)} and leave "
        f"{format_change(split.metric, split.surprise)} unexplained (surprise): {verdict}."
    )


def _expected(alarm: Alarm) -> str:
    """What a loss that was expected says of the traffic: that it is harder, only where inputs moved."""
    return "the traffic is harder" if inputs_moved(alarm) else EXPECTED


def _surprised(metric: str) -> str:
    """What a loss above the expected one says of the model."""
    if not _states_confidence(metric):
        return f"the {'errors' if _is_of_numbers(metric) else 'losses'} are larger than such inputs explain"
    return "the model is overconfident"


def _is_of_numbers(metric: str) -> bool:
    """Whether a loss is of predicted numbers."""
    return split_output(metric)[1].partition(":")[0] in _OF_NUMBERS


def _states_confidence(metric: str) -> bool:
    """Whether a loss is of answers that promise one: of probabilities, where what to expect is not learned instead."""
    return not split_output(metric)[0] and metric.partition(":")[0] not in _UNSTATED


def _class_at_fault(metric: str, parts: Sequence[SlicePart]) -> str | None:
    """The class or number that a loss is of, or that most of a mean's change comes from; None without one."""
    of_classes = [part for part in parts if part.column in (CLASS, NUMBER)]
    if not of_classes:
        return part_of(metric)
    change = math.fsum(part.loss for part in of_classes)
    most = of_classes[0]
    return most.slice.partition("=")[2] if most.loss > MOST_OF_CHANGE * change > 0.0 else None


def _part_sentences(alarm: Alarm, departure: Departure, parts: Sequence[SlicePart]) -> list[str]:
    """The one part that most of a change comes from, in its direction; the others are the incident's table.

    Calibration alarms for either sign of its own number, and its parts are those of a loss that rose.
    """
    sign = -1.0 if departure.change < 0.0 and alarm.watch.family != "calibration" else 1.0
    moved_so = [part for part in parts if sign * part.loss > 0.0]
    classes = [part for part in moved_so if part.column in (CLASS, NUMBER)]
    slices = [part for part in moved_so if part.column not in (CLASS, NUMBER)]
    largest = [max(some, key=lambda part: (abs(part.loss), part.slice)) for some in (classes, slices) if some]
    return [
        f"The largest part, {format_change(part.metric, part.loss)} of the {lower_first(metric_title(part.metric))}, "
        f"comes from {slice_title(part.slice)}."
        for part in largest[:1]
    ]


def _evidence_sentence(alarm: Alarm) -> str:
    """How certain it is, in the evidence of the detector that alarmed."""
    reading = alarm.reading
    log_evidence = reading.loss_log_evidence if reading.loss_alarm and not reading.alarm else reading.log_evidence
    evidence = math.exp(min(log_evidence, 700.0))
    shown = f"over {LARGEST_EVIDENCE:,}" if evidence > LARGEST_EVIDENCE else f"{evidence:,.0f}"
    threshold = f"{reading.level} threshold {alarm.threshold:,.0f}"
    return (
        f"How sure it is: evidence {shown} ({reading.team or threshold}), "
        f"{100 * alarm.share:.0f} % of it from the {_place(alarm.key)}."
    )


def _shift_of(alarm: Alarm, departure: Departure, shifts: Shifts) -> InputShift | None:
    """The shift of the input that an alarm is about, in its own unit; None where its quantiles do not show it."""
    watch, last = alarm.watch, alarm.key.watch.rpartition(":")[2]
    if watch.family != "inputs" or watch.feature is None or last not in ("location", "spread"):
        return None
    shift = shifts(watch.feature, "spread" if last == "spread" else "location")
    against = shift is not None and shift.rose is not None and shift.rose != (departure.change >= 0.0)
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


def _named(drift: InputDrift, alarm: Alarm, shifts: Shifts) -> str:
    """An input that drifted, with how it moved in its own unit."""
    shift, name = shifts(drift.input, _aspect(drift.input, alarm)), printable(drift.input)
    if shift is None:
        return name
    what = shift.what.replace(f" of {name}", "", 1).removeprefix("share = ")
    return f"{name} ({what} {shift.before} \N{RIGHTWARDS ARROW} {shift.now})"


def input_sentences(alarm: Alarm, detail: CauseDetail, shifts: Shifts) -> tuple[str, ...]:
    """The inputs that explain a rise; those that moved and explain little come after saying so.

    Returns:
        One sentence; none where no input is watched, or where the alarm is about the only one that moved.
    """
    rate = f"false discovery rate {100 * FALSE_DISCOVERY_RATE:.0f} %"
    if not detail.inputs:
        watched = any(watch.family == "inputs" for watch in alarm.baseline.watches.values())
        other = "other " if alarm.watch.feature else ""
        return (f"No {other}input moved since then ({rate}).",) if watched else ()
    explaining = [(drift, drift.explained or 0.0) for drift in detail.inputs]
    explaining = [(drift, part) for drift, part in explaining if part >= LEAST_EXPLAINED]
    if explaining:
        parts = ", ".join(
            f"{_named(drift, alarm, shifts)} explains {100 * part:.0f} % of the rise" for drift, part in explaining
        )
        return (f"Of the inputs that moved, {parts}.",)
    others = [drift for drift in detail.inputs if alarm.watch.feature != drift.input]
    named = ", ".join(_named(drift, alarm, shifts) for drift in others)
    if any(drift.explained is not None for drift in others):
        return (f"No input explains it, though some moved since then ({rate}): {named}.",)
    kind = "Other inputs" if alarm.watch.feature else "Inputs"
    return (f"{kind} that moved since then ({rate}): {named}.",) if others else ()


#: What to do where a model has become better.
_BETTER_STEP = (
    "check that labels are whole; if they are and it lasts, make a new baseline (`pitfalls monitor rebaseline`), so "
    "that a return is an alarm."
)

#: What to look at first where a rise was expected, by whether inputs moved.
_EXPECTED_STEPS = {
    True: "check whether this traffic is meant for this model.",
    False: "check the model's answers: its own confidence fell, and no input says why.",
}

#: What to look at first where answers moved and no input did.
_NEW_ANSWERS_STEP = (
    "check whether the same model answers, and in the same unit: no input says why its answers moved. If it was "
    "replaced on purpose, make a new baseline (`pitfalls monitor rebaseline`)."
)

#: What to look at first, by the family of the watch, where nothing else decides it.
_STEPS = {
    "estimates": "compare with the labels when they arrive; until then check what sends these requests.",
    "labels": "check the job that delivers labels; if they are right, what is predicted has become another.",
    "selection": "compare the inputs of these rows with those of all; labels say later whether the gap is an error.",
    "labelled": "check how these rows get their labels; losses over labelled rows are biased until then.",
}


def _next_step(alarm: Alarm, detail: CauseDetail) -> str:
    """What to look at first, by the family of the watch."""
    family, feature = alarm.watch.family, printable(alarm.watch.feature or "")
    if detail.split is not None and detail.split.surprise < detail.split.difficulty:
        return _EXPECTED_STEPS[bool(inputs_moved(alarm))]
    if family in ("performance", "surprise", "calibration"):
        return (
            "check the labels of its rows (`pitfalls monitor status --json`); if they are right, retrain or roll back."
        )
    if family in _STEPS:
        return _STEPS[family]
    if is_long_tailed(alarm.watch):
        return (
            f"check what the new values of {feature} are: codes that changed, or things that the model does not know."
        )
    if family == "integrity":
        return (
            f"check the pipeline that fills {feature}."
            if feature
            else "check the model's outputs for NaN and unknown classes."
        )
    day = alarm.windows[-1].start.astimezone(ZoneInfo(alarm.baseline.timezone))
    compare = f"compare the inputs with the baseline, `pitfalls monitor report --window {day:%Y-%m-%d}`."
    return _NEW_ANSWERS_STEP if family == "outputs" and inputs_moved(alarm) is False else compare


def _place(key: WatchKey) -> str:
    """A watch and its slice, to stand within a sentence."""
    name = lower_first(watch_title(key.watch))
    return f"{name} at {slice_title(key.slice)}" if key.slice else name


def _verb(change: float) -> str:
    return "rose" if change >= 0 else "fell"


def moved(metric: str, change: float) -> str:
    """Say how a metric changed.

    >>> moved("brier", 0.0123), moved("error", -0.0123), moved("brier", 0.0001)
    ('rose by 0.012', 'fell by 1.2 points', 'did not change')
    """
    amount = format_amount(metric, abs(change))
    return f"{_verb(change)} by {amount}" if any(digit in "123456789" for digit in amount) else "did not change"
