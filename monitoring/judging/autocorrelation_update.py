"""Re-estimates the AR(1) coefficients of a level's watches from live windows without incidents."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from monitoring.evidence.level import LevelState, LevelTest
from monitoring.evidence.level_shift import ar1_without_shift
from monitoring.records import IncidentRecord, Level, ScoreHistory, Watch, WatchKey
from monitoring.traffic.expected_events import NO_EVENTS, EventCalendar

_NO_SCORES = (np.zeros(0, dtype=np.int64), np.zeros(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class AutocorrelationUpdate:
    """Re-estimates the AR(1) coefficients of one level."""

    test: LevelTest
    watches: Mapping[str, Watch]
    phases: Callable[[datetime], Mapping[str, int]]
    calendar: EventCalendar = NO_EVENTS

    def estimate(self, history: ScoreHistory, incidents: Sequence[IncidentRecord]) -> dict[WatchKey, float]:
        """Estimate from the baseline and the live windows in which no incident was open.

        Windows before and after an incident are separate segments. The windows that led to an alarm count, as it is not
        known which they are.

        Args:
            incidents: The level's incidents, without those opened by facts.
        """
        expected = [
            self.calendar.at(start, end) is not None for start, end in zip(history.starts, history.ends, strict=True)
        ]
        segments = quiet_segments(history, incidents, expected)
        phases = [self.phases(start) for start in history.starts]
        live = {}
        for key, test in self.test.tests.items():
            windows, values = history.scores.get(key, _NO_SCORES)
            if test.observed_variance_ratio < 1.0 or not windows.size:
                continue
            watch = self.watches[key.watch]
            scores = (values - watch.offset) / watch.scale
            if key in self.test.seasonality:
                scores = scores - [self.test.seasonality[key].offset(phases[at]) for at in windows.tolist()]
            segment_numbers = segments[windows]
            live[key] = [
                scores[segment_numbers == segment] for segment in np.unique(segment_numbers[segment_numbers >= 0])
            ]
        baseline = {key: np.asarray(test.calibration_scores) for key, test in self.test.tests.items()}
        return ar1_without_shift(baseline, live)


def quiet_segments(
    history: ScoreHistory, incidents: Sequence[IncidentRecord], expected: Sequence[bool] = ()
) -> NDArray[np.int64]:
    """Number the segments of windows between incidents and expected events.

    >>> day = [datetime(2013, 4, day) for day in range(1, 6)]
    >>> history = ScoreHistory(starts=tuple(day[:4]), ends=tuple(day[1:]), scores={})
    >>> quiet_segments(history, ()).tolist()
    [0, 0, 0, 0]

    Args:
        expected: Whether each window touches an expected event, [n]; empty for none.

    Returns:
        The segment of each window, int64 [n]; -1 where an incident was open at its end, and in expected events.
    """
    disturbed = np.zeros(len(history.ends), dtype=np.bool_)
    if expected:
        disturbed |= np.asarray(expected)
    for incident in incidents:
        closed = incident.closed_at
        disturbed |= [incident.opened_at <= end and (closed is None or end <= closed) for end in history.ends]
    return np.where(disturbed, -1, np.cumsum(disturbed))


class UpdatedTests:
    """The tests of all levels with the AR(1) coefficients of their states. The last of each level is kept."""

    def __init__(self, tests: Mapping[Level, LevelTest]) -> None:
        self._tests = tests
        self._cache: dict[Level, tuple[Mapping[WatchKey, float], LevelTest]] = {}

    def at(self, states: Mapping[Level, LevelState]) -> dict[Level, LevelTest]:
        """The test of each level with the coefficients of its state; without a state, as fitted to the baseline."""
        tests = {}
        for level, test in self._tests.items():
            ar1 = states[level].ar1 if level in states else {}
            entry = self._cache.get(level)
            if entry is None or entry[0] is not ar1:
                entry = self._cache[level] = (ar1, test.with_ar1(ar1))
            tests[level] = entry[1]
        return tests
