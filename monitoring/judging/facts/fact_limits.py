"""The limits of a baseline beyond which one window is a fact, and the share of the budget that they have together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from monitoring.judging.facts.gross_failures import CONTRADICTED, GrossLimit, gross_findings
from monitoring.judging.facts.loss_outliers import LossLimit, loss_outlier
from monitoring.judging.facts.traffic_volume import Places
from monitoring.records import Finding, ScoreSum, WatchKey, WindowRecord

#: False pages of all limits together, as a share of the budget, if windows vary as the baseline's do.
BUDGET_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class FactLimits:
    """What one window may be, by the windows of a baseline.

    The limits share `BUDGET_SHARE`/A of a false page per window equally (Bonferroni), A being the windows that the page
    level's budget grants per alarm: all together add at most that share of a page to each page that is promised.

    Attributes:
        threshold: A.
        gross: Rates of missing and unseen values, of unusable answers, and errors.
        losses: The largest loss of one window.
        numbers: How many inputs have a range.
        volumes: Place in each period, and rows, of the baseline's windows.
        dated: Whether the windows show how days differ, as those of a baseline without dates do not.
    """

    threshold: float
    gross: Mapping[WatchKey, GrossLimit] = field(default_factory=dict)
    losses: Mapping[WatchKey, LossLimit] = field(default_factory=dict)
    numbers: int = 0
    volumes: tuple[tuple[Places, int], ...] = ()
    dated: bool = True

    @property
    def alpha(self) -> float:
        """The probability of each fact of a window that is as the baseline's are."""
        count = len(self.gross) + len(self.losses) + self.numbers
        return BUDGET_SHARE / self.threshold / max(count, 1)

    def findings(
        self, sums: Mapping[WatchKey, ScoreSum], history: Sequence[WindowRecord], phases: Mapping[str, int]
    ) -> tuple[Finding, ...]:
        """What a window's score sums show by themselves.

        Args:
            sums: The window's sums of all watches.
            history: The windows before.
            phases: The window's phase in each period.

        Returns:
            Facts; of losses that contradict the answers not also that they lie far outside.
        """
        gross = gross_findings(self.gross, sums, self.alpha)
        if not self.dated or any(one.kind == CONTRADICTED for one in gross):
            return gross
        return (*gross, *loss_outlier(self.losses, sums, history, alpha=self.alpha, phases=phases))

    def without_labels(self) -> FactLimits:
        """The limits of what needs no labels, for a window whose labels are of an expected event."""
        return replace(self, losses={})

    def widened(self, widths: Mapping[WatchKey, float]) -> FactLimits:
        """The limits of windows that vary as much as live traffic has shown: by so many times as much, at least 1."""
        losses = {key: limit.widened(widths.get(key, 1.0)) for key, limit in self.losses.items()}
        return replace(self, losses=losses, dated=True)
