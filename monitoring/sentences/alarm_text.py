"""An alarm in sentences: the user's metric, what proved it, what moved with it, how sure it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

from monitoring.records import (
    LOSS_FAMILIES,
    AlarmCause,
    BinnedNumber,
    Condition,
    InputShift,
    LossSplit,
    MetricChange,
    MovedInput,
    NoticeReason,
    Onset,
    TeamEvidence,
    WatchKey,
)
from monitoring.records.finding_parts import GrossRate
from monitoring.sentences.finding_text import finding_text
from monitoring.tasks import ranking, regression, vector_regression
from monitoring.tasks.output_names import split_output
from monitoring.watches.descriptions import (
    format_amount,
    format_change,
    format_move,
    is_rank,
    lower_first,
    metric_title,
    plain_number,
    printable,
    slice_title,
    watch_title,
)

#: Evidence beyond this says nothing more.
LARGEST_EVIDENCE = 1_000_000

#: Characters of a batch's name, and of a category's.
LONGEST_BATCH, LONGEST_CATEGORY = 60, 40

#: Inputs that the one line of joint drift names.
NAMED_INPUTS = 2

#: Families of watches that move as inputs do.
_OF_INPUTS = frozenset({"joint", "outputs", "labels"})

#: What an expected rise is, by whether an input moved: answers that lost their confidence expect one, too.
_EXPECTED = {
    True: "the traffic is harder",
    False: "the answers let expect most of it, though no input moved beyond doubt",
    None: "the answers let expect most of it; no input is watched",
}

#: Losses of predicted numbers and of rankings, which state no confidence.
_OF_NUMBERS = frozenset(metric.name for metric in (*regression.METRICS, *vector_regression.NUMBER_METRICS))
_UNSTATED = _OF_NUMBERS | frozenset(metric.name for metric in ranking.METRICS)

#: Why an alarm is a notice, where it needs no number.
_REASONS = {
    "not worse": "no loss is worse than the benchmark by more than its tolerance",
    "better": "better than the benchmark",
    "harder traffic": "harder traffic, model as right as before",
    "not certain": "more than harder traffic explains, not certain yet",
    "no labels yet": "expected by the model, no labels yet",
    "within twice the tolerance": "estimated to be no worse than twice the tolerance",
}

#: What a watch's number means, by the watch's name.
_SCALES = {
    "joint": "0.5 is no drift, 1 is complete separation from the baseline.",
    "embedding": "0.5 is no drift, 1 is complete separation from the baseline.",
    "location": "That is the mean of the values' quantiles in the baseline (location): 0.5 is no shift.",
    "spread": "That is the mean of |2q - 1| over the values' baseline quantiles q: 0.5 is no change.",
}

#: What a headline says in place of a ranking loss, and what it means.
_RANKED = ("Ranking loss", "AUC", "against the baseline")
_RANKING = "AUC against the baseline is the share of the baseline's other rows that score lower (50 % by chance)."

_ARROW = "\N{RIGHTWARDS ARROW}"


def alarm_line(alarm: AlarmCause, wrong_at: Sequence[Condition] = ()) -> str:
    """The cause in one line: the user's metric from, to and since when, and what it means for the model.

    Args:
        wrong_at: What rows meet in which alone more answers are wrong than before.
    """
    first = alarm_headline(alarm, wrong_at)
    if alarm.reason is not None:
        return f"{first}: {reason_words(alarm.reason)}"
    if alarm.family == "calibration":
        return f"{first}: {lower_first(_calibration_sentence(alarm)).rstrip('.')}"
    if alarm.family in _OF_INPUTS:
        return f"{first}{_moved_words(alarm)}"
    if alarm.split is None or alarm.family not in LOSS_FAMILIES:
        return first
    if alarm.split.is_expected:
        return f"{first}: {_expected(alarm)}"
    at = "" if alarm.part is None else f" at {alarm.part.kind} {printable(alarm.part.name)}"
    return f"{first}: {_surprised(alarm.split.metric)}{at}"


def _moved_words(alarm: AlarmCause) -> str:
    """The inputs that moved with it, in few words, else pairs of them; empty where neither is known."""
    if alarm.inputs:
        more = f" and {len(alarm.inputs) - NAMED_INPUTS} more" if len(alarm.inputs) > NAMED_INPUTS else ""
        return f": inputs that moved: {', '.join(map(_input_words, alarm.inputs[:NAMED_INPUTS]))}{more}"
    pairs = ", ".join(f"{printable(first)} with {printable(second)}" for first, second in alarm.pairs[:NAMED_INPUTS])
    return f": inputs that moved together: {pairs}" if pairs else ""


def alarm_sentences(alarm: AlarmCause) -> tuple[str, ...]:
    """What follows the headline: why it is a notice, what proved it, its parts, the inputs, and how sure it is."""
    reason = reason_words(alarm.reason) if alarm.reason is not None else ""
    return (
        *((f"{reason[0].upper()}{reason[1:]}.",) if reason else ()),
        *_proof_sentences(alarm),
        *_part_sentences(alarm),
        *input_sentences(alarm),
        _evidence_sentence(alarm),
        *(() if alarm.renaming is None else (finding_text(alarm.renaming),)),
    )


def reassessed_sentences(alarm: AlarmCause) -> tuple[str, ...]:
    """What is known of the cause of an open incident some windows later: its metric, its largest part, its inputs."""
    return (f"{alarm_headline(alarm)}.", *_part_sentences(alarm), *input_sentences(alarm))


def alarm_headline(alarm: AlarmCause, wrong_at: Sequence[Condition] = ()) -> str:
    """The first sentence, without its full stop: of a loss in the user's metric, of an input in its own unit.

    `wrong_at`: as of `alarm_line`.
    """
    since = onset_words(alarm.since)
    if not alarm.changes:
        title = _place(alarm.key)
        return f"{title[0].upper()}{title[1:]} changed since {since}"
    first, *others = alarm.changes
    rows = f"{first.rows:,} row{'' if first.rows == 1 else 's'}"
    if alarm.shift is not None:
        moved = _shift_summary(alarm.shift)
        window = "" if alarm.shift.what == "constant" else " in the last window"
        return f"{moved[0].upper()}{moved[1:]}{window}; drift since {since} ({rows}){_where(alarm, wrong_at)}"
    moves = ", ".join((_move(first, is_first=True), *(_move(change, is_first=False) for change in others)))
    same = f", against the same time of the {alarm.cycle}" if alarm.cycle else ""
    return f"{moves} since {since} ({rows}{same}){_where(alarm, wrong_at)}{_new_words(alarm)}"


def _where(alarm: AlarmCause, wrong_at: Sequence[Condition]) -> str:
    """The segment in which an input moved alone, or from which most of a loss comes, in a clause."""
    if not alarm.segment:
        return f", mostly where {printable(' and '.join(map(str, wrong_at)))}" if wrong_at else ""
    return f", {'mostly' if alarm.family in LOSS_FAMILIES else 'only'} where {slice_title(alarm.segment)}"


def _new_words(alarm: AlarmCause) -> str:
    """The values of the last window that the baseline does not have, in a clause; empty where none is known."""
    parts = None if alarm.renaming is None else alarm.renaming.parts
    values = parts.values if isinstance(parts, GrossRate) else ()
    named = ", ".join(f"`{printable(value.name)}` in {value.rows:,}" for value in values)
    return f": {named} of {parts.rows:,} in the last window" if isinstance(parts, GrossRate) and named else ""


def _move(change: MetricChange, *, is_first: bool) -> str:
    if change.auc is not None:
        return f"AUC {1.0 - change.before:.3f} {_ARROW} {change.auc:.3f}"
    key, title = change.key, watch_title(change.key.watch)
    place = f" at {slice_title(key.slice)}" if key.slice and is_first else ""
    if title.startswith(_RANKED[0]):
        name = title.replace(*_RANKED[:2])
        return f"{name} {_RANKED[2]}{place} {1.0 - change.before:.3f} {_ARROW} {1.0 - change.now:.3f}"
    return f"{title if is_first else lower_first(title)}{place} {format_move(key.watch, change.before, change.now)}"


def onset_words(since: Onset) -> str:
    """The day on which a change began; its time too, where windows are shorter than a day. Of a batch its name."""
    if since.batch is not None:
        return f"batch {printable(since.batch, LONGEST_BATCH)}"
    return moment_day(since.start, with_time=since.has_time)


def moment_day(moment: datetime, *, with_time: bool = False) -> str:
    """A day as a message names it.

    >>> moment_day(datetime(2013, 10, 9, 14)), moment_day(datetime(2013, 10, 9, 14), with_time=True)
    ('9 October 2013', '9 October 2013 14:00')
    """
    return f"{moment:%-d %B %Y %H:%M}" if with_time else f"{moment:%-d %B %Y}"


def reason_words(reason: NoticeReason) -> str:
    """Why an alarm is a notice.

    >>> reason_words(NoticeReason(kind="better"))
    'better than the benchmark'
    """
    if reason.kind == "what is known":
        return _known_words(reason)
    if reason.kind == "outside the reference":
        return f"estimated outside the reference ({100 * reason.outside:.0f} % of rows are unlike any of it)"
    if reason.kind == "labels of other rows":
        return f"labels come for other rows than before, see #{reason.incident}, and answers let expect this of them"
    return _REASONS[reason.kind]


def _known_words(reason: NoticeReason) -> str:
    rose = f"{lower_first(watch_title(reason.metric))} {format_change(reason.metric, reason.rise)}"
    if reason.expected is not None:
        rose += f", of which the model expected {format_change(reason.metric, reason.expected)}"
    moved = {None: "no input is watched", True: "inputs moved", False: "no input moved"}
    return f"{rose}; {moved[reason.inputs_moved]}"


def _proof_sentences(alarm: AlarmCause) -> list[str]:
    """What proved the change: of a loss that it is no expected one, of another watch how it usually varies."""
    if alarm.family not in LOSS_FAMILIES:
        return _scale_sentences(alarm)
    sentences = []
    if any(change.auc is None and is_rank(split_output(change.key.watch)[1]) for change in alarm.changes):
        sentences.append(_RANKING)
    if alarm.material is not None:
        amount = format_amount(alarm.key.watch, alarm.material)
        sentences.append(f"A rise by more than {amount} is a page whatever explains it.")
    if alarm.family == "calibration":
        sentences.append(_calibration_sentence(alarm))
    if alarm.is_estimate:
        sentences.append("No label has arrived since then: this is an estimate.")
    elif alarm.family == "estimates":
        sentences.append("This is an estimate: it does not wait for the labels of these rows.")
    elif alarm.delay is not None:
        sentences.append(
            f"That is when labels arrived, half of them within {alarm.delay.days} days: the rows are from about "
            f"{moment_day(alarm.delay.rows_since)} on."
        )
    if alarm.proof is not None:
        is_told = bool(alarm.changes) and alarm.proof.metric == alarm.changes[0].key.watch
        sentences.append(_split_sentence(alarm.proof, alarm, is_told=is_told))
    return sentences


def _calibration_sentence(alarm: AlarmCause) -> str:
    """What a watch on the calibration of probabilities says."""
    watch, change = alarm.key.watch, alarm.change
    if watch.startswith("residual:"):
        gap = change if alarm.level is None else alarm.level
        side = "more" if gap >= 0.0 else "less"
        name = printable(watch.removeprefix("residual:"))
        return (
            f"Class {name} is {format_amount(watch, abs(gap))} {side} frequent than its calibrated probabilities say."
        )
    return f"The probabilities are {'not sure enough' if change >= 0.0 else 'too sure'} (calibration slope)."


def _scale_sentences(alarm: AlarmCause) -> list[str]:
    """What the watch's number means, where its name does not say it, and how it varies in the baseline."""
    name, last = alarm.key.watch, alarm.key.watch.rpartition(":")[2]
    sentences = []
    if alarm.shift is not None and alarm.level is not None:
        sentences.append(f"{watch_title(name)} {format_move(name, alarm.expected, alarm.level)}.")
    if alarm.family == "labelled":
        sentences.append("This is the share of these rows among labelled rows minus their share among all rows.")
    if alarm.family == "selection":
        sentences.append("This is how often the model chooses the last class for these rows, minus how often for all.")
    if alarm.family in ("joint", "inputs", "labels") and last in _SCALES:
        sentences.append(_SCALES[last])
    tolerated = f", and {format_amount(name, alarm.tolerance)} are tolerated" if alarm.tolerance else ""
    varies = f"{format_amount(name, alarm.deviation)} (standard deviation)"
    sentences.append(f"Windows of the baseline vary by {varies}{tolerated}.")
    if alarm.pairs:
        pairs = ", ".join(f"{printable(first)} with {printable(second)}" for first, second in alarm.pairs)
        sentences.append(f"Pairs whose joint distribution changed most: {pairs}.")
    return sentences


