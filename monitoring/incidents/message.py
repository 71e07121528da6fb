"""The cause of an alarm in sentences: the object, the number, the threshold, the next step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from monitoring.incidents.alarm import Alarm
from monitoring.incidents.decomposition import CLASS, NUMBER
from monitoring.incidents.departure import Departure
from monitoring.incidents.input_drift import FALSE_DISCOVERY_RATE, LEAST_EXPLAINED, NAMED
from monitoring.incidents.input_shift import InputShift, Shifts, no_shifts
from monitoring.records import CauseDetail, InputDrift, LossSplit, SlicePart, WatchKey
from monitoring.tasks import ranking, regression, vector_regression
from monitoring.tasks.metrics import part_of
from monitoring.tasks.output_names import split_output
from monitoring.tasks.task import loss_of
from monitoring.watches.descriptions import (
    format_amount,
    format_change,
    format_value,
    lower_first,
    metric_title,
    printable,
    slice_title,
    watch_title,
)
from monitoring.watches.integrity import is_long_tailed

#: Begins what to do first.
NEXT_STEP = " Next step: "

#: From this share of the evidence on, a watch is named next to the first one.
SMALLEST_SHARE = 0.05

#: A class with more than this share of the change of a mean over classes is named.
MOST_OF_CHANGE = 0.5

#: Evidence beyond this says nothing more.
LARGEST_EVIDENCE = 1_000_000

#: What surprise is, for a message that has not said it yet.
SURPRISE = "Surprise is realised minus expected loss: a calibration gap."

#: Losses of predicted numbers and of rankings, which state no confidence.
_OF_NUMBERS = frozenset(metric.name for metric in (*regression.METRICS, *vector_regression.NUMBER_METRICS))
_UNSTATED = _OF_NUMBERS | frozenset(metric.name for metric in ranking.METRICS)

#: What a watch's number means, by the watch's name.
_SCALES = {
    "joint": "0.5 is no drift, 1 is complete separation from the baseline.",
    "embedding": "0.5 is no drift, 1 is complete separation from the baseline.",
    "location": "Location is the mean baseline quantile of the values: 0.5 is no shift.",
    "spread": "Spread is the mean of |2q - 1| over the values' baseline quantiles q: 0.5 is no change.",
}


def summary(alarm: Alarm, departure: Departure, detail: CauseDetail, shifts: Shifts = no_shifts) -> str:
    """The cause in a few words, with its number.

    Args:
        alarm: An alarm and its windows since the onset.
        departure: How far the watch has left its baseline.
        detail: The cause in numbers.
        shifts: How inputs moved in their own unit.

    Returns:
        Words that do not begin a sentence.
    """
    split = detail.split
    if split is not None and split.metric == loss_of(alarm.key.watch):
        if split.surprise >= split.difficulty:
            where = _class_at_fault(split.metric, detail.parts)
            kind = NUMBER if _is_of_numbers(split.metric) else CLASS
            at = "" if where is None else f" at {kind} {printable(where)}"
            return f"{_surprised(split.metric)}{at} (surprise {format_change(split.metric, split.surprise)})"
        return f"the traffic is harder (expected loss {format_change(split.metric, split.difficulty)})"
    if not departure.windows:
        return f"{_place(alarm.key)} changed"
    shift = _shift_of(alarm, departure, shifts)
    if shift is not None:
        return shift.summary
    level, expected = format_value(alarm.key.watch, departure.level), format_value(alarm.key.watch, departure.expected)
    return f"{_place(alarm.key)} {_verb(departure.change)} from {expected} to {level}"


def message(alarm: Alarm, departure: Departure, detail: CauseDetail, shifts: Shifts = no_shifts) -> str:
    """The whole cause, in sentences.

    Args:
        alarm: An alarm and its windows since the onset.
        departure: How far the watch has left its baseline.
        detail: The cause in numbers.
        shifts: How inputs moved in their own unit.

    Returns:
        Plain text; whatever came out of the traffic is printable.
    """
    shift = _shift_of(alarm, departure, shifts)
    sentences = [
        *(() if shift is None else (shift.sentence,)),
        _departure_sentence(alarm, departure),
        *_scale_sentences(alarm),
    ]
    if detail.split is not None:
        sentences.append(_split_sentence(detail.split))
    sentences += [
        _parts_sentence(column, list(parts)) for column, parts in groupby(detail.parts, key=lambda part: part.column)
    ]
    if alarm.watch.family == "joint" and alarm.drifted_pairs:
        pairs = ", ".join(f"{printable(one)} with {printable(other)}" for one, other in alarm.drifted_pairs)
        sentences.append(f"Pairs whose joint distribution changed most: {pairs}.")
    sentences += [_share_sentence(alarm), *_input_sentences(alarm, detail, shifts)]
    text = " ".join(sentences)
    if "surprise" in text.casefold() and "realised minus expected" not in text:
        text = f"{text} {SURPRISE}"
    return f"{text}{NEXT_STEP}{_next_step(alarm, detail)}"


def _departure_sentence(alarm: Alarm, departure: Departure) -> str:
    score, name, day = alarm.baseline.scores[alarm.key], alarm.key.watch, _day(departure.start, alarm)
    title = _place(alarm.key)
    title = title[0].upper() + title[1:]
    windows = f"{departure.windows} window{'' if departure.windows == 1 else 's'}"
    averaged = (
        f"averaged {format_value(alarm.key.watch, departure.level)} over {windows}"
        if departure.windows
        else "was not scored"
    )
    cycle = f" at the same time of the {score.cycle}" if score.cycle else ""
    return (
        f"{title} {averaged} since {day}; baseline {format_value(alarm.key.watch, departure.expected)}{cycle} "
        f"(standard deviation between windows {format_amount(name, score.deviation)}, "
        f"tolerance {format_amount(name, score.tolerance)})."
    )


def _scale_sentences(alarm: Alarm) -> list[str]:
    """What the watch's number means, where its name does not say it."""
    if alarm.watch.family == "labelled":
        return ["The gap is the share of these rows among labelled rows minus their share among all rows: 0 is no gap."]
    last = alarm.key.watch.rpartition(":")[2]
    if alarm.watch.family in ("joint", "inputs", "labels") and last in _SCALES:
        return [_SCALES[last]]
    return []


