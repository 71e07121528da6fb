"""One run over one deployment: its state is taken up, moved by each window that is due, and stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

import pyarrow as pa

from monitoring.baseline.predictions import no_predictions
from monitoring.deployment.deployment import Deployment
from monitoring.deployment.metrics.metric_loading import metric_changes
from monitoring.evidence.autocorrelation import MAX_UPDATE_WINDOWS, ar1_update_due
from monitoring.evidence.level import LevelState, LevelTest
from monitoring.fits.simulations import initial_level, simulated_sensitivity
from monitoring.incidents.alarm import HISTORY
from monitoring.judging.autocorrelation_update import AutocorrelationUpdate
from monitoring.judging.judge import Judgement, with_numbers_of
from monitoring.judging.judge_state import JudgeState, last_closed
from monitoring.judging.window.window_reader import read_window
from monitoring.judging.window.window_traffic import DueWindow, WindowTraffic
from monitoring.records import JUDGED_AGAIN, LEVELS, Finding, IncidentRecord, Level, WatchKey, WindowRecord
from monitoring.records.state_names import SUBGROUPS
from monitoring.runs.due_traffic import DueTraffic, next_due_at
from monitoring.runs.resume_point import OPEN_SINCE, ResumePoint, StoredReference
from monitoring.runs.run_request import RunContext
from monitoring.runs.team_budget import TeamBudget
from monitoring.store.checks import Check
from monitoring.store.store import WindowEnd
from monitoring.subgroups.incident_relation import RelationSearch
from monitoring.subgroups.run_search import RunSearch, SearchSchedule
from monitoring.timestamps import as_datetime, as_microseconds
from monitoring.tracing import span
from monitoring.traffic.labels.label_log import has_labels, reject_lost_labels
from monitoring.traffic.windows import Window


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TakenUp:
    """What a run goes on from, as the last window left it.

    Attributes:
        put_back: By their numbers, the incidents of windows that are judged again.
        searches: When subgroups are searched for.
        is_widened: Whether the deployment is held against what its burn-in has shown.
    """

    deployment: Deployment
    is_widened: bool
    point: ResumePoint
    state: JudgeState
    put_back: Mapping[int, IncidentRecord]
    searches: SearchSchedule
    team: TeamBudget
    reference: StoredReference

    @classmethod
    def of(cls, context: RunContext, point: ResumePoint) -> TakenUp:
        """Read it."""
        store, number = context.store, context.number
        incidents, states = store.incidents.read(number), store.deployments.states(number)
        state = JudgeState.from_texts(
            states,
            incidents=incidents,
            history=store.windows.read(number, latest=min(HISTORY, point.judged)) if point.judged else (),
            begun=point.last is not None,
        )
        is_widened = point.last is not None and state.burn_in.is_over(point.last.start)
        return cls(
            deployment=context.deployment.widened(state.burn_in.widths) if is_widened else context.deployment,
            is_widened=is_widened,
            point=point,
            state=state,
            put_back={incident.number: incident for incident in incidents if incident.closed_from == JUDGED_AGAIN},
            searches=SearchSchedule.from_text(states.get(SUBGROUPS, "")),
            team=TeamBudget(store, number, context.deployment.team, states),
            reference=StoredReference(store, number, point.since),
        )


def open_run(context: RunContext, label_logs: Sequence[Path], *, labels_anew: bool = False) -> DeploymentRun:
    """Take a deployment up where its last window left it, and open its traffic.

    What it is held against is stored, unless that is stored already.

    Args:
        label_logs: Where the label log may be on this machine; none where it is elsewhere.
        labels_anew: Whether all labels of the log are read once more.

    Raises:
        CannotRun: Labels that windows have seen are gone, or the traffic cannot be read.
    """
    point = ResumePoint.of(context.store, context.number)
    if labels_anew:
        point = point.with_labels_anew()
    elif point.labels_read and label_logs and not any(map(has_labels, label_logs)):
        reject_lost_labels(0, point.labels_read)
    taken = TakenUp.of(context, point)
    taken.reference.begin(taken.deployment.reference_fit)
    looks_back = not any(record.labels_unknown for record in taken.state.history[-1:])
    source = context.open(context.deployment, point.scope(context.deployment))
    traffic = DueTraffic.of(source, context, point, looks_back=looks_back)
    if traffic.due:
        taken = replace(taken, deployment=taken.team.joined(taken.deployment, traffic.due[0]))
    return DeploymentRun(context, taken, traffic)


#: After windows of so many rows, the memory that they took is given back; after each of them it would cost page faults.
MOST_ROWS_HELD = 65_536


class DeploymentRun:
    """One run over one deployment: the traffic as it was when the run began, and the state that each window moves.

    Attributes:
        due: The windows to judge, in order.
        judged: How many of them are judged.
    """

    def __init__(self, context: RunContext, taken: TakenUp, traffic: DueTraffic) -> None:
        """Judges nothing yet."""
        self.due = traffic.source.without_handed_over(traffic.due)
        self.judged = self._rows_held = 0
        self._store, self._number, self._clock = context.store, context.number, context.clock
        self._deployment, self._is_widened = taken.deployment, taken.is_widened
        self._search = RunSearch(
            deployment=context.deployment, store=context.store, number=context.number, reopen=context.open
        )
        self._relation = RelationSearch(deployment=context.deployment)
        self._point, self._team, self._reference = taken.point, taken.team, taken.reference
        self._state, self._searches, self._put_back = taken.state, taken.searches, taken.put_back
        self._open_since = taken.point.open_since
        self._traffic = traffic
        self._empty = no_predictions(context.deployment.baseline.spec)

    @cached_property
    def _initial_levels(self) -> Mapping[Level, LevelState]:
        return {level: initial_level(self._deployment.reference_fit, level) for level in LEVELS}

    @property
    def follows(self) -> int | None:
        """Of a deployment's first run, the number of the deployment whose place it takes."""
        return self._point.follows

    @property
    def excluded_rows(self) -> int:
        """Rows of callers that are excluded, in the windows that were read."""
        return self._traffic.source.excluded_rows

    @property
    def has_rows(self) -> bool:
        """Whether the traffic has a row. Cost: of windows of rows, all event times."""
        return bool(self.due) or self._deployment.plan.has_rows(self._traffic.source)

    @property
    def waiting_labels(self) -> int:
        """How many labels wait for the next window, where this run has judged none."""
        after = self._point.after
        return 0 if self.judged or after is None else self._traffic.labels.join.waiting(as_microseconds(after))

    @property
    def unreported(self) -> tuple[Finding, ...]:
        """What no window has told of, where this run has judged none."""
        return () if self.judged else self._traffic.findings

    @property
    def next_due_at(self) -> datetime | None:
        """The time before which no window was due when the run began; None where it is not known."""
        return next_due_at(self._deployment.plan, self._point.after)

    def finish(self, check: Check, *, sensitivity: bool = True) -> None:
        """Store that all that was due is judged, so that a run with nothing to do knows it at once.

        How small a harm is detected is stored too where that is not known, or has changed in this run. Windows that
        ended before the oldest checkpoint cannot be judged again from then on.
        """
        self._give_back()
        if sensitivity and not self._reference.sensitivity:
            self._save_sensitivity()
        plan, last, traffic = self._deployment.plan, self._store.windows.last(self._number), self._traffic
        after = None if last is None else last.record.end
        ends = [end for _, end in plan.spans(traffic.source)]
        all_judged = bool(ends) and after is not None and max(ends) < after and not traffic.is_followed
        state = check.traffic_state if all_judged else ""
        if last is not None and last.record.claims != (claims := self._reference.claims(self._state.history)):
            self._store.windows.save_claims(self._number, last.record.start, claims)
        if after is not None and self.judged:
            self._store.backfills.forget_checkpoints(self._number, after - self._deployment.checkpoint_age)
        due = next_due_at(plan, after, None if traffic.is_followed else traffic.last_row)
        self._store.deployments.save_check(self._number, replace(check, next_due_at=due, traffic_state=state))

    def judge(self, window: Window) -> tuple[WindowRecord, tuple[IncidentRecord, ...]]:
        """Judge one window and commit what it changed, in one transaction.

        Incidents are read anew, as people may have acted on them since the last window.
        """
        incidents = self._store.incidents.tracked(self._number)
        self._state = replace(self._state, incidents=incidents, closed=last_closed(incidents, self._state.closed))
        if not self._state.levels:
            self._state = self._deployment.judge.rearmed(replace(self._state, levels=self._initial_levels))
        self._burn_in(window)
        if ar1_update_due(self._point.judged + self.judged):
            self._update_autocorrelation()
        judge, labels = self._deployment.judge, self._traffic.labels.join
        with span("read"):
            traffic = self._read(window)
        with span("judge"):
            judgement = judge.judge(self._state, traffic, self._team.share(window))
        judgement, self._searches = self._search.after(
            judgement, self._searches, self._traffic.source, labels, traffic.batches.held
        )
        judgement = self._relation.after(judgement, traffic)
        judgement = self._with_numbers(judgement)
        with span("store"):
            self._commit(judgement, window)
        self._state = judgement.state
        self.judged += 1
        self._rows_held += judgement.window.rows
        if self._rows_held >= MOST_ROWS_HELD:
            self._give_back()
        return judgement.window, judgement.changed

    def _give_back(self) -> None:
        """Give the system back what windows took."""
        self._rows_held = 0
        pa.default_memory_pool().release_unused()

    def _read(self, window: Window) -> WindowTraffic:
        """A window's traffic, with what its rows say against the config's rules, and the run's first with its news."""
        deployment, first = self._deployment, not self.judged
        source, labels, end = self._traffic.source, self._traffic.labels.join, self._traffic.end_at(window)
        due = DueWindow(window=window, first=first, end=end)
        traffic = read_window(source, labels, due, deployment.judge.aggregator(), empty=self._empty)
        is_open = end is not None and not end.is_followed
        self._open_since = (self._open_since or window.start) if is_open else None
        broken = deployment.rules.findings(traffic.batches.answered(), window, judged_rows=traffic.answered.rows)
        findings = (*traffic.findings, *broken)
        if not first:
            return replace(traffic, findings=findings)
        late = self._traffic.late
        findings = (*findings, *late.findings(), *self._metric_changes(), *self._overlap(window))
        return replace(traffic, late_rows=late.rows, findings=findings)

    def _with_numbers(self, judgement: Judgement) -> Judgement:
        """The judgement with the numbers that its incidents had, where windows are judged again."""
        if self._put_back:
            first = self._state.next_number
            judgement, again = with_numbers_of(judgement, self._put_back, first_number=first)
            self._put_back = {number: incident for number, incident in self._put_back.items() if number not in again}
        return judgement

    def _burn_in(self, window: Window) -> None:
        """Begin a burn-in that is declared with the first window; hold the windows after it against what it showed."""
        burn_in = self._state.burn_in.begun(window.start, self._deployment.burn_in)
        self._state = replace(self._state, burn_in=burn_in)
        if burn_in.is_over(window.start) and not self._is_widened:
            self._deployment, self._is_widened = self._deployment.widened(burn_in.widths), True
            self._reference.save_baseline(self._deployment.reference_fit)
            self._reference.save_sensitivity(())

    def _commit(self, judgement: Judgement, window: Window) -> None:
        team_states, entry = self._team.after(judgement.fleet, window)
        opened = {} if self._open_since is None else {OPEN_SINCE: as_microseconds(self._open_since)}
        self._store.commit_window(
            self._number,
            replace(judgement.window, claims=self._reference.claims(judgement.state.history)),
            states={**judgement.state.to_texts(), **team_states, SUBGROUPS: self._searches.to_text()},
            label_cursor={**self._traffic.labels.cursor, **self._traffic.late.cursor, **opened},
            incidents=judgement.changed,
            end=WindowEnd(fleet=entry, judged_at=self._clock()),
        )

    def _metric_changes(self) -> tuple[Finding, ...]:
        """What the first window of a deployment says of metrics that the one before it had with other code."""
        follows = self.follows
        if follows is None:
            return ()
        before, after = (self._store.deployments.read(number).metrics for number in (follows, self._number))
        return metric_changes(before, after)

    def _overlap(self, window: Window) -> tuple[Finding, ...]:
        """The finding that a deployment's first window lies in the time of the reference, or before it."""
        times = self._deployment.baseline.rows.answers.event_times
        dated = times.size and not self._deployment.reference_fit.rows_per_window
        if self._point.last is not None or not dated or as_microseconds(window.start) > int(times.max()):
            return ()
        first, last = as_datetime(int(times.min())), as_datetime(int(times.max()))
        where = "before it" if window.end <= first else "in its time: rows of both are compared with themselves"
        message = (
            f"The reference is of {first:%Y-%m-%d} to {last:%Y-%m-%d}, and the traffic begins on "
            f"{window.start:%Y-%m-%d}, {where}. Are both the right files?"
        )
        return (Finding(kind="traffic before the reference", feature="", message=message),)

    def _update_autocorrelation(self) -> None:
        """Estimate the AR(1) coefficients from the windows in the store: the same whichever run does it."""
        deployment = self._deployment
        incidents = [
            incident for incident in self._store.incidents.read(self._number) if incident.number not in self._put_back
        ]
        levels = dict(self._state.levels)
        page = self._page_test()
        for level in LEVELS:
            update = AutocorrelationUpdate(
                test=deployment.reference_fit.tests[level],
                watches=deployment.reference_fit.watches,
                phases=deployment.plan.phases,
                calendar=deployment.plan.events,
            )
            latest = min(MAX_UPDATE_WINDOWS, self._point.judged + self.judged)
            judged = self._store.windows.scores(self._number, level, latest=latest)
            level_incidents = [
                incident
                for incident in incidents
                if WatchKey(watch=incident.watch, slice=incident.slice) in update.test.tests
            ]
            levels[level] = replace(levels[level], ar1=update.estimate(judged, level_incidents))
        self._state = replace(self._state, levels=levels)
        if self._page_test() != page:
            self._reference.save_sensitivity(())

    def _page_test(self) -> LevelTest:
        """The page level's test, with its AR(1) coefficients as they are now."""
        page = (self._state.levels or self._initial_levels)["page"]
        return self._deployment.reference_fit.tests["page"].with_ar1(page.ar1)

    def _save_sensitivity(self) -> None:
        """Store how small a harm the page level detects, with its AR(1) coefficients as they are now."""
        log_scale = (self._state.levels or self._initial_levels)["page"].log_scale or 0.0
        sensitivity = simulated_sensitivity(self._deployment.reference_fit, self._page_test(), log_scale)
        self._reference.save_sensitivity(sensitivity)
