"""One level's test: every watch's evidence under one budget, as a state and a step."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from monitoring.evidence.budget import Budget, log_level_evidence, ranking
from monitoring.evidence.conformal import ConformalTest, WatchState
from monitoring.evidence.seasonality import Cycle
from monitoring.records import Level, ScoreSum, WatchKey

#: A window whose place in any cycle is not known.
NO_PHASES: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelState:
    """What a level's test remembers between windows.

    The state of each watch and slice, the rows that still wait for company, how many windows have passed since
    the test began, and the memories that were learnt from traffic (see `monitoring.evidence.learning`).

    >>> LevelState.from_text(LevelState().to_text()) == LevelState()
    True
    """

    watches: Mapping[WatchKey, WatchState] = field(default_factory=dict)
    pending: Mapping[WatchKey, ScoreSum] = field(default_factory=dict)
    windows: int = 0
    memories: Mapping[WatchKey, float] = field(default_factory=dict)

    def to_text(self) -> str:
        """One JSON document; floats as exact hexadecimal text, integers as they are."""
        return json.dumps(
            {
                "windows": self.windows,
                "watches": [
                    [key.watch, key.slice, self.watches[key].to_text()] for key in sorted(self.watches, key=str)
                ],
                "pending": [
                    [key.watch, key.slice, self.pending[key].rows, self.pending[key].total]
                    for key in sorted(self.pending, key=str)
                ],
                "memories": [
                    [key.watch, key.slice, self.memories[key].hex()] for key in sorted(self.memories, key=str)
                ],
            }
        )

    @classmethod
    def from_text(cls, text: str) -> LevelState:
        """The inverse of `to_text`."""
        document = json.loads(text)
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
            memories={
                WatchKey(watch=watch, slice=part): float.fromhex(memory) for watch, part, memory in document["memories"]
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchReading:
    """One watch after one window: its mean score where the window was large enough (else None), and its evidence."""

    key: WatchKey
    rows: int
    score: float | None
    log_evidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelReading:
    """A level after one window: the evidence under its budget, each watch, and the watches ranked by their share."""

    level: Level
    log_evidence: float
    watches: tuple[WatchReading, ...]
    shares: tuple[tuple[WatchKey, float], ...]
    alarm: bool

    @property
    def evidence(self) -> float:
        """E_w; alarms at the budget's threshold."""
        return math.exp(min(self.log_evidence, 700.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelTest:
    """All watches of one level, each with its yardstick and its share of the budget.

    Give it the state's memories (`remembering`) before it steps. A step takes the window's score sums; a watch whose
    rows (with those left over from before) are fewer than `min_rows` waits for the next window, untouched, and has that
    one's place in its cycle. Order of rows, shards and watches cannot matter: sums are integers, and the level's
    evidence is summed exactly.
    """

    level: Level
    budget: Budget
    tests: Mapping[WatchKey, ConformalTest]
    shares: Mapping[WatchKey, float]
    min_rows: int
    cycles: Mapping[WatchKey, Cycle] = field(default_factory=dict)

    def step(
        self, state: LevelState, sums: Mapping[WatchKey, ScoreSum], phases: Mapping[str, int] = NO_PHASES
    ) -> tuple[LevelState, LevelReading]:
        """One window on, of these places in each cycle. Cost: microseconds per watch, whatever the window's size."""
        watches = dict(state.watches)
        pending: dict[WatchKey, ScoreSum] = {}
        readings = []
        for key, test in self.tests.items():
            gathered = state.pending.get(key, ScoreSum()) + sums.get(key, ScoreSum())
            watch = watches.get(key) or WatchState.fresh(len(test.steepness))
            score = None
            if gathered.rows >= max(self.min_rows, 1):
                score = gathered.mean
                watch = test.after(watch, self.judged(key, score, phases), gathered.rows)
            elif gathered.rows:
                pending[key] = gathered
            watches[key] = watch
            readings.append(WatchReading(key=key, rows=gathered.rows, score=score, log_evidence=watch.log_evidence))
        evidences = {reading.key: reading.log_evidence for reading in readings}
        log_evidence = log_level_evidence(evidences, self.shares)
        reading = LevelReading(
            level=self.level,
            log_evidence=log_evidence,
            watches=tuple(readings),
            shares=ranking(evidences, self.shares),
            alarm=log_evidence >= math.log(self.budget.threshold),
        )
        after = LevelState(watches=watches, pending=pending, windows=state.windows + 1, memories=state.memories)
        return after, reading

    def remembering(self, memories: Mapping[WatchKey, float]) -> LevelTest:
        """The same test, of which some watches have another memory."""
        if not memories:
            return self
        return replace(
            self, tests={key: test.remembering(memories.get(key, test.memory)) for key, test in self.tests.items()}
        )

    def judged(self, key: WatchKey, score: float, phases: Mapping[str, int]) -> float:
        """A watch's score as it is held against its yardstick: without what its place in the watch's cycle adds."""
        return score - self.cycles[key].offset(phases) if key in self.cycles else score

    def restarted(self, state: LevelState) -> LevelState:
        """The state when an incident is closed: evidence starts from nothing; rows that wait stay.

        The incident's windows leave the yardstick; each watch's last score and what was learnt of its memory stay.
        """
        return LevelState(
            watches={
                key: WatchState.fresh(len(watch.log_seen), last=watch.last) for key, watch in state.watches.items()
            },
            pending=state.pending,
            memories=state.memories,
        )