def _split_sentence(split: LossSplit) -> str:
    metric, name = split.metric, lower_first(metric_title(split.metric))
    verdict = (
        _surprised(split.metric)
        if split.surprise >= split.difficulty
        else "the traffic is harder, and the model expected most of the rise"
    )
    gap = "realised minus expected loss" + (", a calibration gap" if _states_confidence(metric) else "")
    return (
        f"The expected {name} {moved(metric, split.difficulty)} and the realised one {moved(metric, split.change)}, "
        f"so surprise ({gap}) {moved(metric, split.surprise)}: {verdict}."
    )


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


def _parts_sentence(column: str, parts: Sequence[SlicePart]) -> str:
    metric = parts[0].metric
    if column in (CLASS, NUMBER):
        named = ", ".join(f"{slice_title(part.slice)} {format_change(metric, part.loss)}" for part in parts[:NAMED])
        return f"By {column}, of which the {lower_first(metric_title(metric))} is the mean: {named}."
    mix, own, change = (
        format_change(metric, math.fsum(numbers))
        for numbers in (
            [part.mix for part in parts],
            [part.loss for part in parts],
            [number for part in parts for number in (part.mix, part.loss)],
        )
    )
    largest = sorted(parts, key=lambda part: (-abs(part.loss), part.slice))[:NAMED]
    named = ", ".join(f"{slice_title(part.slice)} {format_change(metric, part.loss)}" for part in largest)
    return (
        f"Over all labelled rows the {lower_first(metric_title(metric))} changed by {change}; by {printable(column)}, "
        f"{mix} comes from another mix of values and {own} from the values' own losses ({named})."
    )


def _share_sentence(alarm: Alarm) -> str:
    level, evidence = alarm.reading.level, alarm.reading.evidence
    shown = f"over {LARGEST_EVIDENCE:,}" if evidence > LARGEST_EVIDENCE else f"{evidence:,.0f}"
    others = [_place(key) for key, share in alarm.reading.shares[1 : NAMED + 1] if share >= SMALLEST_SHARE]
    following = f"; next: {', '.join(others)}" if others else ""
    return (
        f"The {level} evidence is {shown} (threshold {alarm.threshold:,.0f}), and this watch contributes "
        f"{100 * alarm.share:.0f} % of it{following}."
    )


