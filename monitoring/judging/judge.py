"""Judges one window: the state before it and its traffic in, a judgement and the state after it out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import numpy as np

from monitoring.evidence.fleet import FleetShare, FleetStep
from monitoring.evidence.level import LevelState, LevelTest
from monitoring.incidents.alarm import HISTORY
from monitoring.incidents.rearm import harm_group, have_fallen, is_suspected
from monitoring.judging.autocorrelation_update import UpdatedTests
from monitoring.judging.burn_in import silenced
from monitoring.judging.event_windows import (
    NO_WINDOW_EVENTS,
    ordinary_history,
    replaced_sums,
    tested_record,
    tested_scores,
    with_own_scores,
)
from monitoring.judging.fit.estimator import losses_by_window
from monitoring.judging.fit.reference_fit import ReferenceFit
from monitoring.judging.fit.reference_limits import NO_DATES
from monitoring.judging.in_sample import SUBJECT as IMPROVED_SUBJECT
from monitoring.judging.in_sample import improvement_findings, in_sample_findings
from monitoring.judging.incident_tracker import HARM_WINDOWS, IncidentTracker
from monitoring.judging.input_check import InputCheck
from monitoring.judging.judge_state import JudgeState, last_closed
from monitoring.judging.label_silence import SUBJECT
from monitoring.judging.level_evidence import LevelEvidence, excluded_watches, has_losses, step_excluding
from monitoring.judging.window.event_scores import EventReference, EventScores
from monitoring.judging.window.window_sums import WindowAggregator
from monitoring.judging.window.window_traffic import WindowTraffic
from monitoring.judging.window_scorer import ScoredWindow, WindowScorer
from monitoring.records import (
    HIGHEST_LOSS,
    LEVELS,
    Finding,
    IncidentRecord,
    Level,
    ScoreRecord,
    Watch,
    WatchKey,
    WindowRecord,
    WindowStatus,
)
from monitoring.timestamps import as_microseconds
from monitoring.traffic.expected_events import NO_EVENTS, EventCalendar
from monitoring.traffic.windows import Window
from monitoring.watches.catalogue import Catalogue


def _with_label_silence(window: ScoredWindow, incidents: Sequence[IncidentRecord]) -> ScoredWindow:
    """A window with what is found of a time without labels, while some incidents are open."""
    is_open = any(incident.state != "closed" and SUBJECT in incident.subjects for incident in incidents)
    findings = window.state.label_silence.findings(as_microseconds(window.traffic.window.end), is_open=is_open)
    return replace(window, findings=(*window.findings, *findings))


def _referring(
    incidents: Sequence[IncidentRecord], before: JudgeState, watches: Mapping[str, Watch]
) -> tuple[IncidentRecord, ...]:
    """Incidents after a window, of which the new ones refer to the last closed one of their harm (`same_harm`)."""

    def last(incident: IncidentRecord) -> int | None:
        key = WatchKey(watch=incident.watch, slice=incident.slice)
        group = harm_group(watches[key.watch]) if key.watch in watches else None
        numbers = (
            number
            for other, number in before.closed.items()
            if other == key
            or (
                (other.slice in ("", key.slice) or not key.slice)
                and other.watch in watches
                and harm_group(watches[other.watch]) == group
            )
        )
        return max(numbers, default=None)

    return tuple(
        replace(incident, previous=last(incident)) if incident.number >= before.next_number else incident
        for incident in incidents
    )


def _in_team(page: LevelEvidence, team: FleetShare, window: Window) -> tuple[LevelEvidence, FleetStep]:
    """The page level where the team's evidence decides whether it alarms."""
    step = team.after(page.log_before, page.log_after, (window.end - window.start) / timedelta(days=1))
    return replace(page, reading=replace(page.reading, alarm=step.alarm, team=step.evidence(team))), step


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One judged window.

    Attributes:
        fleet: The deployment in its team after it; None where it is in none, or the window was no evidence.
    """

    state: JudgeState
    window: WindowRecord
    changed: tuple[IncidentRecord, ...]
    fleet: FleetStep | None = None


class Judge:
    """Judges the windows of one deployment. It has no state: the same state and traffic give the same result."""

    def __init__(
        self,
        catalogue: Catalogue,
        reference_fit: ReferenceFit,
        *,
        timezone: str,
        phases: Callable[[datetime], Mapping[str, int]],
        input_check: InputCheck,
        calendar: EventCalendar = NO_EVENTS,
    ) -> None:
        self._refit = partial(
            Judge, catalogue, timezone=timezone, phases=phases, input_check=input_check, calendar=calendar
        )
        self._watches = catalogue.watches
        self._estimator = reference_fit.estimator
        self._baseline_events = reference_fit.events
        self._min_rows = reference_fit.tests["page"].min_rows
        self._means = reference_fit.means
        self._tests = UpdatedTests(reference_fit.tests)
        self._zone = ZoneInfo(timezone)
        self._tracker = IncidentTracker(catalogue, reference_fit, timezone=timezone, phases=phases)
        self.scorer = WindowScorer(catalogue, reference_fit, input_check=input_check, phases=phases, calendar=calendar)

    def refitted(self, reference_fit: ReferenceFit) -> Judge:
        """The same judge with another fit of its watches."""
        return self._refit(reference_fit)

    def aggregator(self) -> WindowAggregator:
        """An empty aggregator for one window's rows; its sums go into `WindowTraffic`."""
        return self.scorer.aggregator()

    def rearmed(self, state: JudgeState) -> JudgeState:
        """The state whose levels start anew while incidents are open: changes count from where these stand."""
        tests = self._tests.at(state.levels)
        offsets = self._tracker.rearmed(tests, state.incidents, ordinary_history(state.history, self._watches))
        levels = {level: replace(level_state, offsets=offsets[level]) for level, level_state in state.levels.items()}
        return replace(state, levels=levels)

    def judge(self, state: JudgeState, traffic: WindowTraffic, team: FleetShare | None = None) -> Judgement:
        """Judge one window.

        Cost: that of its watches, whatever the number of rows; where an incident opens, a pass over the rows as well.

        Args:
            team: Decides when the page level alarms; None: the deployment's own budget does.
        """
        usual = state.scoring.usual.after_actions(state.incidents, state.history)
        window = self.scorer.score(replace(state.scoring, usual=usual), traffic, state.history)
        window = _with_label_silence(window, state.incidents)
        evidence, burn_in = self._evidence(state, window), state.burn_in
        if burn_in.covers(traffic.window.start):
            burn_in = burn_in.with_window(evidence)
            evidence, team = {level: silenced(level_evidence) for level, level_evidence in evidence.items()}, None
        fleet = None
        if team is not None:
            evidence["page"], fleet = _in_team(evidence["page"], team, traffic.window)
        record = self._record(window, evidence, state)
        findings = in_sample_findings((*state.history, record), self._means, self._watches)
        better = self._improved((*state.history, record), state.incidents)
        record = replace(record, findings=(*record.findings, *findings, *better))
        window = replace(window, findings=(*window.findings, *better))
        tested = {key: score for level in evidence.values() for key, score in level.tested.items()}
        recent = (
            *ordinary_history(state.history, self._watches)[-(HISTORY - 1) :],
            tested_record(record, tested, self._watches),
        )
        tracked = self._tracker.track(state.incidents, evidence, window, recent, first_number=state.next_number)
        is_high = any(finding.kind == HIGHEST_LOSS for finding in record.findings)
        suspected = is_high or self._is_suspected(evidence["page"], tracked.incidents, recent)
        record = replace(record, status=self._status(record, tracked.incidents, suspected=suspected))
        after = JudgeState(
            levels=tracked.levels,
            incidents=_referring(tracked.incidents, state, self._watches),
            next_number=state.next_number + tracked.opened,
            closed=last_closed(tracked.changed, state.closed),
            history=state.history_with(record),
            scoring=window.state,
            events=self._events_after(state, window, evidence),
            burn_in=burn_in,
        )
        if fleet is not None and fleet.alarm and tracked.levels["page"] != evidence["page"].state:
            fleet = replace(fleet, alarm=False)  # answered: the level begins anew
        changed = _referring(tracked.changed, state, self._watches)
        return Judgement(state=after, window=record, changed=changed, fleet=fleet)

    def _is_suspected(
        self, level: LevelEvidence, incidents: Sequence[IncidentRecord], recent: Sequence[WindowRecord]
    ) -> bool:
        """Whether the evidence or an open notice says that a loss has risen, and labels do not say that all fell."""
        reading, parts = level.reading, {one.slice for one in incidents if is_suspected(one, self._watches)}
        if reading.shares and (reading.loss_alarm or reading.log_evidence >= math.log(level.test.budget.threshold)):
            parts.add(reading.shares[0][0].slice)
        return any(not have_fallen(part, recent[-HARM_WINDOWS:], self._tracker.baseline) for part in parts)

    def _improved(self, windows: Sequence[WindowRecord], incidents: Sequence[IncidentRecord]) -> tuple[Finding, ...]:
        """The finding that a loss is better than the benchmark, while some incidents are open."""
        is_open = any(one.state != "closed" and IMPROVED_SUBJECT in one.subjects for one in incidents)
        return improvement_findings(windows, self._tracker.baseline, self._means, is_open=is_open)

    def _evidence(self, state: JudgeState, window: ScoredWindow) -> dict[Level, LevelEvidence]:
        """Each level after the window. Scores of an expected event are tested against its own reference, or not."""
        tests = self._tests.at(state.levels)
        labels_expected = has_losses(state.history, self._watches)
        evidence = {}
        for level in LEVELS:
            test = tests[level]
            excluded = excluded_watches(test, state.estimates)
            before = state.levels.get(level, LevelState())
            references = self._event_references(state, test, window)
            tested = tested_scores(test, window.sums, references, window.phases)
            sums = replaced_sums(window.sums, tested) if tested else window.sums
            after = step_excluding(test, before, sums, excluded, window.phases, labels_expected=labels_expected)
            evidence[level] = with_own_scores(after, window.sums, tested) if tested else after
        return evidence

    def _event_references(
        self, state: JudgeState, test: LevelTest, window: ScoredWindow
    ) -> dict[WatchKey, EventReference]:
        """The own reference of the event that a watch's score is of; watches of ordinary traffic have none."""
        if window.events == NO_WINDOW_EVENTS:
            return {}
        events = {key: window.events.of(self._watches[key.watch]) for key in test.tests}
        references = {
            event: state.events.reference(event, self._baseline_events)
            for event in set(events.values())
            if event is not None
        }
        return {key: references[event] for key, event in events.items() if event is not None}

    def _events_after(
        self, state: JudgeState, window: ScoredWindow, evidence: Mapping[Level, LevelEvidence]
    ) -> EventScores:
        """The scores of events with those of this window."""
        events = state.events
        for event in dict.fromkeys((window.events.answered, window.events.labelled)):
            if event is None:
                continue
            means = {
                watch.key: watch.score
                for level in evidence.values()
                for watch in level.reading.watches
                if watch.score is not None and window.events.of(self._watches[watch.key.watch]) == event
            }
            events = events.with_window(event, means) if means else events
        return events

    def _record(self, window: ScoredWindow, evidence: Mapping[Level, LevelEvidence], state: JudgeState) -> WindowRecord:
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
            loss_log_evidence=evidence["page"].reading.loss_log_evidence,
            findings=(
                *window.events.findings(lambda event: state.events.reference(event, self._baseline_events)),
                *state.burn_in.findings(traffic.window.start, self._zone),
                *(finding for finding in window.findings if state.burn_in.until is None or finding.kind != NO_DATES),
            ),
            scores=tuple(score for level in LEVELS for score in self._scores(evidence[level])),
            estimates=()
            if estimator is None
            else estimator.estimate(
                state.estimates,
                traffic.answered,
                window.labelled if window.events.labelled is None else window.labelled.without_losses(),
                self.scorer.rows,
            ),
            measured=self.scorer.rows.measured(
                window.labelled.whole, np.random.default_rng(as_microseconds(traffic.window.start))
            ),
            realised_losses=() if estimator is None else losses_by_window(traffic.labelled, self.scorer.rows),
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

    def _status(self, record: WindowRecord, incidents: Sequence[IncidentRecord], *, suspected: bool) -> WindowStatus:
        """The highest level with an open incident; thin where the window's rows are too few to be tested by themselves.

        An open page counts before a loss that has risen and is no page so far, that before a thin window, and a thin
        window before an open notice.
        """
        levels = {incident.level for incident in incidents}
        if "page" in levels:
            return "page"
        if suspected:
            return "suspected"
        if record.rows < self._min_rows:
            return "thin"
        return "notice" if "notice" in levels else "ok"