def _split_sentence(split: LossSplit, alarm: AlarmCause, *, is_told: bool) -> str:
    """How much of the change of a loss was expected: both parts add up to it."""
    verdict = _expected(alarm) if split.is_expected else _surprised(split.metric)
    metric = lower_first(metric_title(split.metric))
    of = "Of this" if is_told else f"Of the change of the {metric} by {format_change(split.metric, split.change)}"
    who = "the model's own probabilities explain" if _states_confidence(split.metric) else "such inputs explain"
    return (
        f"{of} {who} {format_change(split.metric, split.difficulty)} and leave "
        f"{format_change(split.metric, split.surprise)} unexplained: {verdict}."
    )


def _expected(alarm: AlarmCause) -> str:
    """What a loss that was expected says of the traffic: that it is harder, only where inputs moved."""
    return _EXPECTED[alarm.inputs_moved]


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


def _part_sentences(alarm: AlarmCause) -> tuple[str, ...]:
    part = alarm.largest
    if part is None:
        return ()
    amount, metric = format_change(part.metric, part.loss), lower_first(metric_title(part.metric))
    return (f"The largest part, {amount} of the {metric}, comes from {slice_title(part.slice)}.",)


def _evidence_sentence(alarm: AlarmCause) -> str:
    """How certain it is, in the evidence of the detector that alarmed."""
    found = alarm.evidence
    evidence = math.exp(found.log_evidence)
    shown = f"over {LARGEST_EVIDENCE:,}" if evidence > LARGEST_EVIDENCE else f"{evidence:,.0f}"
    threshold = f"{found.level} threshold {found.threshold:,.0f}" if found.team is None else _team_words(found.team)
    return (
        f"How sure it is: evidence {shown} ({threshold}), {100 * found.share:.0f} % of it from the {_place(alarm.key)}."
    )


