"""The test of one level: the evidence of all its watches under one false-alarm budget, as a state and a step."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType

import numpy as np

from monitoring.evidence.betting import log_evidences
from monitoring.evidence.budget import Budget, log_level_evidence, ranking
from monitoring.evidence.conformal import ConformalTest, ConformalTests, WatchState
from monitoring.evidence.seasonality import Seasonality
from monitoring.records import Level, ScoreSum, TeamEvidence, WatchKey

#: For a window whose phase in any period is unknown.
NO_PHASES: Mapping[str, int] = MappingProxyType({})

NO_ROWS = ScoreSum()


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelState:
    """The state of a level's test between windows.

    Attributes:
        windows: Windows since the test began or the level last alarmed.
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
    loss_log_scale: float | None = None

    def to_text(self) -> str:
        """The state as a JSON document, floats as exact hexadecimal text."""
        document: dict[str, object] = {
            "windows": self.windows,
            "watches": [[key.watch, key.slice, self.watches[key].to_text()] for key in sorted(self.watches, key=str)],
            "pending": [
                [key.watch, key.slice, self.pending[key].rows, self.pending[key].total]
                for key in sorted(self.pending, key=str)
            ],
            "ar1": [[key.watch, key.slice, self.ar1[key].hex()] for key in sorted(self.ar1, key=str)],
        }
        if self.offsets:
            offsets = [[key.watch, key.slice, self.offsets[key].hex()] for key in sorted(self.offsets, key=str)]
            document["offsets"] = offsets
        if self.log_scale is not None:
            document["log_scale"] = self.log_scale.hex()
        if self.loss_log_scale is not None:
            document["loss_log_scale"] = self.loss_log_scale.hex()
        return json.dumps(document)

    @classmethod
    def from_text(cls, text: str) -> LevelState:
        """The inverse of `to_text`."""
        document = json.loads(text)
        log_scale, loss_log_scale = (document.get(name) for name in ("log_scale", "loss_log_scale"))
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
            ar1={WatchKey(watch=watch, slice=part): float.fromhex(ar1) for watch, part, ar1 in document["ar1"]},
            offsets={
                WatchKey(watch=watch, slice=part): float.fromhex(offset)
                for watch, part, offset in document.get("offsets", ())
            },
            log_scale=None if log_scale is None else float.fromhex(log_scale),
            loss_log_scale=None if loss_log_scale is None else float.fromhex(loss_log_scale),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchReading:
    """One watch after one window: its mean score, None while rows are too few, and its evidence."""

    key: WatchKey
    rows: int
    score: float | None
    log_evidence: float

    @property
    def is_pooled(self) -> bool:
        """Whether its rows are kept until there are more."""
        return self.score is None and self.rows > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelReading:
    """A level after one window: its evidence, every watch, and which of its two detectors alarm.

    Attributes:
        log_evidence: Log of the evidence that the level's incidents are opened by.
        shares: The watches of the detector that alarms, of the level where none does, by their share, largest first.
        loss_log_evidence: Log of the evidence that a loss has risen, for whatever reason; -inf without such watches.
    """

    level: Level
    log_evidence: float
    watches: tuple[WatchReading, ...]
    shares: tuple[tuple[WatchKey, float], ...]
    alarm: bool
    loss_log_evidence: float = -math.inf
    loss_alarm: bool = False
    team: TeamEvidence | None = None

    @property
    def evidence(self) -> float:
        """E_w; the level alarms at the budget's threshold."""
        return math.exp(min(self.log_evidence, 700.0))