def with_numbers_of(
    judgement: Judgement, before: Mapping[int, IncidentRecord], *, first_number: int
) -> tuple[Judgement, frozenset[int]]:
    """A judgement whose new incidents have the numbers that they had when the same windows were judged before.

    The incidents of one level, watch and slice are the same in their order.

    Args:
        before: The incidents that were opened when these windows and later ones were judged before, by number, without
            those that were opened again already.

    Returns:
        The judgement, whose other new incidents count from `first_number`; and the numbers that are taken up again.
    """
    left = dict(sorted(before.items()))
    numbers, following = dict[int, int](), first_number
    for opened in (incident for incident in judgement.changed if incident.number >= first_number):
        same = (number for number, incident in left.items() if _harm(incident) == _harm(opened))
        number = next(same, None)
        numbers[opened.number] = following if number is None else number
        if number is None:
            following += 1
        else:
            del left[number]

    def numbered(incidents: tuple[IncidentRecord, ...]) -> tuple[IncidentRecord, ...]:
        return tuple(replace(incident, number=numbers.get(incident.number, incident.number)) for incident in incidents)

    state = judgement.state
    closed = {key: numbers.get(number, number) for key, number in state.closed.items()}
    state = replace(state, incidents=numbered(state.incidents), next_number=following, closed=closed)
    again = replace(judgement, state=state, changed=numbered(judgement.changed))
    return again, frozenset(numbers.values()) & frozenset(before)


def _harm(incident: IncidentRecord) -> tuple[str, str, str]:
    return incident.level, incident.watch, incident.slice