def _team_words(team: TeamEvidence) -> str:
    """Why a deployment of a team is paged."""
    if team.log_evidence is None:
        return "its team's evidence, at an earlier window"
    return (
        f"its team's evidence {math.exp(team.log_evidence):,.0f} (threshold {team.threshold:,.0f}: {team.budget}), "
        f"{100 * team.share:.0f} % of it from this deployment, {team.others} others named"
    )


def input_sentences(alarm: AlarmCause) -> tuple[str, ...]:
    """The inputs that explain a rise; those that moved and explain little come after saying so.

    Returns:
        One sentence; none where no input is watched, or where the alarm is about the only one that moved.
    """
    rate = f"false discovery rate {100 * alarm.discovery_rate:.0f} %"
    if not alarm.inputs:
        other = "other " if alarm.feature else ""
        if alarm.inputs_moved:
            return (f"No {other}input moved by itself since then ({rate}), but inputs together did.",)
        return (f"No {other}input moved since then ({rate}).",) if alarm.inputs_watched else ()
    explaining = [moved for moved in alarm.inputs if moved.explains]
    if explaining:
        parts = ", ".join(
            f"{_input_words(moved)} explains {100 * (moved.explained or 0.0):.0f} % of the rise" for moved in explaining
        )
        return (f"Of the inputs that moved, {parts}.",)
    others = [moved for moved in alarm.inputs if alarm.feature != moved.input]
    named = ", ".join(map(_input_words, others))
    if any(moved.explained is not None for moved in others):
        return (f"No input explains it, though some moved since then ({rate}): {named}.",)
    kind = "Other inputs" if alarm.feature else "Inputs"
    return (f"{kind} that moved since then ({rate}): {named}.",) if others else ()


