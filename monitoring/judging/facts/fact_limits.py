"""The limits of a baseline beyond which one window is a fact, and the share of the budget that they have together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from monitoring.baseline.predictions import Predictions
from monitoring.judging.facts.answer_relations import AnswerRelation
from monitoring.judging.facts.class_order import ClassOrder
from monitoring.judging.facts.constant_values import VarietyLimit, constant_findings
from monitoring.judging.facts.gross_failures import CONTRADICTED, GrossLimit, gross_findings
from monitoring.judging.facts.input_values import ValueLimits
from monitoring.judging.facts.label_facts import JUMPED, LabelLimits, LabelRuns
from monitoring.judging.facts.loss_outliers import LossLimit, loss_outlier
from monitoring.judging.facts.traffic_volume import ANY_RANGE
from monitoring.judging.facts.usual_level import Places
from monitoring.judging.facts.volume_range import VolumeRange
from monitoring.records import Finding, ScoreSum, WatchKey, WindowRecord
from monitoring.tasks.task import Whole

#: False pages of all limits together, as a share of the budget, if windows vary as the baseline's do.
BUDGET_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedWindow:
    """What facts are made of: a window's sums, and the windows before it.

    Attributes:
        answers: The variety of each part of the answers, as of `monitoring.watches.variety`; None without rows.
        labelled: The rows with a usable answer whose labels came, or a sample of them.
    """

    sums: Mapping[WatchKey, ScoreSum]
    history: Sequence[WindowRecord] = ()
    phases: Mapping[str, int] = field(default_factory=dict)
    answers: Whole | None = None
    numbers: Whole | None = None
    runs: LabelRuns = field(default_factory=LabelRuns)
    labelled: Predictions | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FactLimits:
    """What one window may be, by the windows of a baseline.

    The limits share `BUDGET_SHARE`/A of a false page per window equally (Bonferroni), A being the windows that the page
    level's budget grants per alarm: all together add at most that share of a page to each page that is promised.

    Attributes:
        answers: The variety of each part of the answers; None for one that was constant.
        relations: How answers go with inputs, the strongest first.
        order: Which class labels have for each answer; None of models without three classes to choose of.
    """

    threshold: float
    gross: Mapping[WatchKey, GrossLimit] = field(default_factory=dict)
    shares: Mapping[WatchKey, GrossLimit] = field(default_factory=dict)
    losses: Mapping[WatchKey, LossLimit] = field(default_factory=dict)
    answers: tuple[VarietyLimit | None, ...] = ()
    label_numbers: tuple[VarietyLimit | None, ...] = ()
    labels: LabelLimits = field(default_factory=LabelLimits)
    values: ValueLimits = field(default_factory=ValueLimits)
    ranges: int = 0
    volumes: tuple[tuple[Places, int], ...] = ()
    volume_range: VolumeRange = ANY_RANGE
    relations: tuple[AnswerRelation, ...] = ()
    order: ClassOrder | None = None
    dated: bool = True

    @property
    def alpha(self) -> float:
        """The probability of each fact of a window that is as the baseline's are."""
        values = sum(2 for limit in (*self.answers, *self.label_numbers) if limit is not None)
        # Labels without predictions, repeated predictions; and of all together: `values`, `relations` and `order`.
        others = 3 + bool(self.relations) + (self.order is not None)
        count = len(self.gross) + len(self.losses) + self.ranges + values + self.labels.count + others
        return BUDGET_SHARE / self.threshold / max(count, 1)

    def findings(self, window: ObservedWindow) -> tuple[Finding, ...]:
        """What a window shows by itself.

        Returns:
            Facts. Of one fault the one that says most: constant answers, or what happened to the labels, before classes
            in another order, these before labels that contradict answers, and these before losses far outside.
        """
        alpha = self.alpha
        gross = gross_findings(self.gross, window.sums, alpha)
        others = tuple(finding for finding in gross if finding.kind != CONTRADICTED)
        paged = {finding.feature for finding in others}
        new = gross_findings(self.shares, window.sums, alpha)
        others = (*others, *(finding for finding in new if finding.feature not in paged))
        constant = constant_findings(self.answers, window.answers, labels=False, alpha=alpha)
        labels = self._label_findings(window)
        if constant or any(finding.kind != JUMPED for finding in labels):
            return (*others, *constant, *labels)
        if self.order is not None and window.labelled is not None:
            reordered = self.order.findings(window.labelled, alpha)
            if reordered:
                return (*others, *reordered)
        contradicted = tuple(finding for finding in gross if finding.kind == CONTRADICTED)
        if contradicted:
            return (*others, *contradicted)
        if labels or not self.dated:
            return (*others, *labels)
        losses = loss_outlier(self.losses, window.sums, window.history, alpha=alpha, phases=window.phases)
        return (*others, *losses)

    def lasting(self, sums: Mapping[WatchKey, ScoreSum]) -> frozenset[tuple[str, str]]:
        """The kinds of gross rates, each with its subject, that are not near the baseline's in a window."""
        return frozenset(
            (limit.kind, limit.subject)
            for limits in (self.gross, self.shares)
            for key, limit in limits.items()
            if key in sums and sums[key].rows and sums[key].mean > limit.null
        )

    def _label_findings(self, window: ObservedWindow) -> tuple[Finding, ...]:
        alpha = self.alpha
        lost = self.labels.lost_classes(window.runs, window.sums, alpha)
        findings = lost or constant_findings(self.label_numbers, window.numbers, labels=True, alpha=alpha)
        if findings or not self.dated:
            return findings
        return self.labels.jumps(window.sums, window.history, alpha=alpha, phases=window.phases)

    def without_labels(self) -> FactLimits:
        """The limits of what needs no labels, for a window whose labels are of an expected event."""
        return replace(self, losses={}, label_numbers=(), labels=LabelLimits(), order=None)

    def widened(self, widths: Mapping[WatchKey, float]) -> FactLimits:
        """The limits of windows that vary as much as live traffic has shown: by so many times as much, at least 1."""
        losses = {key: limit.widened(widths.get(key, 1.0)) for key, limit in self.losses.items()}
        return replace(self, losses=losses, labels=self.labels.widened(widths), dated=True)
