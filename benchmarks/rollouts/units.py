"""Splits of simulated units: two versions of which each answers its own, with guards of calibration and latency."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from benchmarks.rollouts.streams import START
from monitoring.rollout.comparing import ARMS
from monitoring.rollout.decision_rules import DecisionRules, GuardRule
from monitoring.rollout.evaluation import evaluate, guard_comparisons
from monitoring.rollout.evidence.arms import unit_sums
from monitoring.rollout.evidence.paired_sums import PairedSums
from monitoring.rollout.pairs import CALIBRATION, CANDIDATE, CHAMPION, LATENCY, LOSS, Measures, WindowEvidence, arm_name
from monitoring.tasks.classification import Classification

#: Units of each version on a day, days, the error rate, and the share of slow answers of the champion.
UNITS, DAYS, ERROR, SLOW = 200, 60, 0.15, 0.01

#: The share of units with a loss whose label does not come in time.
LOST = 0.1

RULES = DecisionRules(
    min_effect=0.0, guards=(GuardRule(name=CALIBRATION, limit=0.02), GuardRule(name=LATENCY)), require="not worse"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A split of equal versions, but for what is worse about the candidate.

    Attributes:
        gap: By how much its loss exceeds what its answers promise.
        slow: By how much its share of slow answers exceeds the champion's.
    """

    gap: float = 0.0
    slow: float = 0.0

    def windows(self, rng: np.random.Generator) -> list[WindowEvidence]:
        """The evidence of each day."""
        return [self._window(day, rng) for day in range(DAYS)]

    def _window(self, day: int, rng: np.random.Generator) -> WindowEvidence:
        sums: dict[str, PairedSums] = {}
        for arm, gap, slow in ((CHAMPION, 0.0, 0.0), (CANDIDATE, self.gap, self.slow)):
            units = np.arange(UNITS)
            promised = rng.uniform(0.5 * ERROR, 1.5 * ERROR, UNITS)
            losses = (rng.random(UNITS) < promised).astype(np.float64)
            losses[(losses > 0.0) & (rng.random(UNITS) < LOST)] = np.nan
            is_slow = (rng.random(UNITS) < SLOW + slow).astype(np.float64)
            sums[arm_name(LOSS, arm)] = unit_sums(losses, units)
            sums[arm_name(CALIBRATION, arm)] = unit_sums((losses - promised + gap) / 2.0, units)
            sums[arm_name(LATENCY, arm)] = unit_sums(is_slow, units)
        both = sums[arm_name(LOSS, CHAMPION)] + sums[arm_name(LOSS, CANDIDATE)]
        start = START + timedelta(days=day)
        return WindowEvidence(
            start=start, end=start + timedelta(days=1), measures={LOSS: both, **sums}, labelled=both.labelled
        )


def looked_at(split: Split, rng: np.random.Generator) -> tuple[str | None, list[str], list[str]]:
    """The first verdict on a split, the guards that were worse at any daily look, and those that passed at any."""
    measures = Measures(task=Classification(classes=("0", "1")), loss="error", guards=frozenset((CALIBRATION,)))
    windows = split.windows(rng)
    worse, passed = set(), set()
    for day in range(1, DAYS + 1):
        for name, guard in guard_comparisons(windows[:day], measures, RULES, ARMS).items():
            worse |= {name} if guard.is_worse else set()
            passed |= {name} if guard.not_worse else set()
    decided = evaluate(windows, measures, RULES, comparing=ARMS).decided
    return decided, sorted(worse), sorted(passed)