def _input_words(moved: MovedInput) -> str:
    """An input that drifted, with how it moved in its own unit."""
    name, shift = printable(moved.input), moved.shift
    if shift is None:
        return name
    if shift.what == "constant":
        return f"{name} ({_constant_value(shift)} in all {shift.rows:,} values)"
    before, now = _shift_values(shift)
    what = {
        "median": "median",
        "middle half": "middle half",
        "category": printable(shift.category, LONGEST_CATEGORY),
        "unseen": "unseen values",
    }[shift.what]
    return f"{name} ({what} {before} {_ARROW} {now})"


def _shift_summary(shift: InputShift) -> str:
    """The change of an input in a few words: *median of age rose from 38 to 51*."""
    name = printable(shift.input)
    if shift.what == "constant":
        return (
            f"{name} is {_constant_value(shift)} in all {shift.rows:,} values of the window "
            f"({_usual(shift)} in the baseline)"
        )
    what = {
        "median": f"median of {name}",
        "middle half": f"middle half of {name}",
        "category": f"share of {name} = {printable(shift.category, LONGEST_CATEGORY)}",
        "unseen": f"unseen values of {name}",
    }[shift.what]
    verb = "changed" if shift.rose is None else "rose" if shift.rose else "fell"
    before, now = _shift_values(shift)
    return f"{what} {verb} from {before} to {now}"


