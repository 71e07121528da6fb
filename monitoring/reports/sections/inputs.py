"""Each input's distance from the baseline, window by window: the largest of its watches."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from monitoring.records import WHOLE, BaselineScore, ColumnNote, IncidentRecord, ScoreSeries, WatchKey, WindowRecord
from monitoring.watches.descriptions import printable

#: What the watches of one input are called before its name; those of the answers, and of all inputs together.
_INPUT_KINDS = ("input:", "missing:", "unseen:")
_ANSWERS = ("output:", "prediction:", "unusable")

#: The keys of what is no single input: the answers, and all inputs together, or their embedding.
ANSWERS: Final = "answers"
JOINT: Final = "joint"
EMBEDDING: Final = "embedding"

#: A number, or an array of numbers.
Distance = TypeVar("Distance", float, NDArray[np.float64])

NO_NOTE: Final = ColumnNote()
NO_NOTES: Final[Mapping[str, ColumnNote]] = MappingProxyType({})

_TITLES = {ANSWERS: "Predictions", JOINT: "All inputs together", EMBEDDING: "Embedding"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """An input, the answers, or all inputs together, and how far it has moved over the last windows.

    Attributes:
        key: ``input:NAME``, `ANSWERS`, `JOINT` or `EMBEDDING`.
        watches: The baselines of its watches, [n].
        mean: Mean of that watch over the last windows, in its own unit; None where it has no score there.
    """

    key: str
    watches: tuple[BaselineScore, ...]
    strongest: BaselineScore
    mean: float | None
    effect: float
    note: ColumnNote = NO_NOTE

    @property
    def name(self) -> str:
        """The input's name; empty for what is no single input."""
        return self.key.partition(":")[2]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InputSeries:
    """An input in each of n windows: the score of the watch that is farthest from its baseline.

    Attributes:
        seconds: The same in seconds since 1970, float64 [n].
        farthest: Which of them is farthest, int64 [n].
        values: Its score in its own unit, float64 [n].
        effects: Its distance from the baseline, in the unit of `effect_of`, float64 [n].
        log_evidence: The largest log evidence of the input's watches, float64 [n].
    """

    starts: Sequence[datetime]
    seconds: NDArray[np.float64]
    watches: Sequence[str]
    farthest: NDArray[np.int64]
    values: NDArray[np.float64]
    effects: NDArray[np.float64]
    log_evidence: NDArray[np.float64]

    def rows(self, latest: int | None = None) -> list[tuple[datetime, str, float, float, float]]:
        """Start, watch, value, effect and log evidence of each window, or of the latest, in order of time."""
        first = 0 if latest is None else max(0, len(self.starts) - latest)
        names = [self.watches[place] for place in self.farthest[first:]]
        numbers = (series[first:].tolist() for series in (self.values, self.effects, self.log_evidence))
        return list(zip(self.starts[first:], names, *numbers, strict=True))


def effect_of(value: Distance, baseline: BaselineScore) -> Distance:
    """The distance of a value from the baseline.

    Returns:
        The distance, or that of each, in standard deviations between the baseline's windows, seasonality included as in
        the value, or in tolerances where these are larger.
    """
    return abs(value - baseline.mean) / max(baseline.seasonal_deviation, baseline.tolerance, 1e-9)


def inputs_of(
    last: Sequence[WindowRecord], baseline: Sequence[BaselineScore], columns: Mapping[str, ColumnNote] = NO_NOTES
) -> tuple[Input, ...]:
    """Every input by the size of its change over the last windows, the largest first."""
    values: dict[str, list[float]] = {}
    for window in last:
        for score in window.scores:
            if score.slice == WHOLE and score.value is not None:
                values.setdefault(score.watch, []).append(score.value)
    names = {score.watch.partition(":")[2] for score in baseline if score.watch.startswith(("missing:", "unseen:"))}
    by_key: dict[str, list[BaselineScore]] = {}
    for baseline_score in baseline:
        key = None if baseline_score.slice != WHOLE else _key_of(baseline_score.watch, names)
        if key is not None:
            by_key.setdefault(key, []).append(baseline_score)
    inputs = [replace(_moved(key, watches, values), note=_note(key, names, columns)) for key, watches in by_key.items()]
    return tuple(sorted(inputs, key=lambda watched_input: (-watched_input.effect, watched_input.key)))


