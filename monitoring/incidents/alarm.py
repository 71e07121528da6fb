"""An alarm of one level: what was read, in which windows, and the baseline that they are compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np

from monitoring.evidence.level import LevelReading
from monitoring.records import BaselineScore, Level, ScoreSum, Watch, WatchKey, WindowRecord
from monitoring.tasks.task import MATERIAL


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentBaseline:
    """What every window of a deployment is compared with.

    Attributes:
        expected: What the baseline expects of a watch in the window that begins at a time, its daily or weekly cycle
            included, in the watch's own unit.
        timezone: IANA name of the zone in which days are named.
        worst_months: How far the worst month of the baseline lies above its mean beyond chance, of losses where one
            does, in the watch's own unit.
        horizon: How long labels of a row are waited for.
    """

    scores: Mapping[WatchKey, BaselineScore]
    losses: Mapping[WatchKey, ScoreSum]
    watches: Mapping[str, Watch]
    expected: Callable[[WatchKey, datetime], float]
    thresholds: Mapping[Level, float]
    timezone: str
    worst_months: Mapping[WatchKey, float] = field(default_factory=dict)
    horizon: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A level whose evidence has reached its threshold.

    Attributes:
        windows: Windows in order of time; the last one alarmed.
        offsets: Levels of open incidents from which changes are measured, by watch, in the watch's own unit.
        explained: By input, the part of the change of the alarm's loss that it explains; empty where it is not known.
        labels_of_others: The number of an open notice that labels come for other rows than the baseline's, or have
            other shares; 0 without one.
    """

    reading: LevelReading
    notice: LevelReading
    windows: tuple[WindowRecord, ...]
    baseline: DeploymentBaseline
    drifted_pairs: tuple[tuple[str, str], ...] = ()
    offsets: Mapping[WatchKey, float] = field(default_factory=dict)
    waiting: Mapping[WatchKey, ScoreSum] = field(default_factory=dict)
    labels_expected: bool = False
    explained: Mapping[str, float] = field(default_factory=dict)
    labels_of_others: int = 0

    @property
    def key(self) -> WatchKey:
        """The watch and slice with the largest share of the level's evidence; the loss, where it is a material rise."""
        largest = self.reading.shares[0][0]
        return replace(largest, watch=largest.watch.removeprefix(MATERIAL))

    @property
    def is_material(self) -> bool:
        """Whether a material rise of a loss has the largest share of the level's evidence."""
        return self.reading.shares[0][0].watch.startswith(MATERIAL)

    @property
    def share(self) -> float:
        """The share of `key` in the level's evidence, in [0, 1]."""
        return self.reading.shares[0][1]

    @property
    def watch(self) -> Watch:
        """The watch of `key`."""
        return self.baseline.watches[self.key.watch]

    @property
    def threshold(self) -> float:
        """The evidence at which this level alarms."""
        return self.baseline.thresholds[self.reading.level]

    def excess(self, window: WindowRecord, key: WatchKey) -> float | None:
        """How far a watch lies above what the baseline expects of it in this window.

        Returns:
            The difference in the watch's own unit; None where the window has no score of it.
        """
        value = score_of(window, key)
        return None if value is None else value - self.baseline.expected(key, window.start)


def score_of(window: WindowRecord, key: WatchKey) -> float | None:
    """The score of a watch in a window, in the watch's own unit; None where the window has none."""
    score = window.scores_by_key.get((key.watch, key.slice))
    return None if score is None else score.value


def rows_of(window: WindowRecord, key: WatchKey) -> int:
    """The rows of a watch in a window; 0 where the window has none."""
    score = window.scores_by_key.get((key.watch, key.slice))
    return 0 if score is None else score.rows


#: Windows of history searched for the onset.
HISTORY = 90


def since_onset(alarm: Alarm) -> Alarm:
    """The same alarm with the windows since the onset only: at least one."""
    recent = alarm.windows[-HISTORY:]
    return replace(alarm, windows=recent[onset(replace(alarm, windows=recent)) :])


def onset(alarm: Alarm) -> int:
    """The window in which a shift of the mean that lasts to the end is likeliest to have begun.

    Of all runs of last windows, the one whose excess over the baseline's expectation, or over the level of an
    open incident, has the largest sum² / n. For a
    one-sided watch only rises count. Source: Hinkley, *Inference about the change-point in a sequence of random
    variables* (1970).

    Returns:
        A place in `alarm.windows`; 0 where there are none. Where a score is of several windows, whose rows were too few
        each, the place is that of the first of them.
    """
    rises = [alarm.excess(window, alarm.key) for window in alarm.windows]
    offset = alarm.offsets.get(alarm.key, 0.0)
    excess = np.array([0.0 if value is None else value - offset for value in rises])
    scored = np.array([value is not None for value in rises], dtype=np.float64)
    sums = np.cumsum(excess[::-1])[::-1]
    if alarm.watch.direction == "up":
        sums = np.maximum(sums, 0.0)
    gain = sums**2 / np.maximum(np.cumsum(scored[::-1])[::-1], 1.0)
    return _first_of_pool(alarm, int(np.argmax(np.where(scored > 0.0, gain, -1.0)))) if excess.size else 0


def _first_of_pool(alarm: Alarm, place: int) -> int:
    """The first of the windows whose rows make up the score of a window."""
    first = place
    for before in range(place - 1, -1, -1):
        window = alarm.windows[before]
        if score_of(window, alarm.key) is not None:
            break
        first = before if rows_of(window, alarm.key) else first
    return first
