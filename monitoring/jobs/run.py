"""Every window that is due, once: the job behind `pitfalls monitor run`, and behind each tick of the schedule."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from monitoring.baseline.predictions import no_predictions
from monitoring.config import MonitorConfig
from monitoring.evidence.autocorrelation import MAX_UPDATE_WINDOWS, ar1_update_due
from monitoring.evidence.calibration import calibrated_log_scale
from monitoring.evidence.level import LevelState
from monitoring.evidence.sensitivity import smallest_detectable_harms
from monitoring.incidents.onset import HISTORY
from monitoring.jobs.deployment import Deployment, deploy
from monitoring.jobs.notify import Tell, Teller
from monitoring.jobs.read_scope import ReadScope
from monitoring.jobs.traffic import open_traffic
from monitoring.judging.autocorrelation_update import AutocorrelationUpdate
from monitoring.judging.judge import JudgeState
from monitoring.judging.window.label_join import LabelJoin, RowLoader
from monitoring.judging.window.late_rows import LateRows
from monitoring.judging.window.traffic_source import TrafficSource
from monitoring.judging.window.window_reader import read_window
from monitoring.judging.window_scorer import ScoringState
from monitoring.records import LEVELS, Finding, IncidentRecord, Level, WatchKey, WindowRecord
from monitoring.store.deployments import AWAITED, COMPARED, FIRST_LABELS, WITNESS
from monitoring.store.store import Store
from monitoring.timestamps import as_microseconds, duration_microseconds
from monitoring.traffic.windows import RowPlan, Window, WindowPlan
from monitoring.watches.early_labels import COMPLETE, EarlyLabels
from monitoring.watches.embedding import Embedder
from monitoring.watches.joint import RecentWindows
from monitoring.watches.label_coverage import PendingLabels

#: Seconds a run may take for one window before another run may take over.
LEASE_SECONDS = 120

#: The label cursor's entries: how many labels, in order of arrival, had been read, and how many waited for their rows.
CURSOR = "labels"
WAITING = "waiting"

#: Labels are told as too late for so many horizons.
HORIZONS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Told after each window: how many are done of how many due, the window's record, and the incidents it moved."""

    done: int
    due: int
    window: WindowRecord
    changed: tuple[IncidentRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run did: windows judged, incidents opened, and whether it was stopped before the last due window.

    `untold` are findings about rows without a place in time that no window has told of, as none was judged.
    """

    deployment: int
    judged: int
    opened: tuple[IncidentRecord, ...]
    stopped: bool
    untold: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Helpers:
    """What a run does not do itself: tell people of incidents, and run a bundle's model on tensors."""

    tell: Tell | None = None
    embedder: Embedder | None = None


NOBODY = Helpers()


def run_due_windows(
    config: MonitorConfig,
    store: Store,
    *,
    clock: Callable[[], datetime],
    stop: Callable[[], bool] = lambda: False,
    progress: Callable[[Progress], None] = lambda _: None,
    helpers: Helpers = NOBODY,
) -> Run:
    """Judge every window that is due and was not judged before, oldest first, each in one transaction.

    `helpers.tell` hears of each incident opened, after its window is in the store, and first of those that earlier runs
    left untold: each at least once, also when a process dies in between (see `Teller`). `helpers.embedder` runs the
    bundle's model on tensors, which the monitor does not; without one, the joint watch does not see them, and findings
    say so.

    Stopped (by `stop`, asked between windows) or killed at any moment, the next run goes on after the last window in
    the store and comes to the same numbers and words. Raises CannotRun while another run is judging the same
    deployment.
    """
    deployment = deploy(config, helpers.embedder)
    now = clock()
    number = store.deployment(deployment.record(config, now))
    owner = uuid.uuid4().hex
    with store.lease(number, owner, now, LEASE_SECONDS) as lease:
        if not store.sensitivity(number):
            _describe(store, number, deployment)
        job = _Job(config, deployment, store, number)
        traffic = open_traffic(
            config,
            deployment.baseline,
            deployment.version,
            clock=clock,
            scope=ReadScope(since=job.since, labels_since=job.overdue, judged_until=job.judged, job=True),
        )
        due = job.due(traffic, now)
        teller = Teller(store, number, helpers.tell, clock=clock, renew=lease.renew)
        teller.owed(deployment)
        opened: list[IncidentRecord] = []
        for done, window in enumerate(due):
            if stop():
                return Run(deployment=number, judged=done, opened=tuple(opened), stopped=True)
            lease.renew(clock())
            record, changed = job.judge(window, first=done == 0)
            fresh = [one for one in changed if one.opened_at == record.end or _is_worse(one, record.end)]
            if fresh:
                teller.owed(deployment)
            opened += fresh
            progress(Progress(done=done + 1, due=len(due), window=record, changed=changed))
        untold = () if due else traffic.source_findings
        return Run(deployment=number, judged=len(due), opened=tuple(opened), stopped=False, untold=untold)


def _is_worse(incident: IncidentRecord, at: datetime) -> bool:
    """Whether an incident became worse at that time."""
    return any(event.state == "worse" and event.at == at for event in incident.history)


def _describe(store: Store, number: int, deployment: Deployment) -> None:
    """What the deployment is held against and how small a harm it would notice."""
    store.save_baseline(number, deployment.reference_fit.baseline_scores())
    _say_what_is_noticed(store, number, deployment, initial_level(deployment, "page"))


def initial_level(deployment: Deployment, level: Level) -> LevelState:
    """A level before its first window. The page level is calibrated, which takes about a second; the notice level not.

    The same each time, so that a run that is killed before its first window is committed begins again the same way.
    """
    if level != "page":
        return LevelState()
    fit = deployment.reference_fit
    return LevelState(log_scale=calibrated_log_scale(fit.tests[level], fit.means, np.random.default_rng(0)))


def _say_what_is_noticed(store: Store, number: int, deployment: Deployment, page: LevelState) -> None:
    """How small a harm would be noticed with the memories that the page level has learnt by now."""
    reference_fit = deployment.reference_fit
    test = reference_fit.tests["page"].with_ar1(page.ar1)
    harms = smallest_detectable_harms(
        test, reference_fit.means, reference_fit.harms(), np.random.default_rng(0), log_scale=page.log_scale or 0.0
    )
    store.save_sensitivity(number, harms)


def due_windows(
    traffic: TrafficSource, plan: WindowPlan | RowPlan, *, after: datetime | None, now: datetime
) -> tuple[Window, ...]:
    """The windows with traffic that are due and begin at `after` or later, in order.

    Windows without a row are among them, but for gaps that are longer than the plan's longest. Nothing after `now` is
    looked at, so that a row from the far future costs nothing.
    """
    if isinstance(plan, RowPlan):
        times = traffic.event_times()
        if after is not None:
            times = times[np.searchsorted(times, as_microseconds(after)) :]
        return tuple(window for window in plan.windows(times, after) if plan.due(window, now))
    found: list[Window] = []
    for first, last in traffic.spans(plan.longest_gap):
        begin, end = first, min(last, now)
        if after is not None and (first <= after or first - after <= plan.longest_gap):
            begin = min(after, end)
        found += [w for w in plan.windows(begin, end) if plan.due(w, now) and (after is None or w.start >= after)]
    return tuple(found)


def _first_labels(text: str | None, *, begun: bool) -> EarlyLabels:
    """What was remembered; of a deployment that had `begun` before anything was, that they have come."""
    if text is None:
        return COMPLETE if begun else EarlyLabels()
    return EarlyLabels.from_text(text)


class _Job:
    """One run over one deployment: the traffic as it was when it began, and the state that moves."""

    def __init__(self, config: MonitorConfig, deployment: Deployment, store: Store, number: int) -> None:
        self._deployment = deployment
        self._store = store
        self._number = number
        self._empty = no_predictions(deployment.baseline.spec)
        last = store.last_window(number)
        self._after = None if last is None else last.record.end
        cursor = {} if last is None else last.label_cursor
        self._read, self._waited = int(cursor.get(CURSOR, 0)), int(cursor.get(WAITING, 0))
        self._told = cursor
        self._judged = store.judged(number)
        self._late = LateRows()
        incidents = store.incidents(number)
        states = store.level_states(number)
        self._state = JudgeState(
            levels={level: LevelState.from_text(states[level]) for level in LEVELS if level in states},
            incidents=tuple(i for i in incidents if i.state != "closed"),
            next_number=max((i.number for i in incidents), default=0) + 1,
            history=() if last is None else store.windows(number)[-HISTORY:],
            scoring=ScoringState(
                recent=RecentWindows.from_text(states.get(WITNESS, "")),
                pending_labels=PendingLabels.from_text(states.get(AWAITED, "")),
                early_labels=_first_labels(states.get(FIRST_LABELS), begun=last is not None),
                statistics=states.get(COMPARED, ""),
            ),
        )

    @property
    def judged(self) -> datetime | None:
        """The end of the last window judged."""
        return self._after

    @property
    def since(self) -> datetime | None:
        """Rows before that are of no interest any more."""
        return None if self._after is None else self._after - self._deployment.horizon

    @property
    def overdue(self) -> datetime | None:
        """Labels of rows before that are not told any more when they come."""
        return None if self._after is None else self._after - HORIZONS * self._deployment.horizon

    def due(self, traffic: TrafficSource, now: datetime) -> tuple[Window, ...]:
        """The windows to judge now; the traffic is read for them from here on."""
        deployment = self._deployment
        self._traffic = traffic
        self._label_join = LabelJoin(
            traffic.labels(),
            classes=deployment.baseline.spec.classes,
            read=self._read,
            horizon_us=duration_microseconds(deployment.horizon),
            unmatched=replace(traffic.unmatched_labels, labels=max(traffic.unmatched_labels.labels - self._waited, 0)),
            lookup=traffic,
        )
        due = due_windows(traffic, deployment.plan, after=self._after, now=now)
        if due and self._after is not None:
            self._label_join.restore(self._judged_before(due[0].start))
            self._late = self._late_rows()
        return due

    def judge(self, window: Window, *, first: bool) -> tuple[WindowRecord, tuple[IncidentRecord, ...]]:
        """Judge one window and commit what it changed."""
        if not self._state.levels:
            levels = {level: initial_level(self._deployment, level) for level in LEVELS}
            self._state = self._deployment.judge.rearmed(replace(self._state, levels=levels))
        if ar1_update_due(self._judged):
            self._learn()
        judge = self._deployment.judge
        traffic = read_window(
            self._traffic, self._label_join, window, judge.aggregator(), first=first, empty=self._empty
        )
        if first:
            late = self._late
            traffic = replace(traffic, late_rows=late.rows, findings=(*traffic.findings, *late.findings()))
        judgement = judge.judge(self._state, traffic)
        self._store.commit_window(
            self._number,
            judgement.window,
            states={
                **{level: state.to_text() for level, state in judgement.state.levels.items()},
                WITNESS: judgement.state.scoring.recent.to_text(),
                AWAITED: judgement.state.scoring.pending_labels.to_text(),
                FIRST_LABELS: judgement.state.scoring.early_labels.to_text(),
                COMPARED: judgement.state.scoring.statistics,
            },
            label_cursor={
                CURSOR: self._label_join.read,
                WAITING: self._traffic.unmatched_labels.labels,
                **self._late.cursor,
            },
            incidents=judgement.changed,
        )
        self._state = judgement.state
        self._judged += 1
        return judgement.window, judgement.changed

    def _learn(self) -> None:
        """Learn what windows remember, from those in the store: the same at whichever run its turn comes."""
        deployment, incidents = self._deployment, self._store.incidents(self._number)
        levels = dict(self._state.levels)
        for level in LEVELS:
            update = AutocorrelationUpdate(
                test=deployment.reference_fit.tests[level],
                watches=deployment.reference_fit.watches,
                phases=deployment.plan.phases,
            )
            judged = self._store.score_history(self._number, level, latest=MAX_UPDATE_WINDOWS)
            mine = [one for one in incidents if WatchKey(watch=one.watch, slice=one.slice) in update.test.tests]
            levels[level] = replace(levels[level], ar1=update.estimate(judged, mine))
        self._state = replace(self._state, levels=levels)
        _say_what_is_noticed(self._store, self._number, deployment, levels["page"])

    def _late_rows(self) -> LateRows:
        """Rows that came into windows judged before, of those within the horizon."""
        since = self.since
        records = [w for w in self._store.windows(self._number, scores=False) if since is None or w.start >= since]
        counts = self._traffic.row_counts([Window(start=record.start, end=record.end) for record in records])
        return LateRows.of(records, counts, self._told)

    def _judged_before(self, start: datetime) -> Iterator[tuple[Window, RowLoader]]:
        """The judged windows within the horizon, whose predictions may still get their label."""
        oldest = start - self._deployment.horizon
        for record in self._store.windows(self._number, scores=False):
            if oldest < record.end <= start:
                window = Window(start=record.start, end=record.end)
                yield window, self._traffic.rows(window).select
