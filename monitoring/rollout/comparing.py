"""How windows of evidence are compared: rows that both versions answered, or units of which each answered its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from monitoring.records import SCORE_ONE
from monitoring.rollout.evidence.arms import arm_looks, compare_arms
from monitoring.rollout.evidence.paired_sums import PairedSums
from monitoring.rollout.evidence.verdict import Comparison, Rules, compare, looks
from monitoring.rollout.pairs import LOSS, WindowEvidence

#: The versions of a split, as their measures are named: NAME@ARM.
CHAMPION, CANDIDATE = "champion", "candidate"


class Comparing(Protocol):
    """Compares the windows of one kind of rollout."""

    def has(self, windows: Sequence[WindowEvidence], name: str) -> bool:
        """Whether a measure was taken in any window."""

    def compare(self, windows: Sequence[WindowEvidence], name: str, rules: Rules) -> Comparison:
        """A measure by all windows."""

    def looks(self, windows: Sequence[WindowEvidence], rules: Rules) -> Iterator[Comparison]:
        """The loss that decides after each window."""

    def means(self, windows: Sequence[WindowEvidence]) -> tuple[float | None, float | None]:
        """The mean loss of the champion and of the candidate, in [0, 1]; None without a label."""


class PairedRowsCompared:
    """Rows that both versions have answered."""

    def has(self, windows: Sequence[WindowEvidence], name: str) -> bool:
        """See `Comparing`."""
        return any(name in window.measures for window in windows)

    def compare(self, windows: Sequence[WindowEvidence], name: str, rules: Rules) -> Comparison:
        """See `Comparing`."""
        return compare([window.measures[name] for window in windows if name in window.measures], rules)

    def looks(self, windows: Sequence[WindowEvidence], rules: Rules) -> Iterator[Comparison]:
        """See `Comparing`."""
        return looks([window.measures[LOSS] for window in windows], rules)

    def means(self, windows: Sequence[WindowEvidence]) -> tuple[float | None, float | None]:
        """See `Comparing`; where labels were asked for, of no window: a sample's are of disagreements alone."""
        whole = [window for window in windows if window.probability == 1.0]
        labelled = SCORE_ONE * sum(window.labelled for window in whole)
        sums = (sum(getattr(window, name) for window in whole) for name in (CHAMPION, CANDIDATE))
        champion, candidate = (total / labelled if labelled else None for total in sums)
        return champion, candidate


class ArmsCompared:
    """Units of which each was answered by one version."""

    def has(self, windows: Sequence[WindowEvidence], name: str) -> bool:
        """See `Comparing`."""
        return any(arm_name(name, CHAMPION) in window.measures for window in windows)

    def compare(self, windows: Sequence[WindowEvidence], name: str, rules: Rules) -> Comparison:
        """See `Comparing`."""
        return compare_arms(_sums(windows, name, CHAMPION), _sums(windows, name, CANDIDATE), rules)

    def looks(self, windows: Sequence[WindowEvidence], rules: Rules) -> Iterator[Comparison]:
        """See `Comparing`."""
        return arm_looks(_sums(windows, LOSS, CHAMPION), _sums(windows, LOSS, CANDIDATE), rules)

    def means(self, windows: Sequence[WindowEvidence]) -> tuple[float | None, float | None]:
        """See `Comparing`; of units whose labels came."""
        averages = []
        for arm in (CHAMPION, CANDIDATE):
            sums = PairedSums.merged(_sums(windows, LOSS, arm))
            known_weight = sums.weight - sums.unknown
            averages.append(sums.total / known_weight if known_weight > 0 else None)
        return averages[0], averages[1]


def arm_name(name: str, arm: str) -> str:
    """The name of one version's measure."""
    return f"{name}@{arm}"


def _sums(windows: Sequence[WindowEvidence], name: str, arm: str) -> list[PairedSums]:
    return [window.measures.get(arm_name(name, arm), PairedSums()) for window in windows]


PAIRED: Comparing = PairedRowsCompared()
ARMS: Comparing = ArmsCompared()