def _constant_value(shift: InputShift) -> str:
    """The value that all rows have; a number with all of its digits."""
    if shift.category:
        return printable(shift.category, LONGEST_CATEGORY)
    return f"{shift.now[0].value:,.15g}"


def _usual(shift: InputShift) -> str:
    """What the baseline has in place of a constant."""
    if shift.category:
        return f"{100.0 * shift.before[0].value:.1f} %"
    return f"median {_range_words(shift.before)}"


def _shift_values(shift: InputShift) -> tuple[str, str]:
    """Both values; a median beyond the outermost edge is not known: the edge is said, with the mean."""
    if shift.what in ("category", "unseen"):
        before, now = (f"{100.0 * side[0].value:.1f} %" for side in (shift.before, shift.now))
        return before, now
    before, now = (_range_words(side) for side in (shift.before, shift.now))
    if shift.what == "median" and shift.now[0].beyond:
        mean = "" if shift.mean is None else f"; the mean is {plain_number(shift.mean)}"
        now = f"{now} (the {'highest' if shift.rose else 'lowest'} bin edge of the baseline{mean})"
    return before, now


def _range_words(ends: Sequence[BinnedNumber]) -> str:
    """A quantile, or where the middle half of the values lies; in short where all of it is beyond one edge."""
    words = dict.fromkeys(f"{end.beyond} {plain_number(end.value)}".strip() for end in ends)
    return " \N{EN DASH} ".join(words)


def _place(key: WatchKey) -> str:
    """A watch and its slice, to stand within a sentence."""
    name = lower_first(watch_title(key.watch))
    return f"{name} at {slice_title(key.slice)}" if key.slice else name