def _shift_of(alarm: Alarm, departure: Departure, shifts: Shifts) -> InputShift | None:
    """The shift of the input that an alarm is about, in its own unit; None where its quantiles do not show it."""
    watch, last = alarm.watch, alarm.key.watch.rpartition(":")[2]
    if watch.family != "inputs" or watch.feature is None or last not in ("location", "spread"):
        return None
    shift = shifts(watch.feature, "spread" if last == "spread" else "location")
    against = shift is not None and shift.rose is not None and shift.rose != (departure.change >= 0.0)
    return None if against else shift


def _named(one: InputDrift, shifts: Shifts) -> str:
    """An input that drifted, with how it moved in its own unit."""
    shift, name = shifts(one.input, "location"), printable(one.input)
    if shift is None:
        return name
    what = shift.what.replace(f" of {name}", "", 1).removeprefix("share = ")
    return f"{name} ({what} {shift.before} \N{RIGHTWARDS ARROW} {shift.now})"


def _input_sentences(alarm: Alarm, detail: CauseDetail, shifts: Shifts) -> list[str]:
    rate = f"false discovery rate {100 * FALSE_DISCOVERY_RATE:.0f} %"
    if detail.inputs:
        named = ", ".join(_named(one, shifts) for one in detail.inputs)
        explaining = [one for one in detail.inputs if (one.explained or 0.0) >= LEAST_EXPLAINED]
        order = "what explains most of the rise" if explaining else "largest change"
        sentences = [f"Inputs that drifted since then, {order} first ({rate}): {named}."]
        if explaining:
            parts = ", ".join(f"{printable(one.input)} {100 * (one.explained or 0.0):.0f} %" for one in explaining)
            sentences.append(f"Part of the rise that would be gone with the baseline's shares of its values: {parts}.")
        elif any(one.explained is not None for one in detail.inputs):
            sentences.append("They explain little of the rise.")
        return sentences
    if any(watch.family == "inputs" for watch in alarm.baseline.watches.values()):
        return [f"No input drifted since then ({rate})."]
    return []


#: What to look at first, by the family of the watch, where nothing else decides it.
_STEPS = {
    "estimates": "compare with the labels when they arrive; until then check what sends these requests.",
    "labels": "check the job that delivers labels; if they are right, what is predicted has become another.",
    "labelled": "check how these rows get their labels; losses over labelled rows are biased until then.",
}


def _next_step(alarm: Alarm, detail: CauseDetail) -> str:
    """What to look at first, by the family of the watch."""
    family, feature = alarm.watch.family, printable(alarm.watch.feature or "")
    if detail.split is not None and detail.split.surprise < detail.split.difficulty:
        return "check whether this traffic is meant for this model."
    if family in ("performance", "surprise", "calibration"):
        return (
            "check the labels of the rows that `pitfalls monitor status --json` lists for this incident; if they are "
            "right, retrain or roll back."
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
    return f"compare the inputs with the baseline, `pitfalls monitor report --window {day:%Y-%m-%d}`."


def _place(key: WatchKey) -> str:
    """A watch and its slice, to stand within a sentence."""
    name = lower_first(watch_title(key.watch))
    return f"{name} at {slice_title(key.slice)}" if key.slice else name


def _verb(change: float) -> str:
    return "rose" if change >= 0 else "fell"


def moved(metric: str, change: float) -> str:
    """Say how a metric changed.

    Args:
        metric: The metric's name.
        change: Its change in its own unit.

    Returns:
        A verb with the amount.

    >>> moved("brier", 0.0123), moved("error", -0.0123), moved("brier", 0.0001)
    ('rose by 0.012', 'fell by 1.2 points', 'did not change')
    """
    amount = format_amount(metric, abs(change))
    return f"{_verb(change)} by {amount}" if any(digit in "123456789" for digit in amount) else "did not change"


def _day(moment: datetime, alarm: Alarm) -> str:
    return f"{moment.astimezone(ZoneInfo(alarm.baseline.timezone)):%-d %B %Y}"
