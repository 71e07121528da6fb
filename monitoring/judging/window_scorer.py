"""Scores one window: from its sums over rows to the score sums of all watches, and its findings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np

from monitoring.baseline.profile_builder import ProfileBuilder
from monitoring.judging.event_windows import NO_WINDOW_EVENTS, WindowEvents, labels_of_one_event
from monitoring.judging.facts.answer_relations import relation_findings
from monitoring.judging.facts.fact_limits import ObservedWindow
from monitoring.judging.facts.gross_failures import ANSWERS_SUBJECT, range_findings
from monitoring.judging.facts.input_values import CONSTANT_INPUT, WindowValues
from monitoring.judging.facts.label_facts import LabelRuns
from monitoring.judging.facts.log_facts import repeat_findings, unmatched_findings
from monitoring.judging.facts.loss_outliers import OUTLIER, with_lean, with_unit_change
from monitoring.judging.facts.usual_level import UsualLevels
from monitoring.judging.fit.estimator import MAX_CONFUSION_CLASSES
from monitoring.judging.fit.reference_fit import ReferenceFit
from monitoring.judging.fit.reference_limits import never_judged, undated
from monitoring.judging.input_check import InputCheck
from monitoring.judging.label_silence import LabelSilence
from monitoring.judging.value_facts import explained_facts
from monitoring.judging.value_segments import (
    SampledWindow,
    constant_inputs_of_segments,
    constant_of_segment,
    ranges_of_segments,
    with_segments,
)
from monitoring.judging.volume_check import WindowVolume, check_volume
from monitoring.judging.window.label_findings import TOO_LATE
from monitoring.judging.window.row_scorer import RowScorer
from monitoring.judging.window.window_sums import AnsweredSums, LabelledSums, WindowAggregator
from monitoring.judging.window.window_traffic import WindowTraffic
from monitoring.records import Finding, ScoreSum, WatchKey, WindowRecord
from monitoring.timestamps import as_microseconds, duration_microseconds
from monitoring.traffic.expected_events import NO_EVENTS, EventCalendar
from monitoring.traffic.windows import Window
from monitoring.watches.catalogue import Catalogue
from monitoring.watches.early_labels import (
    MOST_BIAS,
    EarlyLabels,
    LabelRate,
    delay_bias,
    delay_sample,
    late_label_findings,
)
from monitoring.watches.embedding import embedded, missing_embeddings
from monitoring.watches.family import AnsweredCounts
from monitoring.watches.joint import RecentWindows
from monitoring.watches.label_coverage import LabelWindow, PendingLabels
from monitoring.watches.label_delays import merged_counts


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringState:
    """What the scores of a window need of the windows before it."""

    recent: RecentWindows = field(default_factory=RecentWindows)
    pending_labels: PendingLabels = field(default_factory=PendingLabels)
    early_labels: EarlyLabels = field(default_factory=EarlyLabels)
    label_runs: LabelRuns = field(default_factory=LabelRuns)
    label_silence: LabelSilence = field(default_factory=LabelSilence)
    usual: UsualLevels = field(default_factory=UsualLevels)
    last_values: WindowValues = field(default_factory=WindowValues)
    statistics: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoredWindow:
    """One window, scored: all that its tests, its record and its incidents are made of.

    Attributes:
        labelled: The labels that count in losses: none of them while early labels are not representative.
    """

    traffic: WindowTraffic
    labelled: LabelledSums
    sums: Mapping[WatchKey, ScoreSum]
    findings: tuple[Finding, ...]
    phases: Mapping[str, int]
    state: ScoringState
    events: WindowEvents = NO_WINDOW_EVENTS

    @property
    def rows(self) -> int:
        """The rows answered in the window."""
        return self.traffic.answered.rows


class WindowScorer:
    """Scores windows for one fitted baseline. Cost: that of the watches, whatever the number of rows."""

    def __init__(
        self,
        catalogue: Catalogue,
        reference_fit: ReferenceFit,
        *,
        input_check: InputCheck,
        phases: Callable[[datetime], Mapping[str, int]],
        calendar: EventCalendar = NO_EVENTS,
    ) -> None:
        estimator = reference_fit.estimator
        self._catalogue = catalogue
        self._reference_fit = reference_fit
        self._input_check = input_check
        self._phases = phases
        self._calendar = calendar
        self._limits = (*never_judged(reference_fit.unfitted), *undated(reference_fit.rows_per_window))
        self._profiles = ProfileBuilder(catalogue.bins, vocabularies=reference_fit.vocabularies)
        self.rows = RowScorer(
            catalogue,
            threshold=None if estimator is None else estimator.threshold,
            confusion_classes=0 if estimator is None else MAX_CONFUSION_CLASSES,
        )

    def aggregator(self) -> WindowAggregator:
        """An empty aggregator for one window's rows; its sums go into `WindowTraffic`."""
        return WindowAggregator(self.rows, self._profiles)

    def score(self, state: ScoringState, traffic: WindowTraffic, history: Sequence[WindowRecord] = ()) -> ScoredWindow:
        """Score one window."""
        early = self._early_labels(state.early_labels, traffic)
        length = traffic.window.end - traffic.window.start
        labelled, label_event = labels_of_one_event(traffic.labelled, self._calendar, length)
        late = self._late_labels(traffic, history)
        if not early.complete or late:
            labelled = labelled.without_losses()
        events = WindowEvents(
            answered=self._calendar.at(traffic.window.start, traffic.window.end), labelled=label_event
        )
        pending, coverage, completed = self._label_coverage(state.pending_labels, traffic)
        volume, usual = self._volume(state.usual.with_completed(completed), traffic, history, events)
        silence = state.label_silence.updated(
            self._label_window(traffic.window),
            arrived=traffic.labelled.rows > 0 or any(finding.kind == TOO_LATE for finding in traffic.findings),
            answered_windows=len(pending.windows),
            expected=events.answered is None,
            usual_gap=self._reference_fit.label_gap,
        )
        recent, joint_sums, unembedded = self._joint_distribution(state.recent, traffic.answered)
        if events.answered is not None:
            recent = state.recent
        inputs = self._input_check.check(traffic.answered.counts, traffic.input_problems, state.statistics)
        sums = self.sums(traffic.answered, labelled) | coverage | joint_sums
        observed = self._observed(state.label_runs, traffic.answered, labelled, sums)
        observed = replace(observed, history=history, phases=self._phases(traffic.window.start))
        return ScoredWindow(
            traffic=traffic,
            labelled=labelled,
            sums=sums,
            findings=(
                *traffic.findings,
                *early.findings(traffic.labelled.rows),
                *late,
                *inputs.findings,
                *unembedded,
                *self._with_lean(
                    self._facts(traffic, observed, inputs.findings, events, state.last_values), sums, labelled
                ),
                *volume,
                *self._limits,
            ),
            phases=observed.phases,
            events=events,
            state=ScoringState(
                recent=recent,
                pending_labels=pending,
                early_labels=early,
                label_runs=observed.runs,
                label_silence=silence,
                usual=usual,
                last_values=WindowValues.of(traffic.answered.counts) if traffic.answered.rows else state.last_values,
                statistics=inputs.statistics,
            ),
        )

    def _observed(
        self, runs: LabelRuns, answered: AnsweredSums, labelled: LabelledSums, sums: Mapping[WatchKey, ScoreSum]
    ) -> ObservedWindow:
        """What facts are made of, but for the windows before."""
        classes = {name: sums[WatchKey(watch=name)] for name in self._catalogue.labels.class_names}
        return ObservedWindow(
            sums=sums,
            answers=answered.tally.counts.get("variety"),
            numbers=labelled.whole.counts.get("label variety"),
            runs=runs.updated(classes),
            labelled=labelled.usable,
        )

    def _facts(
        self,
        traffic: WindowTraffic,
        observed: ObservedWindow,
        findings: Sequence[Finding],
        events: WindowEvents,
        before: WindowValues,
    ) -> tuple[Finding, ...]:
        """What the window shows by itself, but for inputs about which a fact is known already."""
        limits, answered = self._reference_fit.facts, traffic.answered
        if events.labelled is not None:
            limits = limits.without_labels()
        fact_features = {finding.feature for finding in findings if finding.fact}
        bins, sources = self._catalogue.bins, self._catalogue.sources
        values = limits.values.findings(bins, answered.counts, before, alpha=limits.alpha, sources=sources)
        constant = {finding.feature for finding in values if finding.kind == CONSTANT_INPUT}
        ranges = range_findings(bins, answered.counts, alpha=limits.alpha, sources=sources)
        of_limits = with_unit_change(limits.findings(observed), self._catalogue.task, answered.usable.probabilities)
        facts = (*of_limits, *(finding for finding in ranges if finding.feature not in constant))
        before_now = self._reference_fit.profile, answered.counts
        told = fact_features | {finding.feature for finding in (*values, *facts)}
        window = SampledWindow(bins=bins, before=before_now[0], now=before_now[1], sample=answered.sample.features)
        explained = with_segments(explained_facts(facts, fact_features, bins, *before_now), window)
        return (
            *(finding for finding in values if finding.feature not in fact_features),
            *explained,
            *ranges_of_segments(window, told=told, alpha=limits.alpha, sources=sources),
            *constant_inputs_of_segments(window, limits.values, told=told, alpha=limits.alpha),
            *self._answer_facts(observed, answered, window, told | {finding.feature for finding in explained}),
            *unmatched_findings(traffic.labels_unknown, traffic.labelled.rows, observed.history, alpha=limits.alpha),
            *repeat_findings(traffic.repeats, answered.rows, observed.history, alpha=limits.alpha),
        )

    def _answer_facts(
        self, observed: ObservedWindow, answered: AnsweredSums, window: SampledWindow, told: Collection[str]
    ) -> tuple[Finding, ...]:
        """Answers that are constant in one segment, or do not depend on inputs; none where they are told already."""
        limits, task = self._reference_fit.facts, self._catalogue.task
        if ANSWERS_SUBJECT in told or not len(answered.usable):
            return ()
        scores = task.outputs(answered.usable.probabilities)
        constant = constant_of_segment(
            limits.answers,
            observed.answers,
            replace(window, sample=answered.usable.features),
            (answered.usable.probabilities, scores),
            limits.alpha,
        )
        return constant or relation_findings(limits.relations, answered.usable, scores, told=told, alpha=limits.alpha)

    def _with_lean(
        self, facts: tuple[Finding, ...], sums: Mapping[WatchKey, ScoreSum], labelled: LabelledSums
    ) -> tuple[Finding, ...]:
        """Facts, of which that of losses has errors as they are, and to which side the answers lie."""
        if not any(finding.kind == OUTLIER for finding in facts):
            return facts
        measured = self.rows.measured(labelled.whole, np.random.default_rng(0))
        return with_lean(facts, sums, self._catalogue.watches, {metric.metric: metric.value for metric in measured})

    def _volume(
        self, levels: UsualLevels, traffic: WindowTraffic, history: Sequence[WindowRecord], events: WindowEvents
    ) -> tuple[tuple[Finding, ...], UsualLevels]:
        """Findings about how many rows and labels the window has, and what is usual from then on."""
        window = self._label_window(traffic.window)
        starts = (*(record.start for record in history), traffic.window.start)
        volume = WindowVolume(
            start=traffic.window.start,
            history=history,
            places=tuple(map(self._phases, starts)),
            rows=(*(record.rows + record.repeats for record in history), traffic.answered.rows + traffic.repeats),
            labels=(*(record.labels for record in history), traffic.labelled.rows),
            waits=-(-window.horizon // (window.end - window.start)),
            is_open=traffic.is_open,
            is_expected=events.answered is not None,
        )
        fit = self._reference_fit
        label_rate = 0.0 if fit.few_labels else fit.label_rate  # that of the reference is not expected then
        return check_volume(volume, levels, fit.facts.volumes, label_rate, fit.facts.volume_range)

    def sums(self, answered: AnsweredSums, labelled: LabelledSums) -> dict[WatchKey, ScoreSum]:
        """The score sums of the watches that need no earlier window."""
        counted = AnsweredCounts(rows=answered.rows, inputs=answered.counts, tally=answered.tally)
        return self.rows.answer_sums(counted) | self.rows.label_sums(labelled.whole)

    def _late_labels(self, traffic: WindowTraffic, history: Sequence[WindowRecord]) -> tuple[Finding, ...]:
        """The finding that labels after the end of the traffic are biased; none where they are not."""
        end = traffic.end
        if end is None or traffic.answered.rows or 2 * end.labels < traffic.labelled.rows:
            return ()
        delays = delay_sample(merged_counts(window.label_delays for window in history))
        bias = delay_bias(delays, self._label_window(traffic.window), last_row=end.last_row)
        return late_label_findings(traffic.labelled.rows) if bias > MOST_BIAS else ()

    def _early_labels(self, before: EarlyLabels, traffic: WindowTraffic) -> EarlyLabels:
        return before.updated(
            traffic.answered.tally.number("rows"),
            traffic.answered.newest,
            {start: tally.number("rows") for start, tally in traffic.labelled.tallies.items()},
            window=self._label_window(traffic.window),
            rate=LabelRate(share=self._reference_fit.label_rate, min_rows=self._reference_fit.tests["page"].min_rows),
            delays=np.array(self._reference_fit.label_delays, dtype=np.int64),
        )

    def _label_coverage(
        self, before: PendingLabels, traffic: WindowTraffic
    ) -> tuple[PendingLabels, dict[WatchKey, ScoreSum], tuple[tuple[int, int], ...]]:
        """The label coverage watches' sums, and rows and labels, of windows whose labels are no longer waited for."""
        if self._catalogue.coverage is None:
            return before, {}, ()
        answered = traffic.answered
        counts = self.rows.group_counts(answered.tally)
        newest = answered.newest if answered.rows else None
        labelled = {start: self.rows.group_counts(tally) for start, tally in traffic.labelled.tallies.items()}
        window = self._label_window(traffic.window)
        completed = before.completed(counts, newest, labelled, window=window)
        after, sums = before.updated_by_counts(self._catalogue.coverage, counts, newest, labelled, window=window)
        return after, sums, completed

    def _joint_distribution(
        self, before: RecentWindows, answered: AnsweredSums
    ) -> tuple[RecentWindows, dict[WatchKey, ScoreSum], tuple[Finding, ...]]:
        """The joint watch's score sum over the sampled rows; and findings about rows without an embedding."""
        witness, source, sample = self._reference_fit.witness, self._catalogue.embedding, answered.sample
        if witness is None:
            return before, {}, ()
        rows = sample if source is None else embedded(sample, source)
        findings = () if source is None else missing_embeddings(len(sample), len(rows), source)
        total, recent = witness.step_sample(before, rows, answered.rows)
        return recent, {witness.key: total}, findings

    def _label_window(self, window: Window) -> LabelWindow:
        horizon = duration_microseconds(self._reference_fit.horizon)
        return LabelWindow(start=as_microseconds(window.start), end=as_microseconds(window.end), horizon=horizon)
