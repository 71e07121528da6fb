"""One level after one window: its test, its state and its reading."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from monitoring.evidence.betting import log_evidences
from monitoring.evidence.budget import log_level_evidence
from monitoring.evidence.level import NO_PHASES, LevelReading, LevelState, LevelTest
from monitoring.records import WHOLE, EstimateRecord, ScoreSum, Watch, WatchKey, WindowRecord
from monitoring.tasks.task import ESTIMATED

#: Windows in which a label shows that labels come at all.
LABEL_WINDOWS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelEvidence:
    """One level after one window.

    Attributes:
        log_before: Log of the evidence of the same watches before the window, without the level's calibration.
        tested: Of watches whose score is of an expected event, what stood for it in the test; None where nothing did.
    """

    test: LevelTest
    state: LevelState
    reading: LevelReading
    log_before: float = -math.inf
    tested: Mapping[WatchKey, float | None] = field(default_factory=dict)

    @property
    def log_after(self) -> float:
        """Log of the evidence after the window, without the level's calibration."""
        return self.reading.log_evidence - (self.state.log_scale or 0.0)

    def score(self, key: WatchKey) -> float | None:
        """The mean score of a watch as it was tested, pooled rows included; None where it was not evaluated."""
        if key in self.tested:
            return self.tested[key]
        return next((watch.score for watch in self.reading.watches if watch.key == key), None)


def excluded_watches(test: LevelTest, previous: Sequence[EstimateRecord]) -> frozenset[WatchKey]:
    """The watches of estimates that a level does not evaluate: trusted estimates page, others are worth a notice.

    Decided by what was known before the window. The evidence of a watch that moves to the other level is dropped, which
    only lowers the level that it leaves. Its share of the other level's budget was kept for it.
    """
    distrusted = {
        estimate.metric
        for estimate in previous
        if estimate.method == "calibrated" and not estimate.interval_checks.trusted
    }
    keys = {key for key in test.tests if key.watch.startswith(ESTIMATED)}
    demoted = {key for key in keys if key.watch.removeprefix(ESTIMATED) in distrusted}
    return frozenset(demoted if test.level == "page" else keys - demoted)


def has_losses(windows: Sequence[WindowRecord], watches: Mapping[str, Watch]) -> bool:
    """Whether labels came in the last windows that a loss on the whole traffic was made of.

    Returns:
        True if any of the last `LABEL_WINDOWS` windows has the value of a loss.
    """
    return any(
        score.value is not None and score.slice == WHOLE and watches[score.watch].family == "performance"
        for window in windows[-LABEL_WINDOWS:]
        for score in window.scores
        if score.watch in watches
    )


def step_excluding(
    test: LevelTest,
    state: LevelState,
    sums: Mapping[WatchKey, ScoreSum],
    excluded: AbstractSet[WatchKey],
    phases: Mapping[str, int] = NO_PHASES,
    *,
    labels_expected: bool = False,
) -> LevelEvidence:
    """`LevelTest.step` as if the excluded watches had never had a score; they keep their share of the budget.

    Where labels come, estimates open no pages: their evidence counts among that of losses alone.
    """
    before = replace(
        state,
        watches={key: watch for key, watch in state.watches.items() if key not in excluded},
        pending={key: rows for key, rows in state.pending.items() if key not in excluded},
    )
    counted = {key: total for key, total in sums.items() if key not in excluded}
    is_muted = labels_expected and test.level == "page"
    muted = frozenset(key for key in test.tests if is_muted and key.watch.startswith(ESTIMATED))
    after, reading = test.step(before, counted, phases, muted=muted)
    reading = replace(reading, watches=tuple(watch for watch in reading.watches if watch.key not in excluded))
    counting = [key for key in before.watches if key not in muted]
    logs = log_evidences([before.watches[key].detector for key in counting])
    log_evidence = dict(zip(counting, logs, strict=True))
    return LevelEvidence(
        test=test, state=after, reading=reading, log_before=log_level_evidence(log_evidence, test.shares)
    )
