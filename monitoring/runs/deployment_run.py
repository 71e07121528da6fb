"""One run over one deployment: its state is taken up, moved by each window that is due, and stored."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa

from monitoring.baseline.predictions import microseconds, no_predictions
from monitoring.config.sections import RetentionSection
from monitoring.deployment.deployment import Deployment
from monitoring.deployment.metrics.metric_loading import metric_changes
from monitoring.evidence.autocorrelation import MAX_UPDATE_WINDOWS, ar1_update_due
from monitoring.evidence.fleet import FleetShare
from monitoring.evidence.level import LevelState, LevelTest
from monitoring.fits.simulations import initial_level, simulated_sensitivity
from monitoring.incidents.alarm import HISTORY
from monitoring.judging.autocorrelation_update import AutocorrelationUpdate
from monitoring.judging.burn_in import BurnIn
from monitoring.judging.judge import Judgement, with_numbers_of
from monitoring.judging.judge_state import JudgeState, last_closed
from monitoring.judging.window.label_join import LATE_LABEL_HORIZONS, LabelJoin, RowLoader
from monitoring.judging.window.traffic_source import TrafficSource
from monitoring.judging.window.waiting_labels import WaitingLabels
from monitoring.judging.window.window_reader import read_window
from monitoring.judging.window.window_traffic import DueWindow, LateRows, TrafficEnd
from monitoring.records import JUDGED_AGAIN, LEVELS, Backfill, Finding, IncidentRecord, Level, WatchKey, WindowRecord
from monitoring.records.state_names import FLEET, SUBGROUPS
from monitoring.runs.due_windows import is_followed, next_due_at, windows_of_labels
from monitoring.runs.stored_reference import StoredReference
from monitoring.sources.read_scope import ReadScope
from monitoring.store.checks import Check
from monitoring.store.store import Store
from monitoring.subgroups.run_search import RunSearch, SearchSchedule
from monitoring.timestamps import as_datetime, as_microseconds, duration_microseconds
from monitoring.tracing import span
from monitoring.traffic.labels.label_log import LABEL_LOG_DAMAGED, has_labels, labels_ever, reject_lost_labels
from monitoring.traffic.labels.label_retention import forget_labels
from monitoring.traffic.windows import Window

#: The entry of the label cursor for how many labels of the log, in order of arrival, the windows so far have seen.
CURSOR = "labels"

#: And for the first of the last windows, microseconds, which no row followed when they were judged.
OPEN_SINCE = "open since"

#: Who has windows judged again that were the end of the traffic.
REOPENED_BY = "pitfalls monitor run"


def _arrived_before(parts: Iterable[pa.Table], moment: datetime) -> int:
    """How many labels of the log, in order of arrival, came before the first whose time is that moment or later."""
    ever = 0
    for labels in parts:
        later = np.flatnonzero(microseconds(labels["label_time"]) >= as_microseconds(moment))
        if later.size:
            return int(labels["sequence"][int(later[0])].as_py())
        ever = max(ever, labels_ever(labels))
    return ever


class DeploymentRun:
    """One run over one deployment: the traffic as it was when the run began, and the state that each window moves."""

    def __init__(self, deployment: Deployment, store: Store, number: int, search: RunSearch | None = None) -> None:
        """Takes up the state where the last window left it."""
        self._deployment = deployment
        self._search = search
        self._store = store
        self._number = number
        self._empty = no_predictions(deployment.baseline.spec)
        last = store.windows.last(number)
        self._since = store.deployments.read(number).since
        self._fresh = last is None
        ends = (self._since, None if last is None else last.record.end)
        self._after = max((end for end in ends if end is not None), default=None)
        cursor = {} if last is None else last.label_cursor
        self._read, self._cursor = int(cursor.get(CURSOR, 0)), cursor
        self._judged = self._judged_before_run = store.windows.count(number, self._since)
        self._late = LateRows()
        self._last_row: datetime | None = None
        self._open_since = cursor.get(OPEN_SINCE)
        incidents = store.incidents.read(number)
        self._before = {incident.number: incident for incident in incidents if incident.closed_from == JUDGED_AGAIN}
        states = store.deployments.states(number)
        self._state = JudgeState.from_texts(
            states,
            incidents=incidents,
            history=store.windows.read(number, latest=min(HISTORY, self._judged)) if self._judged else (),
            begun=last is not None,
        )
        self._reference = StoredReference(store, number, self._since)
        self._fleet_evidence = float.fromhex(states.get(FLEET) or (-math.inf).hex())
        self._searches = SearchSchedule.from_text(states.get(SUBGROUPS, ""))
        self._is_widened = last is not None and self._state.burn_in.is_over(last.record.start)
        if self._is_widened:
            self._deployment = deployment.widened(self._state.burn_in.widths)

    @property
    def scope(self) -> ReadScope:
        """What part of the traffic is of interest: rows that may get a label still."""
        if self._after is None:
            return ReadScope(job=True)
        horizon = self._deployment.horizon
        return ReadScope(
            since=self._after - LATE_LABEL_HORIZONS * horizon,
            new_since=self._after - horizon,
            counted_since=self._after - self._deployment.checkpoint_age - LATE_LABEL_HORIZONS * horizon,
            judged_until=self._after,
            job=True,
        )

    @property
    def judged(self) -> int:
        """How many windows this run has judged."""
        return self._judged - self._judged_before_run

    @property
    def follows(self) -> int | None:
        """Of a deployment's first run, the number of the deployment whose place it takes."""
        return self._store.deployments.read(self._number).follows if self._fresh else None

    @property
    def open_since(self) -> datetime | None:
        """When the first of the last windows begins that no row followed when they were judged; None: one followed."""
        return None if self._open_since is None else as_datetime(self._open_since)

    def reopened(self, opened: Callable[[Deployment, ReadScope], TrafficSource], now: datetime) -> datetime | None:
        """Put windows back to be judged again for which rows have come since they were the end of the traffic.

        Returns:
            When the first of them begins; None: none has more rows now, or it cannot be judged again.
        """
        since = self.open_since
        if since is None:
            return None
        windows = self._store.windows.recent(self._number, since=since)
        records = [record for record in windows if record.start >= since]
        traffic = opened(self._deployment, ReadScope(since=since))
        open_windows = [Window(start=record.start, end=record.end) for record in records]
        read = [record.rows + record.repeats for record in records]
        if not traffic.may_have_more(open_windows, read):
            return None
        counts = traffic.row_counts(open_windows)
        more = [record.start for record, (_, rows) in zip(records, counts.tolist(), strict=True) if rows > record.rows]
        if not more or more[0] not in self._store.backfills.rejudgeable(self._number):
            return None
        end = records[-1].end
        again = Backfill(start=more[0], end=end, by=REOPENED_BY, at=now, until=end)
        self._store.backfills.begin(self._number, again, again_from=again.start, checked_at=None)
        return again.start

    def begin(self, label_logs: tuple[Path, ...], *, labels_anew: bool = False) -> None:
        """Store what the deployment is held against, unless that is stored already.

        Args:
            label_logs: where the label log may be on this machine; none where it is elsewhere.
        """
        if labels_anew:
            self._read, self._cursor = 0, {}
        elif self._read and label_logs and not any(map(has_labels, label_logs)):
            reject_lost_labels(0, self._read)
        self._reference.begin(self._deployment.reference_fit)

    @cached_property
    def _initial_levels(self) -> Mapping[Level, LevelState]:
        return {level: initial_level(self._deployment.reference_fit, level) for level in LEVELS}

    def due(self, traffic: TrafficSource, now: datetime) -> tuple[Window, ...]:
        """The windows to judge now, in order; the traffic is read for them from here on."""
        deployment = self._deployment
        self._traffic = traffic
        if self._fresh and self._since is not None:
            self._read = _arrived_before(traffic.label_parts(), self._since)
        self._waiting = WaitingLabels.of(traffic, self._cursor)
        self._label_join = LabelJoin(
            traffic.label_parts(),
            task=deployment.baseline.spec.task,
            read=self._read,
            horizon_us=duration_microseconds(deployment.horizon),
            outside=self._waiting,
            lookup=traffic,
        )
        self._label_join.looks_back = not any(record.labels_unknown for record in self._state.history[-1:])
        damaged = any(finding.kind == LABEL_LOG_DAMAGED for finding in traffic.source_findings)
        if self._label_join.read < self._read and not damaged:
            reject_lost_labels(self._label_join.read, self._read)
        self._followed = self._is_followed()
        due = deployment.plan.due_windows(traffic, after=self._after, now=now, followed=self._followed)
        due = (*due, *self._windows_of_labels(due, now))
        traffic.expect(due)
        if due:
            self._join_team(due[0])
        if self._after is not None and (due or traffic.has_counted_rows):
            self._late = self._late_rows()
        if due and self._after is not None:
            self._label_join.restore(self._judged_before(due[0].start))
        pa.default_memory_pool().release_unused()  # what finding out the windows took is the system's again
        return due

    def _is_followed(self) -> bool:
        """Whether the traffic is followed as it comes; a deployment's first run goes by the one whose place it takes.

        So traffic that had stopped when a setting was changed is still an outage.
        """
        number, after, length = self._number, self._after, None
        if self.follows is not None:
            number, last = self.follows, self._store.windows.last(self.follows)
            if last is None:
                return False
            after, length = last.record.end, last.record.end - last.record.start
        checked_at = self._store.deployments.check(number).checked_at
        return is_followed(self._deployment.plan, after=after, checked_at=checked_at, length=length)

    def _join_team(self, window: Window) -> None:
        """Hold facts to the budget of the deployment's team, if it has one."""
        team = self._deployment.team
        if team is None:
            self._store.fleets.leave(self._number)
            return
        share = team.share(self._store, self._number, window.end)
        days = (window.end - window.start) / timedelta(days=1)
        self._deployment = self._deployment.within_team(share.budget.threshold * share.members / days)

    def _fleet_share(self, window: Window) -> FleetShare | None:
        """What the deployment knows of its team before a window; None where it is in none."""
        team = self._deployment.team
        if team is None:
            return None
        share = team.share(self._store, self._number, window.end)
        return replace(share, log_evidence=-math.inf if share.alarmed else self._fleet_evidence)

    def _windows_of_labels(self, due: tuple[Window, ...], now: datetime) -> tuple[Window, ...]:
        """The windows after the last row of traffic that is not followed, in which labels arrive that may count."""
        plan, after = self._deployment.plan, due[-1].end if due else self._after
        self._last_row = max((last for _, last in plan.spans(self._traffic) if last <= now), default=None)
        if self._last_row is None or after is None or self._followed:
            return ()
        start, latest = as_microseconds(after), as_microseconds(min(self._last_row + self._deployment.horizon, now))
        last = self._label_join.last_unjoined(start, latest, first=not due)
        until = None if last is None else as_datetime(last)
        return windows_of_labels(plan, after=after, until=until, now=now)

    @property
    def has_rows(self) -> bool:
        """Whether the traffic has a row. Cost: of windows of rows, all event times."""
        return self._deployment.plan.has_rows(self._traffic)

    @property
    def waiting_labels(self) -> int:
        """How many labels wait for the next window, where this run has judged none."""
        return 0 if self.judged or self._after is None else self._label_join.waiting(as_microseconds(self._after))

    @property
    def unreported(self) -> tuple[Finding, ...]:
        """What no window has told of, where this run has judged none."""
        return () if self.judged else (*self._traffic.source_findings, *self._late.findings())

    @property
    def next_due_at(self) -> datetime | None:
        """The time before which no window is due; None where it is not known."""
        return next_due_at(self._deployment.plan, self._after)

    def finish(self, check: Check, *, sensitivity: bool = True) -> None:
        """Store that all that was due is judged, so that a run with nothing to do knows it at once.

        How small a harm is detected is stored too where that is not known, or has changed in this run. Windows that
        ended before the oldest checkpoint cannot be judged again from then on.
        """
        if sensitivity and not self._reference.sensitivity:
            self._save_sensitivity()
        plan, last = self._deployment.plan, self._store.windows.last(self._number)
        after = None if last is None else last.record.end
        ends = [end for _, end in plan.spans(self._traffic)]
        all_judged = bool(ends) and after is not None and max(ends) < after and not self._followed
        state = check.traffic_state if all_judged else ""
        if last is not None and last.record.claims != (claims := self._reference.claims(self._state.history)):
            self._store.windows.save_claims(self._number, last.record.start, claims)
        if after is not None and self.judged:
            self._store.backfills.forget_checkpoints(self._number, after - self._deployment.checkpoint_age)
        due = next_due_at(plan, after, None if self._followed else self._last_row)
        self._store.deployments.save_check(self._number, replace(check, next_due_at=due, traffic_state=state))

    def forget(self, retention: RetentionSection, label_logs: tuple[Path, ...], now: datetime) -> None:
        """Delete what is older than it is to be kept, but not what judging still looks at.

        Args:
            label_logs: where the label log of a traffic log may be; that of a table stays, as it says which of the
                table's labels are known.
        """
        latest = self._store.windows.recent(self._number, latest=max(MAX_UPDATE_WINDOWS, HISTORY))
        if latest and retention.details is not None:
            before = min(now - retention.details, latest[0].start)
            self._store.windows.forget_details(self._number, before, around=HISTORY)
        if retention.notifications is not None:
            self._store.outbox.forget(self._number, now - retention.notifications)
        if latest and retention.labels is not None:
            age = self._deployment.checkpoint_age
            needed = latest[-1].end - age - LATE_LABEL_HORIZONS * self._deployment.horizon
            read = self._read_by_all(since=now - retention.labels)
            for root in filter(has_labels, label_logs):
                forget_labels(root, min(now - retention.labels, needed), read=read)

    def _read_by_all(self, since: datetime) -> int:
        """How many labels every deployment of this traffic has read that was used after a time."""
        traffic = self._store.deployments.read(self._number).traffic
        used = [
            summary
            for summary in self._store.overview.summaries()
            if summary.record.traffic == traffic and summary.used_at >= since
        ]
        last = [
            self._store.windows.last(summary.record.number) for summary in used if summary.record.number is not None
        ]
        return min(0 if window is None else int(window.label_cursor.get(CURSOR, 0)) for window in last)

    def judge(self, window: Window, *, first: bool) -> tuple[WindowRecord, tuple[IncidentRecord, ...]]:
        """Judge one window and commit what it changed, in one transaction.

        Incidents are read anew, as people may have acted on them since the last window.
        """
        incidents = self._store.incidents.tracked(self._number)
        self._state = replace(self._state, incidents=incidents, closed=last_closed(incidents, self._state.closed))
        if not self._state.levels:
            self._state = self._deployment.judge.rearmed(replace(self._state, levels=self._initial_levels))
        self._burn_in(window)
        if ar1_update_due(self._judged):
            self._update_autocorrelation()
        judge = self._deployment.judge
        with span("read"):
            end = self._end_at(window)
            due = DueWindow(window=window, first=first, end=end)
            traffic = read_window(self._traffic, self._label_join, due, judge.aggregator(), empty=self._empty)
            is_open = end is not None and not end.is_followed
            self._open_since = (self._open_since or as_microseconds(window.start)) if is_open else None
        broken = self._deployment.rules.findings(traffic.batches.answered(), window, judged_rows=traffic.answered.rows)
        if broken:
            traffic = replace(traffic, findings=(*traffic.findings, *broken))
        if first:
            late = self._late
            findings = (
                *traffic.findings,
                *late.findings(),
                *self._metric_changes(),
                *(self._overlap(window) if self._fresh else ()),
            )
            traffic = replace(traffic, late_rows=late.rows, findings=findings)
        with span("judge"):
            judgement = judge.judge(self._state, traffic, self._fleet_share(window))
        if self._search is not None:
            judgement, self._searches = self._search.after(judgement, self._searches, self._traffic, self._label_join)
        judgement = self._with_numbers(judgement)
        with span("store"):
            self._commit(judgement)
        self._state = judgement.state
        self._judged += 1
        pa.default_memory_pool().release_unused()  # what a window took is the system's again
        return judgement.window, judgement.changed

    def _end_at(self, window: Window) -> TrafficEnd | None:
        """The end of the traffic, where it is in a window or before it."""
        if self._last_row is None or self._last_row >= window.end:
            return None
        return TrafficEnd(last_row=as_microseconds(self._last_row), is_followed=self._followed)

    def _with_numbers(self, judgement: Judgement) -> Judgement:
        """The judgement with the numbers that its incidents had, where windows are judged again."""
        if self._before:
            first = self._state.next_number
            judgement, again = with_numbers_of(judgement, self._before, first_number=first)
            self._before = {number: incident for number, incident in self._before.items() if number not in again}
        return judgement

    def _burn_in(self, window: Window) -> None:
        """Begin a burn-in that is declared with the first window; hold the windows after it against what it showed."""
        length, burn_in = self._deployment.burn_in, self._state.burn_in
        if length is not None and burn_in.until is None:
            burn_in = BurnIn(start=window.start, until=window.start + length)
            self._state = replace(self._state, burn_in=burn_in)
        if burn_in.is_over(window.start) and not self._is_widened:
            self._deployment, self._is_widened = self._deployment.widened(burn_in.widths), True
            self._reference.save_baseline(self._deployment.reference_fit)
            self._reference.save_sensitivity(())

    def _commit(self, judgement: Judgement) -> None:
        step, team, states = judgement.fleet, self._deployment.team, judgement.state.to_texts()
        if step is not None:
            self._fleet_evidence = step.log_evidence
            states = {**states, FLEET: step.log_evidence.hex()}
        self._store.commit_window(
            self._number,
            replace(judgement.window, claims=self._reference.claims(judgement.state.history)),
            states={**states, SUBGROUPS: self._searches.to_text()},
            label_cursor={
                CURSOR: max(self._label_join.read, self._read),
                **self._waiting.cursor,
                **self._late.cursor,
                **({} if self._open_since is None else {OPEN_SINCE: self._open_since}),
            },
            incidents=judgement.changed,
            fleet=None if step is None or team is None else team.entry(self._number, step, judgement.window.end),
        )

    def _metric_changes(self) -> tuple[Finding, ...]:
        """What the first window of a deployment says of metrics that the one before it had with other code."""
        follows = self.follows
        if follows is None:
            return ()
        before, after = (self._store.deployments.read(number).metrics for number in (follows, self._number))
        return metric_changes(before, after)

    def _overlap(self, window: Window) -> tuple[Finding, ...]:
        """The finding that the first window lies in the time of the reference, or before it."""
        times = self._deployment.baseline.rows.answers.event_times
        dated = times.size and not self._deployment.reference_fit.rows_per_window
        if not dated or as_microseconds(window.start) > int(times.max()):
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
            incident for incident in self._store.incidents.read(self._number) if incident.number not in self._before
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
            latest = min(MAX_UPDATE_WINDOWS, self._judged)
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

    def _late_rows(self) -> LateRows:
        """Rows that came into windows judged before, of those within the label horizon."""
        since = self.scope.new_since
        windows = self._store.windows.recent(self._number, since=since)
        records = [w for w in windows if since is None or w.start >= since]
        counts = self._traffic.row_counts([Window(start=record.start, end=record.end) for record in records])
        return LateRows.of(records, counts, self._cursor)

    def _judged_before(self, start: datetime) -> Iterator[tuple[Window, RowLoader]]:
        """The windows before this run whose predictions may still get their label."""
        oldest = start - LATE_LABEL_HORIZONS * self._deployment.horizon
        windows = [
            Window(start=record.start, end=record.end)
            for record in self._store.windows.recent(self._number, since=oldest)
            if oldest < record.end <= start
        ]
        if self._since is not None:
            begin = max((window.end for window in windows if window.end <= self._since), default=oldest)
            if begin < self._since:  # rows from before it that are in no judged window
                windows.append(Window(start=begin, end=self._since))
        for window in sorted(windows):
            yield window, self._traffic.rows(window).select
