"""What quiet traffic adds to what a baseline could tell of how long windows remember."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from monitoring.evidence.autocorrelation import level_ar1
from monitoring.evidence.level import LevelState, LevelTest
from monitoring.records import IncidentRecord, Level, ScoreHistory, Watch, WatchKey


@dataclass(frozen=True, slots=True, kw_only=True)
class AutocorrelationUpdate:
    """Learns the memories of one level's watches from its baseline and from windows that were judged.

    `phases` tells the places of the window that begins at a time in each cycle.
    """

    test: LevelTest
    watches: Mapping[str, Watch]
    phases: Callable[[datetime], Mapping[str, int]]

    def learn(self, judged: ScoreHistory, incidents: Sequence[IncidentRecord]) -> dict[WatchKey, float]:
        """The memory of each watch. Windows in which one of the `incidents` was alive do not count.

        What stands before one and what comes after it are segments of their own. The windows that led to an alarm do
        count: which they are is not known.
        """
        stretch = quiet_segments(judged, incidents)
        places = [self.phases(start) for start in judged.starts]
        traffic = {}
        for key, test in self.test.tests.items():
            windows, values = judged.scores.get(key, _NONE)
            if test.innovation_std <= test.min_std or not windows.size:
                continue
            watch = self.watches[key.watch]
            scores = (values - watch.offset) / watch.scale
            if key in self.test.seasonality:
                scores = scores - [self.test.seasonality[key].offset(places[at]) for at in windows.tolist()]
            mine = stretch[windows]
            traffic[key] = [scores[mine == number] for number in np.unique(mine[mine >= 0])]
        return level_ar1({key: np.asarray(test.calibration_scores) for key, test in self.test.tests.items()}, traffic)


_NONE = (np.zeros(0, dtype=np.int64), np.zeros(0))


def quiet_segments(judged: ScoreHistory, incidents: Sequence[IncidentRecord]) -> NDArray[np.int64]:
    """The number of the quiet stretch that each window is in, [windows]; -1 where an incident was alive.

    >>> day = [datetime(2013, 4, day) for day in range(1, 6)]
    >>> judged = ScoreHistory(starts=tuple(day[:4]), ends=tuple(day[1:]), scores={})
    >>> quiet_segments(judged, ()).tolist()
    [0, 0, 0, 0]
    """
    alive = np.zeros(len(judged.ends), dtype=np.bool_)
    for one in incidents:
        closed = one.closed_at
        alive |= [one.opened_at <= end and (closed is None or end <= closed) for end in judged.ends]
    numbers = np.cumsum(alive)
    return np.where(alive, -1, numbers)


class UpdatedTests:
    """Levels' tests with the memories that their states have learnt, each made when it is wanted first."""

    def __init__(self, tests: Mapping[Level, LevelTest]) -> None:
        self._tests = tests
        self._made: dict[Level, tuple[Mapping[WatchKey, float], LevelTest]] = {}

    def at(self, states: Mapping[Level, LevelState]) -> dict[Level, LevelTest]:
        """Every level's test as its state has it."""
        found = {}
        for level, test in self._tests.items():
            memories = states[level].ar1 if level in states else {}
            made = self._made.get(level)
            if made is None or made[0] is not memories:
                made = self._made[level] = (memories, test.with_ar1(memories))
            found[level] = made[1]
        return found