def _note(key: str, names: set[str], columns: Mapping[str, ColumnNote]) -> ColumnNote:
    """The words on an input, or on the column that it describes, whose unit it does not have."""
    name = key.partition(":")[2]
    source = name.rpartition(".")[0]
    if name in columns or source in names:
        return columns.get(name, NO_NOTE)
    return ColumnNote(description=columns.get(source, NO_NOTE).description)


def series_of(windows: Sequence[WindowRecord], inputs: Sequence[Input]) -> ScoreSeries:
    """The scores of some inputs' watches on the whole traffic."""
    watches = {baseline_score.watch for watched_input in inputs for baseline_score in watched_input.watches}
    arrays: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
    for place, window in enumerate(windows):
        for score in window.scores:
            if score.value is None or score.slice != WHOLE or score.watch not in watches:
                continue
            if score.watch not in arrays:
                arrays[score.watch] = (np.full(len(windows), math.nan), np.full(len(windows), math.nan))
            values, logs = arrays[score.watch]
            values[place], logs[place] = score.value, score.log_evidence
    return ScoreSeries.of(
        [window.start for window in windows],
        {WatchKey(watch=watch): values for watch, (values, _) in arrays.items()},
        {WatchKey(watch=watch): logs for watch, (_, logs) in arrays.items()},
    )


def input_series(watched_input: Input, scores: ScoreSeries) -> InputSeries:
    """An input window by window."""
    scored = [baseline for baseline in watched_input.watches if WatchKey(watch=baseline.watch) in scores.values]
    keys = [WatchKey(watch=baseline.watch) for baseline in scored]
    shape = (len(keys), len(scores.starts))
    values, evidence = (np.reshape([of[key] for key in keys], shape) for of in (scores.values, scores.log_evidence))
    there = ~np.isnan(values)
    places = np.flatnonzero(there.any(axis=0))
    effects = np.reshape([effect_of(of, baseline) for of, baseline in zip(values, scored, strict=True)], shape)
    farthest = np.where(there, effects, -1.0)[:, places].argmax(axis=0) if keys else places
    every = len(places) == len(scores.starts)
    return InputSeries(
        starts=scores.starts if every else [scores.starts[place] for place in places],
        seconds=scores.seconds[places],
        watches=[baseline.watch for baseline in scored],
        farthest=farthest,
        values=values[farthest, places],
        effects=effects[farthest, places],
        log_evidence=np.where(there, evidence, -np.inf).max(axis=0, initial=-np.inf)[places],
    )


def input_title(watched_input: Input) -> str:
    """An input's name for people, with its unit."""
    unit = f" [{printable(watched_input.note.unit)}]" if watched_input.note.unit else ""
    return _TITLES.get(watched_input.key) or f"{printable(watched_input.name)}{unit}"


def alarms_of(watched_input: Input, incidents: Sequence[IncidentRecord]) -> tuple[IncidentRecord, ...]:
    """The incidents that a watch of an input, or a fact about it, opened, or whose cause names the input."""
    watches = {baseline_score.watch for baseline_score in watched_input.watches}
    return tuple(
        incident
        for incident in incidents
        if incident.watch in watches or (watched_input.name and watched_input.name in _inputs_named_by(incident))
    )


def _inputs_named_by(incident: IncidentRecord) -> set[str]:
    """The inputs of a fact, those that moved, or those of a subgroup."""
    subgroup = incident.detail.subgroup
    chosen = () if subgroup is None else (condition.input for condition in subgroup.conditions)
    return {*incident.subjects, *(part.input for part in incident.detail.inputs), *chosen}


def _key_of(watch: str, names: set[str]) -> str | None:
    """The key of the input that a watch is about, of the inputs that are known; None for a watch of something else."""
    if watch in {JOINT, EMBEDDING}:
        return watch
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
    for baseline_score in watches:
        scored = values.get(baseline_score.watch)
        if not scored:
            continue
        middle = math.fsum(scored) / len(scored)
        effect = effect_of(middle, baseline_score)
        if mean is None or effect > largest:
            strongest, mean, largest = baseline_score, middle, effect
    return Input(key=key, watches=tuple(watches), strongest=strongest, mean=mean, effect=largest)
