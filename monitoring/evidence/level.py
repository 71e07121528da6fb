"""The test of one level: the evidence of all its watches under one false-alarm budget, as a state and a step."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from monitoring.evidence.budget import Budget, log_level_evidence, ranking
from monitoring.evidence.conformal import ConformalTest, WatchState
from monitoring.evidence.seasonality import Seasonality
from monitoring.records import Level, ScoreSum, WatchKey

#: For a window whose phase in any period is unknown.
NO_PHASES: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelState:
    """The state of a level's test between windows.

    Attributes:
        watches: The state of each watch.
        pending: The rows pooled until there are `min_rows`.
        windows: Windows since the test began or the level last alarmed.
        ar1: The AR(1) coefficients that live windows have updated (`monitoring.evidence.autocorrelation`).
        offsets: Levels of open incidents: how far each watch's score stood from its baseline when the level last
            alarmed, from where further changes are measured.
        log_scale: Calibration of the level's evidence (`monitoring.evidence.calibration`); None until it is known.

    >>> LevelState.from_text(LevelState().to_text()) == LevelState()
    True
    """

    watches: Mapping[WatchKey, WatchState] = field(default_factory=dict)
    pending: Mapping[WatchKey, ScoreSum] = field(default_factory=dict)
    windows: int = 0
    ar1: Mapping[WatchKey, float] = field(default_factory=dict)
    offsets: Mapping[WatchKey, float] = field(default_factory=dict)
    log_scale: float | None = None

    def to_text(self) -> str:
        """The state as a JSON document, floats as exact hexadecimal text. Keys are those that stores already hold."""
        document: dict[str, object] = {
            "windows": self.windows,
            "watches": [[key.watch, key.slice, self.watches[key].to_text()] for key in sorted(self.watches, key=str)],
            "pending": [
                [key.watch, key.slice, self.pending[key].rows, self.pending[key].total]
                for key in sorted(self.pending, key=str)
            ],
            "memories": [[key.watch, key.slice, self.ar1[key].hex()] for key in sorted(self.ar1, key=str)],
        }
        if self.offsets:
            offsets = [[key.watch, key.slice, self.offsets[key].hex()] for key in sorted(self.offsets, key=str)]
            document["offsets"] = offsets
        if self.log_scale is not None:
            document["log_scale"] = self.log_scale.hex()
        return json.dumps(document)

    @classmethod
    def from_text(cls, text: str) -> LevelState:
        """The inverse of `to_text`."""
        document = json.loads(text)
        log_scale = document.get("log_scale")
        return cls(
            watches={
                WatchKey(watch=watch, slice=part): WatchState.from_text(state)
                for watch, part, state in document["watches"]
            },
            pending={
                WatchKey(watch=watch, slice=part): ScoreSum(rows, total)
                for watch, part, rows, total in document["pending"]
            },
            windows=document["windows"],
            ar1={WatchKey(watch=watch, slice=part): float.fromhex(ar1) for watch, part, ar1 in document["memories"]},
            offsets={
                WatchKey(watch=watch, slice=part): float.fromhex(offset)
                for watch, part, offset in document.get("offsets", ())
            },
            log_scale=None if log_scale is None else float.fromhex(log_scale),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchReading:
    """One watch after one window: its mean score, None while rows are too few, and its evidence."""

    key: WatchKey
    rows: int
    score: float | None
    log_evidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelReading:
    """A level after one window: its evidence, every watch, the watches ranked by their share, and whether it alarms.

    `adjusted_alarm` is whether the watches that harder traffic does not raise alarm by themselves.
    """

    level: Level
    log_evidence: float
    watches: tuple[WatchReading, ...]
    shares: tuple[tuple[WatchKey, float], ...]
    alarm: bool
    adjusted_alarm: bool = True

    @property
    def evidence(self) -> float:
        """E_w; the level alarms at the budget's threshold."""
        return math.exp(min(self.log_evidence, 700.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelTest:
    """The test of one level: one `ConformalTest` per watch, and each watch's share of the budget.

    Give it the state's AR(1) coefficients (`with_ar1`) before it steps. A watch whose rows, with those pooled from
    earlier windows, are fewer than `min_rows` (or its own number in `pooled_rows`) is not evaluated and keeps its
    state; its rows are pooled with those of the next window, whose phase then counts. The order of rows, shards and
    watches does not matter: sums are integers, and the level's evidence is summed exactly.

    Some watches rise with the difficulty of the traffic while the model is as right as before. Of a level with such
    ones the others have weights of their own, `adjusted_shares`, which sum to 1; empty otherwise. Their evidence is an
    e-detector that harder traffic leaves alone, and the level's evidence is the larger of the two. Source of adjusting
    for the mix of cases: Steiner et al., *Monitoring surgical performance using risk-adjusted cumulative sum charts*
    (2000).
    """

    level: Level
    budget: Budget
    tests: Mapping[WatchKey, ConformalTest]
    shares: Mapping[WatchKey, float]
    min_rows: int
    seasonality: Mapping[WatchKey, Seasonality] = field(default_factory=dict)
    pooled_rows: Mapping[WatchKey, int] = field(default_factory=dict)
    adjusted_shares: Mapping[WatchKey, float] = field(default_factory=dict)

    def rows_needed(self, key: WatchKey) -> int:
        """The rows, pooled ones included, from which on a watch is evaluated; at least 1."""
        return max(self.pooled_rows.get(key, self.min_rows), 1)

    def step(
        self, state: LevelState, sums: Mapping[WatchKey, ScoreSum], phases: Mapping[str, int] = NO_PHASES
    ) -> tuple[LevelState, LevelReading]:
        """One window on. Cost: microseconds per watch, whatever the window's size.

        Args:
            state: The state before the window.
            sums: The window's score sums of each watch.
            phases: The window's phase in each period.

        Returns:
            The state after the window, and the level's reading.
        """
        watches = dict(state.watches)
        pending: dict[WatchKey, ScoreSum] = {}
        readings = []
        for key, test in self.tests.items():
            pooled = state.pending.get(key, ScoreSum()) + sums.get(key, ScoreSum())
            watch = watches.get(key) or test.initial_state()
            score = None
            if pooled.rows >= self.rows_needed(key):
                score = pooled.mean
                tested, offset = self.adjusted_score(key, score, phases), state.offsets.get(key, 0.0)
                watch = test.step(watch, tested, pooled.rows, offset=offset)
            elif pooled.rows:
                pending[key] = pooled
            watches[key] = watch
            readings.append(WatchReading(key=key, rows=pooled.rows, score=score, log_evidence=watch.log_evidence))
        evidences = {reading.key: reading.log_evidence for reading in readings}
        log_scale, threshold = state.log_scale or 0.0, math.log(self.budget.threshold)
        log_evidence = adjusted = log_level_evidence(evidences, self.shares) + log_scale
        if self.adjusted_shares:
            adjusted = log_level_evidence(evidences, self.adjusted_shares) + log_scale
            log_evidence = max(log_evidence, adjusted)
        reading = LevelReading(
            level=self.level,
            log_evidence=log_evidence,
            watches=tuple(readings),
            shares=ranking(evidences, self.shares),
            alarm=log_evidence >= threshold,
            adjusted_alarm=adjusted >= threshold,
        )
        return replace(state, watches=watches, pending=pending, windows=state.windows + 1), reading

    def adjusted(self) -> LevelTest:
        """The level of the watches that harder traffic does not raise."""
        if not self.adjusted_shares:
            return self
        tests = {key: self.tests[key] for key in self.adjusted_shares}
        return replace(self, tests=tests, shares=self.adjusted_shares, adjusted_shares={})

    def with_ar1(self, coefficients: Mapping[WatchKey, float]) -> LevelTest:
        """The same test with other AR(1) coefficients for some watches."""
        if not coefficients:
            return self
        return replace(
            self, tests={key: test.with_ar1(coefficients.get(key, test.ar1)) for key, test in self.tests.items()}
        )

    def adjusted_score(self, key: WatchKey, score: float, phases: Mapping[str, int]) -> float:
        """A watch's score without its seasonality, as the test takes it."""
        return score - self.seasonality[key].offset(phases) if key in self.seasonality else score

    def restarted(
        self,
        state: LevelState,
        *,
        offsets: Mapping[WatchKey, float] | None = None,
        keys: Collection[WatchKey] | None = None,
    ) -> LevelState:
        """The state after an alarm or after an incident was closed: no evidence, no live windows to compare with.

        Pooled rows, the updated AR(1) coefficients, the calibration and each watch's previous score are kept.

        Args:
            state: The state before.
            offsets: The new offsets of some watches, 0 to test against the baseline again; the others keep theirs.
            keys: The watches that are restarted; None for all.

        Returns:
            The state to go on with.
        """
        new = {**state.offsets, **(offsets or {})}
        watches = dict(state.watches)
        for key in self.tests if keys is None else keys:
            if key in watches:
                watches[key] = self.tests[key].initial_state(last_score=watches[key].last_score)
        return replace(
            state,
            watches=watches,
            windows=state.windows if keys is not None else 0,
            offsets={key: offset for key, offset in new.items() if offset},
        )
