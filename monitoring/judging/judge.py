"""Judges one window: the state before it and its traffic in, a judgement and the state after it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from monitoring.evidence.level import LevelState, LevelTest
from monitoring.incidents.onset import HISTORY
from monitoring.judging.autocorrelation_update import UpdatedTests
from monitoring.judging.fact_incidents import FACT_WATCH
from monitoring.judging.fit.estimator import losses_by_window
from monitoring.judging.fit.reference_fit import ReferenceFit
from monitoring.judging.incident_tracker import IncidentTracker
from monitoring.judging.input_check import InputCheck
from monitoring.judging.level_evidence import LevelEvidence, excluded_watches, step_excluding
from monitoring.judging.window.window_sums import WindowAggregator
from monitoring.judging.window.window_traffic import WindowTraffic
from monitoring.judging.window_scorer import ScoredWindow, ScoringState, WindowScorer
from monitoring.records import (
    LEVELS,
    EstimateRecord,
    IncidentRecord,
    Level,
    ScoreRecord,
    WindowRecord,
    WindowStatus,
)
from monitoring.watches.catalogue import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeState:
    """All that passes from one window to the next.

    Attributes:
        levels: The state of each level's test.
        incidents: The incidents that are not closed.
        next_number: The number of the next incident.
        history: The last windows, at most `monitoring.incidents.onset.HISTORY`.
        scoring: What the scores of the next window need.
    """

    levels: Mapping[Level, LevelState] = field(default_factory=dict)
    incidents: tuple[IncidentRecord, ...] = ()
    next_number: int = 1
    history: tuple[WindowRecord, ...] = ()
    scoring: ScoringState = field(default_factory=ScoringState)

    @property
    def estimates(self) -> tuple[EstimateRecord, ...]:
        """The estimates of the last window."""
        return self.history[-1].estimates if self.history else ()

    def history_with(self, record: WindowRecord) -> tuple[WindowRecord, ...]:
        """The history after one more window."""
        return (*self.history, record)[-HISTORY:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One judged window.

    Attributes:
        state: The state after it.
        window: Its record.
        changed: The incidents that it opened, closed or changed.
    """

    state: JudgeState
    window: WindowRecord
    changed: tuple[IncidentRecord, ...]


class Judge:
    """Judges the windows of one deployment. Without state of its own: the same state and traffic give the same result.

    Args:
        catalogue: The deployment's watches.
        reference_fit: The fitted baseline.
        timezone: IANA name of the zone in which messages name days.
        phases: The phase of the window that begins at a time, in each period.
        input_check: Checks each window's inputs.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        reference_fit: ReferenceFit,
        *,
        timezone: str,
        phases: Callable[[datetime], Mapping[str, int]],
        input_check: InputCheck,
    ) -> None:
        self._watches = catalogue.watches
        self._estimator = reference_fit.estimator
        self._min_rows = reference_fit.tests["page"].min_rows
        self._tests = UpdatedTests(reference_fit.tests)
        self._tracker = IncidentTracker(catalogue, reference_fit, timezone=timezone, phases=phases)
        self.scorer = WindowScorer(catalogue, reference_fit, input_check=input_check, phases=phases)

    def aggregator(self) -> WindowAggregator:
        """An empty aggregator for one window's rows; its sums go into `WindowTraffic`."""
        return self.scorer.aggregator()

    def judge(self, state: JudgeState, traffic: WindowTraffic) -> Judgement:
        """Judge one window.

        Cost: that of its watches, whatever the number of rows; where an incident opens, a pass over the rows as well.

        Args:
            state: The state before the window.
            traffic: The window's rows and labels.

        Returns:
            The window's record, the incidents that it changed, and the state after it.
        """
        window = self.scorer.score(state.scoring, traffic)
        tests = self._tests.at(state.levels)
        advanced = self._tracker.advance(state.incidents, tests, window)
        changed = tuple(new for old, new in zip(state.incidents, advanced, strict=True) if new != old)
        evidence = self._evidence(state, tests, window, changed)
        record = self._record(window, evidence, state.estimates)
        current = _not_closed(advanced)
        opened = self._tracker.open(
            evidence, window, state.history_with(record), current=current, first_number=state.next_number
        )
        record = replace(record, status=self._status(record, (*current, *opened)))
        after = JudgeState(
            levels={level: evidence[level].state for level in LEVELS},
            incidents=(*current, *opened),
            next_number=state.next_number + len(opened),
            history=state.history_with(record),
            scoring=window.state,
        )
        return Judgement(state=after, window=record, changed=(*changed, *opened))

    def _evidence(
        self,
        state: JudgeState,
        tests: Mapping[Level, LevelTest],
        window: ScoredWindow,
        changed: Sequence[IncidentRecord],
    ) -> dict[Level, LevelEvidence]:
        """Each level after the window; one whose incident the window has closed starts again without evidence."""
        closed = {one.level for one in changed if one.state == "closed" and one.watch != FACT_WATCH}
        evidence = {}
        for level in LEVELS:
            test, before = tests[level], state.levels.get(level, LevelState())
            before = test.restarted(before) if level in closed else before
            excluded = excluded_watches(test, state.estimates)
            evidence[level] = step_excluding(test, before, window.sums, excluded, window.phases)
        return evidence

    def _record(
        self,
        window: ScoredWindow,
        evidence: Mapping[Level, LevelEvidence],
        previous: tuple[EstimateRecord, ...],
    ) -> WindowRecord:
        """The window's record, whose status is decided once its incidents are known."""
        traffic, estimator = window.traffic, self._estimator
        return WindowRecord(
            start=traffic.window.start,
            end=traffic.window.end,
            rows=window.rows,
            labels=traffic.labelled.rows,
            labels_due=window.rows + traffic.late_rows,
            labels_unknown=traffic.labels_unknown,
            labels_conflicting=traffic.labels_conflicting,
            label_delays=traffic.labelled.delays,
            repeats=traffic.repeats,
            unseen=traffic.missing_rows,
            status="ok",
            page_log_evidence=evidence["page"].reading.log_evidence,
            notice_log_evidence=evidence["notice"].reading.log_evidence,
            findings=window.findings,
            scores=tuple(score for level in LEVELS for score in self._scores(evidence[level])),
            estimates=()
            if estimator is None
            else estimator.estimate(previous, traffic.answered, window.labelled, self.scorer.rows),
            realised_losses=() if estimator is None else losses_by_window(traffic.labelled),
        )

    def _scores(self, level: LevelEvidence) -> tuple[ScoreRecord, ...]:
        return tuple(
            ScoreRecord(
                level=level.test.level,
                watch=reading.key.watch,
                slice=reading.key.slice,
                rows=reading.rows,
                value=None if reading.score is None else self._watches[reading.key.watch].value(reading.score),
                log_evidence=reading.log_evidence,
            )
            for reading in level.reading.watches
        )

    def _status(self, record: WindowRecord, incidents: Sequence[IncidentRecord]) -> WindowStatus:
        """The highest level with an open incident; thin where the window's rows are too few to be tested by themselves.

        An open page counts before a thin window, a thin window before an open notice.
        """
        levels = {one.level for one in incidents}
        if "page" in levels:
            return "page"
        if record.rows < self._min_rows:
            return "thin"
        return "notice" if "notice" in levels else "ok"


def _not_closed(incidents: Sequence[IncidentRecord]) -> tuple[IncidentRecord, ...]:
    return tuple(one for one in incidents if one.state != "closed")
