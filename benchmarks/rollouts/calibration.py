"""The guard of calibration on simulated versions of which each is surer, or less sure, of itself than it is right."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from benchmarks.results import Cell, Result, Settings, Table
from benchmarks.rollouts.streams import START, Pair
from monitoring.rollout.comparing import PAIRED, of_candidate
from monitoring.rollout.decision_rules import DecisionRules
from monitoring.rollout.evidence.between_days import least_days
from monitoring.rollout.evidence.differences import calibration_differences, surprise_of
from monitoring.rollout.evidence.paired_sums import PairedSums
from monitoring.rollout.evidence.verdict import Comparison, smaller_of
from monitoring.rollout.pairs import CALIBRATION, CANDIDATE, LOSS, Measures, WindowEvidence, arm_name
from monitoring.tasks.classification import Classification
from monitoring.tasks.task import NO_LABEL, Floats

SEED = 20_261_203
DAYS, ROWS, ERROR, DISAGREEMENT = 40, 500, 0.15, 0.08

#: What an answer says of its own class varies by so much about the mean, each way.
SPREAD = 0.03

RULES = DecisionRules()
MEASURES = Measures(task=Classification(classes=("0", "1")), loss="error", guards=frozenset((CALIBRATION,)))
OWN = arm_name(CALIBRATION, CANDIDATE)
LEAST_DAYS = least_days(RULES.wrong)


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """Two versions that are wrong equally often.

    Attributes:
        champion: By how much the champion is surer of itself than it is right; negative: less sure.
        missing: The share of rows whose label does not come.
    """

    champion: float
    candidate: float
    missing: float = 0.0

    def windows(self, rng: np.random.Generator) -> list[WindowEvidence]:
        """The evidence of each day."""
        pair = Pair(days=DAYS, rows=ROWS, error=ERROR, disagreement=DISAGREEMENT)
        labels = rng.integers(0, 2, DAYS * ROWS)
        first, second = pair.right(rng)
        champion = self._answers(np.where(first, labels, 1 - labels), self.champion, rng)
        candidate = self._answers(np.where(second, labels, 1 - labels), self.candidate, rng)
        labels[rng.random(labels.size) < self.missing] = NO_LABEL
        task, loss = MEASURES.task, MEASURES.loss
        both = calibration_differences(task, loss, champion, candidate, labels)
        own = surprise_of(task, loss, candidate, labels)
        found = []
        for day in range(DAYS):
            rows = slice(day * ROWS, (day + 1) * ROWS)
            measures = {
                name: PairedSums.of(one.values[rows], one.largest[rows], scale=one.scale)
                for name, one in ((LOSS, both), (CALIBRATION, both), (OWN, own))
            }
            start = START + timedelta(days=day)
            found.append(WindowEvidence(start=start, end=start + timedelta(days=1), measures=measures))
        return found

    @staticmethod
    def _answers(classes: np.ndarray, gap: float, rng: np.random.Generator) -> Floats:
        sure = 1.0 - ERROR + gap + rng.uniform(-SPREAD, SPREAD, classes.size)
        return np.where(classes[:, None] == np.arange(2), sure[:, None], 1.0 - sure[:, None])


#: What is simulated, and whether the candidate is worse by the limit or more.
CASES: Mapping[str, Versions] = {
    "both are calibrated": Versions(champion=0.0, candidate=0.0),
    "champion 0, candidate +.02": Versions(champion=0.0, candidate=0.02),
    "champion +.05, candidate +.05": Versions(champion=0.05, candidate=0.05),
    "champion +.05, candidate +.07": Versions(champion=0.05, candidate=0.07),
    "champion -.15, candidate 0": Versions(champion=-0.15, candidate=0.0),
    "the same, one label in twenty does not come": Versions(champion=-0.15, candidate=0.0, missing=0.05),
    "champion -.15, candidate +.02": Versions(champion=-0.15, candidate=0.02),
    "champion -.15, candidate +.08": Versions(champion=-0.15, candidate=0.08),
}


def measure(settings: Settings) -> Result:
    """Simulate rollouts. Cost: about half a second of a processor for each pair."""
    pairs = 4 if settings.quick else settings.pairs
    rows: list[tuple[Cell, ...]] = []
    for place, (name, versions) in enumerate(CASES.items()):
        passed, worse = (np.full((pairs, 2), DAYS + 1) for _ in range(2))
        for number in range(pairs):
            windows = versions.windows(np.random.default_rng((SEED, place, number)))
            for day in range(DAYS, LEAST_DAYS - 1, -1):
                for which, found in enumerate(_looks(windows[:day])):
                    passed[number, which] = day if found.not_worse else passed[number, which]
                    worse[number, which] = day if found.is_worse else worse[number, which]
        half = float(np.quantile(passed[:, 0], 0.5, method="inverted_cdf"))
        rows.append((name, *_shares(passed[:, 0], worse[:, 0]), None if half > DAYS else int(half)))
        rows[-1] = (*rows[-1], *_shares(passed[:, 1], worse[:, 1]))
        print(rows[-1], file=sys.stderr, flush=True)
    return Result(tables=(_table(pairs, rows),))


def _looks(windows: list[WindowEvidence]) -> tuple[Comparison, Comparison]:
    """The guard, and the difference of the two surprises alone."""
    rules = RULES.calibration(1.0)
    difference, own = PAIRED.compare(windows, CALIBRATION, rules), of_candidate(windows, CALIBRATION, rules)
    assert own is not None
    return smaller_of(difference, own), difference


def _shares(passed: np.ndarray, worse: np.ndarray) -> tuple[float, float]:
    return float((passed <= DAYS).mean()), float((worse <= DAYS).mean())


def _table(pairs: int, rows: list[tuple[Cell, ...]]) -> Table:
    return Table(
        title=f"The guard of calibration, looked at daily for {DAYS} days: share of {pairs} pairs",
        columns=("how much surer than right", "passes", "worse", "days, half", "difference alone: passes", "worse"),
        rows=tuple(rows),
        note=(
            f"{ROWS} rows a day, an error rate of {ERROR:g}, a disagreement on {DISAGREEMENT:g}, the usual limit of "
            f".02; all labels come unless said. Where the candidate is surer than right by .02 or more than the "
            f"champion, and than a calibrated version, the guard may pass, at any look, in .05, "
            f"± {math.sqrt(0.05 * 0.95 / pairs):.3f}. Difference alone: of the two versions' surprises, at half of "
            "that level."
        ),
    )
