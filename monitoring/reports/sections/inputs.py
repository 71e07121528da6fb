"""Each input's distance from the baseline, window by window: the largest of its watches."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from monitoring.records import WHOLE, BaselineScore, IncidentRecord, ScoreRecord, WindowRecord
from monitoring.watches.descriptions import printable

#: What the watches of one input are called before its name; those of the answers, and of all inputs together.
_INPUT_KINDS = ("input:", "missing:", "unseen:")
_ANSWERS = ("output:", "prediction:", "unusable")

#: The keys of what is no single input: the answers, and all inputs together.
ANSWERS: Final = "answers"
JOINT: Final = "joint"

_TITLES = {ANSWERS: "Predictions", JOINT: "All inputs together"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """An input, the answers, or all inputs together, and how far it has moved over the last windows.

    Attributes:
        key: ``input:NAME``, `ANSWERS` or `JOINT`.
        watches: The baselines of its watches, [n].
        strongest: The baseline of the watch that moved most.
        mean: Mean of that watch over the last windows, in its own unit; None where it has no score there.
        effect: Distance of that mean from the baseline, in the unit of `effect_of`.
    """

    key: str
    watches: tuple[BaselineScore, ...]
    strongest: BaselineScore
    mean: float | None
    effect: float

    @property
    def name(self) -> str:
        """The input's name; empty for what is no single input."""
        return self.key.partition(":")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class InputPoint:
    """An input in one window: the score of the watch that is farthest from its baseline.

    Attributes:
        start: When the window begins.
        score: That score.
        effect: Its distance from the baseline, in the unit of `effect_of`.
        log_evidence: The largest log evidence of the input's watches.
    """

    start: datetime
    score: ScoreRecord
    effect: float
    log_evidence: float


def effect_of(value: float, known: BaselineScore) -> float:
    """The distance of a value from the baseline.

    Args:
        value: The value, in the watch's own unit.
        known: The watch's baseline.

    Returns:
        The distance in standard deviations between the baseline's windows, seasonality included as in the value, or in
        tolerances where these are larger.
    """
    return abs(value - known.mean) / max(known.seasonal_deviation, known.tolerance, 1e-9)


def inputs_of(last: Sequence[WindowRecord], baseline: Sequence[BaselineScore]) -> tuple[Input, ...]:
    """Every input by the size of its change over the last windows, the largest first.

    Args:
        last: The last windows, with their scores.
        baseline: The baseline scores.

    Returns:
        One for each input that has a baseline.
    """
    values: dict[str, list[float]] = {}
    for window in last:
        for one in window.scores:
            if one.slice == WHOLE and one.value is not None:
                values.setdefault(one.watch, []).append(one.value)
    names = {one.watch.partition(":")[2] for one in baseline if one.watch.startswith(("missing:", "unseen:"))}
    by_key: dict[str, list[BaselineScore]] = {}
    for known in baseline:
        key = None if known.slice != WHOLE else _key_of(known.watch, names)
        if key is not None:
            by_key.setdefault(key, []).append(known)
    found = [_moved(key, watches, values) for key, watches in by_key.items()]
    return tuple(sorted(found, key=lambda one: (-one.effect, one.key)))


def points_by_input(
    inputs: Sequence[Input], scores: Mapping[datetime, Sequence[ScoreRecord]]
) -> dict[str, tuple[InputPoint, ...]]:
    """Some inputs window by window; every score is looked at once.

    Args:
        inputs: The inputs.
        scores: Scores by the start of their window, in order of time; those of other watches are left out.

    Returns:
        As `input_points` has them, by the input's key.
    """
    of_watch = {(known.watch, known.slice): one.key for one in inputs for known in one.watches}
    split: dict[str, dict[datetime, list[ScoreRecord]]] = {one.key: {} for one in inputs}
    for start, of_window in scores.items():
        for score in of_window:
            key = of_watch.get((score.watch, score.slice))
            if key is not None:
                split[key].setdefault(start, []).append(score)
    return {one.key: input_points(one, split[one.key]) for one in inputs}


def input_points(one: Input, scores: Mapping[datetime, Sequence[ScoreRecord]]) -> tuple[InputPoint, ...]:
    """An input window by window.

    Args:
        one: The input.
        scores: Scores by the start of their window, in order of time; those of other watches are left out.

    Returns:
        A point for each window in which one of its watches has a score.
    """
    known = {baseline.watch: baseline for baseline in one.watches}
    points = []
    for start, of_window in scores.items():
        best, largest, evidence = None, -1.0, -math.inf
        for score in of_window:
            baseline = known.get(score.watch)
            if baseline is None or score.value is None:
                continue
            effect = effect_of(score.value, baseline)
            evidence = max(evidence, score.log_evidence)
            if effect > largest:
                best, largest = score, effect
        if best is not None:
            points.append(InputPoint(start=start, score=best, effect=largest, log_evidence=evidence))
    return tuple(points)


def input_title(one: Input) -> str:
    """An input's name for people."""
    return _TITLES.get(one.key) or printable(one.name)


def alarms_of(one: Input, incidents: Sequence[IncidentRecord]) -> tuple[IncidentRecord, ...]:
    """The incidents that a watch of an input, or a fact about it, opened, or whose cause names the input."""
    watches = {known.watch for known in one.watches}
    return tuple(
        incident
        for incident in incidents
        if incident.watch in watches or (one.name and one.name in _inputs_named_by(incident))
    )


def _inputs_named_by(incident: IncidentRecord) -> set[str]:
    """The inputs of a fact, or those that moved."""
    return {*incident.inputs_of_fact, *(part.input for part in incident.detail.inputs)}


def _key_of(watch: str, names: set[str]) -> str | None:
    """The key of the input that a watch is about, of the inputs that are known; None for a watch of something else."""
    if watch == JOINT:
        return JOINT
    if watch.startswith(_ANSWERS):
        return ANSWERS
    kind = next((kind for kind in _INPUT_KINDS if watch.startswith(kind)), None)
    if kind is None:
        return None
    rest = watch.removeprefix(kind)
    if kind != "input:":
        return f"input:{rest}"
    whole = rest.removesuffix(":location").removesuffix(":spread")
    if whole != rest and whole in names:
        return f"input:{whole}"
    parts = rest.split("=")
    candidates = ("=".join(parts[:place]) for place in range(len(parts), 0, -1))
    return f"input:{next((name for name in candidates if name in names), whole if whole != rest else parts[0])}"


def _moved(key: str, watches: Sequence[BaselineScore], values: Mapping[str, list[float]]) -> Input:
    strongest, mean, largest = watches[0], None, 0.0
    for known in watches:
        scored = values.get(known.watch)
        if not scored:
            continue
        middle = math.fsum(scored) / len(scored)
        effect = effect_of(middle, known)
        if mean is None or effect > largest:
            strongest, mean, largest = known, middle, effect
    return Input(key=key, watches=tuple(watches), strongest=strongest, mean=mean, effect=largest)
