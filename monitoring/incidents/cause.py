"""The first cause of an alarm, in plain words: what rose, since when, was the traffic harder, what moved with it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

import numpy as np

from monitoring.evidence.level import LevelReading
from monitoring.incidents.decomposition import added, decomposed, divided
from monitoring.records import (
    SCORE_ONE,
    BaselineScore,
    CauseDetail,
    InputMove,
    LossSplit,
    ScoreSum,
    SlicePart,
    Watch,
    WatchKey,
    WindowRecord,
)
from monitoring.watches.descriptions import METRICS, printable, slice_words, watch_words, within_sentence

#: Inputs and watches named in a message.
NAMED = 3

#: Windows of history searched for the onset.
HISTORY = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What opened an incident: the watch and slice with the largest share, a short cause and the whole message.

    `rise` is how far the watch has been from its baseline since the onset, in its own unit, to either side.
    """

    watch: str
    slice: str
    cause: str
    message: str
    rise: float = 0.0
    detail: CauseDetail = field(default_factory=CauseDetail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a deployment's windows are explained by.

    `losses` are the sums of the losses over all labelled rows of the baseline, whole and by slice; `pairs` of inputs
    are those whose combination has changed most, as the joint watch sees it. `usual` is what the baseline
    expects of a watch in the window that begins at a time, its cycle included. An input is said to have moved once the
    evidence of one of its watches is `moving` or more, enough for an alarm if nothing else were watched.
    """

    baseline: Mapping[WatchKey, BaselineScore]
    losses: Mapping[WatchKey, ScoreSum]
    watches: Mapping[str, Watch]
    timezone: str
    moving: float
    usual: Callable[[WatchKey, datetime], float]
    pairs: tuple[tuple[str, str], ...] = ()


def explain(
    reading: LevelReading,
    moved: LevelReading,
    *,
    history: Sequence[WindowRecord],
    known: Known,
) -> Cause:
    """Explain an alarm from its level's reading, the notice level's (for the inputs), and the windows so far."""
    baseline, watches = known.baseline, known.watches
    top, share = reading.shares[0]
    recent = list(history[-HISTORY:])
    onset = _onset(recent, top, known)
    since = recent[onset:]
    pairs = [(value, known.usual(top, w.start)) for w in since if (value := _value(w, top)) is not None]
    was = baseline[top]
    zone = ZoneInfo(known.timezone)
    watch = watches[top.watch]
    name = _place(top)
    level, usual = (float(np.mean(side)) for side in zip(*pairs, strict=True)) if pairs else (math.nan, was.mean)
    now, then = _signed(level, watch), _signed(usual, watch)
    if was.cycle:
        then += f" at these times of the {was.cycle}"
    day = _day(since[0].start, zone)
    sentences = [
        f"{name[0].upper()}{name[1:]} averaged {now} over {_windows(len(pairs))} since {day}.",
        f"In the baseline it was {then} (between windows ± {was.deviation:.3f}; {was.tolerance:.3f} is forgiven).",
    ]
    cause = f"{name} {'rose' if watch.direction == 'up' else 'moved'}"
    split = None
    if watch.family in ("performance", "surprise"):
        split = _split(since, known, metric=top.watch.removeprefix("surprise_"), part=top.slice)
    if split is not None:
        cause = "the model is wrong" if split.surprise >= split.difficulty else "the traffic got harder"
        sentences.append(_split_words(split))
    parts = _parts(since, known.losses, metric=top.watch.removeprefix("surprise_"))
    sentences += [_parts_words(column, list(group)) for column, group in groupby(parts, key=lambda part: part.column)]
    if watch.family == "joint" and known.pairs:
        named = ", ".join(f"{printable(one)} with {printable(other)}" for one, other in known.pairs)
        sentences.append(f"Pairs whose combinations changed most: {named}.")
    if watch.family == "labelled":
        sentences.append("It is their share of the labelled rows less their share of all: 0 while labels come alike.")
    others = [_place(key) for key, part in reading.shares[1 : NAMED + 1] if part >= 0.05]
    sentences.append(f"It carries {share:.0%} of the evidence" + (f"; next: {', '.join(others)}." if others else "."))
    inputs = _inputs(moved, watches, known.moving)
    if inputs:
        sentences.append(f"Inputs that moved most: {', '.join(printable(one.input) for one in inputs)}.")
    elif any(watch.family == "inputs" for watch in watches.values()):
        sentences.append("No input has moved enough for an alarm of its own.")
    rise = abs(level - usual) if pairs else 0.0
    detail = CauseDetail(split=split, parts=parts, inputs=inputs)
    return Cause(watch=top.watch, slice=top.slice, cause=cause, message=" ".join(sentences), rise=rise, detail=detail)


def _onset(history: Sequence[WindowRecord], key: WatchKey, known: Known) -> int:
    """The window in which a move to another level, that lasts to the end, is likeliest to have begun.

    Of all last windows, those whose excess over what the baseline expects has the largest sum² / n. Source: Hinkley,
    *Inference about the change-point in a sequence of random variables* (1970).
    """
    values = [(window, _value(window, key)) for window in history]
    excess = np.array([0.0 if value is None else value - known.usual(key, window.start) for window, value in values])
    there = np.array([value is not None for _, value in values], dtype=np.float64)
    sums = np.cumsum(excess[::-1])[::-1]
    if known.watches[key.watch].direction == "up":
        sums = np.maximum(sums, 0.0)
    gathered = sums**2 / np.maximum(np.cumsum(there[::-1])[::-1], 1.0)
    return int(np.argmax(np.where(there > 0.0, gathered, -1.0))) if excess.size else 0


def _split(since: Sequence[WindowRecord], known: Known, *, metric: str, part: str) -> LossSplit | None:
    """Change of a loss as change of difficulty plus change of surprise: exact, as the loss is their sum."""
    loss_key, surprise_key = WatchKey(watch=metric, slice=part), WatchKey(watch=f"surprise_{metric}", slice=part)
    if loss_key not in known.baseline or surprise_key not in known.baseline:
        return None
    pairs = [
        (loss - known.usual(loss_key, window.start), surprise - known.usual(surprise_key, window.start))
        for window in since
        if (loss := _value(window, loss_key)) is not None and (surprise := _value(window, surprise_key)) is not None
    ]
    if not pairs:
        return None
    loss, surprise = (float(np.mean(side)) for side in zip(*pairs, strict=True))
    return LossSplit(metric=metric, difficulty=loss - surprise, surprise=surprise)


def _split_words(split: LossSplit) -> str:
    taken = "harder" if split.difficulty > 0 else "easier"
    return (
        f"The {within_sentence(METRICS[split.metric])} changed by {split.change:+.3f}: "
        f"the model expected {split.difficulty:+.3f} of that (it took the traffic to be {taken}), "
        f"and {split.surprise:+.3f} came as a surprise (it was wrong)."
    )


def _parts(since: Sequence[WindowRecord], known: Mapping[WatchKey, ScoreSum], *, metric: str) -> tuple[SlicePart, ...]:
    """For each sliced column, how much of the change of a loss its mix explains, and which slices' own loss does."""
    if metric not in METRICS:
        return ()
    now = added(since, metric, SCORE_ONE)
    columns = sorted({key.slice.partition("=")[0] for key in known if key.slice})
    return tuple(
        part
        for column in columns
        for part in decomposed(
            divided(known, metric, column), divided(now, metric, column), metric=metric, column=column
        )
    )


def _parts_words(column: str, parts: Sequence[SlicePart]) -> str:
    mix, change = math.fsum(part.mix for part in parts), math.fsum(part.total for part in parts)
    own = sorted(parts, key=lambda part: (-abs(part.loss), part.slice))[:NAMED]
    named = ", ".join(f"{slice_words(part.slice)} {part.loss:+.3f}" for part in own)
    return (
        f"By {printable(column)}, over all labelled rows: {change:+.3f}, of which {mix:+.3f} because values came "
        f"in other shares, the rest from their own {within_sentence(METRICS[parts[0].metric])}: {named}."
    )


def _inputs(moved: LevelReading, watches: Mapping[str, Watch], moving: float) -> tuple[InputMove, ...]:
    """The inputs with most evidence of movement, each once, of those with enough to be said to have moved."""
    found: dict[str, InputMove] = {}
    for key, evidence in sorted(
        ((r.key, r.log_evidence) for r in moved.watches), key=lambda pair: (-pair[1], str(pair[0]))
    ):
        watch = watches[key.watch]
        if watch.family == "inputs" and watch.feature and math.log(moving) <= evidence < math.inf:
            found.setdefault(watch.feature, InputMove(input=watch.feature, log_evidence=evidence))
    return tuple(found.values())[:NAMED]


def _value(window: WindowRecord, key: WatchKey) -> float | None:
    for score in window.scores:
        if score.watch == key.watch and score.slice == key.slice:
            return score.value
    return None


def _signed(value: float, watch: Watch) -> str:
    return f"{value:+.3f}" if watch.offset < 0 else f"{value:.3f}"


def _windows(count: int) -> str:
    return f"{count} window{'' if count == 1 else 's'}"


def _day(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%-d %B %Y}"


def _place(key: WatchKey) -> str:
    """The watch in words, and where, to stand within a sentence."""
    name = within_sentence(watch_words(key.watch))
    return f"{name} at {slice_words(key.slice)}" if key.slice else name