@dataclass(frozen=True, kw_only=True)
class LevelTest:
    """The test of one level: one `ConformalTest` per watch, and each watch's share of the budget.

    Give it the state's AR(1) coefficients (`with_ar1`) before it steps. A watch whose rows, with those pooled from
    earlier windows, are fewer than `min_rows` (or its own number in `pooled_rows`) is not evaluated and keeps its
    state; its rows are pooled with those of the next window, whose phase then counts. The order of rows, shards and
    watches does not matter: sums are integers, and the level's evidence is summed exactly.

    A loss rises with the difficulty of the traffic while the model is as right as before. So losses whose surprise is
    watched as well have no weight in the page level (`shares`): their surprise has, and their rise beyond what nobody
    would call harmless (the family *material*). The losses themselves are a second e-detector with weights of its own,
    `loss_shares`, under the same threshold; it tells that a loss has risen, for whatever reason, before it is certain
    that somebody should act. Source of adjusting for the mix of cases: Steiner et al., *Monitoring surgical performance
    using risk-adjusted cumulative sum charts* (2000).
    """

    level: Level
    budget: Budget
    tests: Mapping[WatchKey, ConformalTest]
    shares: Mapping[WatchKey, float]
    min_rows: int
    seasonality: Mapping[WatchKey, Seasonality] = field(default_factory=dict)
    pooled_rows: Mapping[WatchKey, int] = field(default_factory=dict)
    loss_shares: Mapping[WatchKey, float] = field(default_factory=dict)

    def rows_needed(self, key: WatchKey) -> int:
        """The rows, pooled ones included, from which on a watch is evaluated; at least 1."""
        return max(self.pooled_rows.get(key, self.min_rows), 1)

    def step(
        self,
        state: LevelState,
        sums: Mapping[WatchKey, ScoreSum],
        phases: Mapping[str, int] = NO_PHASES,
        *,
        muted: AbstractSet[WatchKey] = frozenset(),
    ) -> tuple[LevelState, LevelReading]:
        """One window on. Cost: about 10 µs a watch, whatever the window's size.

        Args:
            muted: Watches whose evidence does not count in the level's, now; among losses they name no alarm that the
                others make by themselves.
        """
        pooled = [state.pending.get(key, NO_ROWS) + sums.get(key, NO_ROWS) for key in self.tests]
        scores = [
            total.mean if total.rows >= needed else None
            for total, needed in zip(pooled, self._rows_needed, strict=True)
        ]
        states = self._stepped(state, scores, pooled, phases)
        logs = log_evidences([watch.detector for watch in states])
        readings = tuple(
            WatchReading(key=key, rows=total.rows, score=score, log_evidence=log)
            for key, total, score, log in zip(self.tests, pooled, scores, logs, strict=True)
        )
        watches = {**state.watches, **dict(zip(self.tests, states, strict=True))}
        pending = {reading.key: total for reading, total in zip(readings, pooled, strict=True) if reading.is_pooled}
        evidences = {reading.key: reading.log_evidence for reading in readings}
        reading = self._reading(state, readings, evidences, muted)
        return replace(state, watches=watches, pending=pending, windows=state.windows + 1), reading

    @cached_property
    def _rows_needed(self) -> tuple[int, ...]:
        return tuple(map(self.rows_needed, self.tests))

    @cached_property
    def _by_grid(self) -> tuple[tuple[tuple[int, ...], ConformalTests], ...]:
        """Places among `tests` of those whose grids are alike, and these tests."""
        tests = tuple(self.tests.values())
        alike: dict[tuple[int, int], list[int]] = {}
        for place, test in enumerate(tests):
            alike.setdefault((len(test.etas), len(test.fixed_etas)), []).append(place)
        return tuple(
            (tuple(places), ConformalTests.of([tests[place] for place in places])) for places in alike.values()
        )

    def _stepped(
        self, state: LevelState, scores: Sequence[float | None], pooled: Sequence[ScoreSum], phases: Mapping[str, int]
    ) -> list[WatchState]:
        """The states of all watches after a window; those without a score keep theirs."""
        states = [state.watches.get(key) or test.initial_state() for key, test in self.tests.items()]
        tested = [
            None if score is None else self.adjusted_score(key, score, phases)
            for key, score in zip(self.tests, scores, strict=True)
        ]
        offsets = [state.offsets.get(key, 0.0) for key in self.tests]
        for places, tests in self._by_grid:
            among = [(number, place) for number, place in enumerate(places) if tested[place] is not None]
            if not among:
                continue
            scored = [place for _, place in among]
            some = tests if len(among) == len(places) else tests.at([number for number, _ in among])
            after = some.step(
                [states[place] for place in scored],
                np.array([tested[place] for place in scored], dtype=np.float64),
                [pooled[place].rows for place in scored],
                [offsets[place] for place in scored],
            )
            for place, watch in zip(scored, after, strict=True):
                states[place] = watch
        return states

    def _reading(
        self,
        state: LevelState,
        watches: tuple[WatchReading, ...],
        evidences: Mapping[WatchKey, float],
        muted: AbstractSet[WatchKey],
    ) -> LevelReading:
        """The level's reading, from the log evidence of its watches."""
        threshold = math.log(self.budget.threshold)
        counted = {key: value for key, value in evidences.items() if key not in muted}
        log_evidence = log_level_evidence(counted, self.shares) + (state.log_scale or 0.0)
        loss_scale = state.loss_log_scale or 0.0
        losses = log_level_evidence(evidences, self.loss_shares) + loss_scale
        alarm, loss_alarm = log_evidence >= threshold, losses >= threshold
        shares = ranking(counted, self.shares)
        if loss_alarm and not alarm:
            enough = log_level_evidence(counted, self.loss_shares) + loss_scale >= threshold
            shares = ranking(counted if enough else evidences, self.loss_shares)
        return LevelReading(
            level=self.level,
            log_evidence=log_evidence,
            watches=watches,
            shares=shares,
            alarm=alarm,
            loss_log_evidence=losses,
            loss_alarm=loss_alarm,
        )

    def paging(self) -> LevelTest:
        """The detector that opens the level's incidents, alone."""
        return replace(self, tests={key: self.tests[key] for key in self.shares}, loss_shares={})

    def losses(self) -> LevelTest:
        """The detector of losses that have risen for whatever reason, alone; without tests where there is none."""
        tests = {key: self.tests[key] for key in self.loss_shares}
        return replace(self, tests=tests, shares=self.loss_shares, loss_shares={})

    def with_ar1(self, coefficients: Mapping[WatchKey, float]) -> LevelTest:
        """The same test with other AR(1) coefficients for some watches."""
        if not coefficients:
            return self
        return replace(
            self, tests={key: test.with_ar1(coefficients.get(key, test.ar1)) for key, test in self.tests.items()}
        )

    def adjusted_score(self, key: WatchKey, score: float, phases: Mapping[str, int]) -> float:
        """A watch's score without its seasonality, as the test takes it."""
        seasonality = self.seasonality.get(key) if self.seasonality else None
        return score if seasonality is None else score - seasonality.offset(phases)

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
            offsets: The new offsets of some watches, 0 to test against the baseline again; the others keep theirs.
            keys: The watches that are restarted; None for all.
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
