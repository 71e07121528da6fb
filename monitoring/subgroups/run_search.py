"""The search for subgroups within a run: what is due after a window, its rows, and the notices that it brings."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache

import numpy as np
import pyarrow as pa

from monitoring.baseline.batch import HELD_BYTES, Batch, joined
from monitoring.baseline.predictions import Predictions, no_predictions
from monitoring.deployment.deployment import Deployment
from monitoring.evidence.budget import Budget
from monitoring.judging.judge import Judgement
from monitoring.judging.judge_state import last_closed
from monitoring.judging.window.label_join import LabelJoin
from monitoring.judging.window.traffic_source import TrafficSource
from monitoring.judging.worst_rows import MAX_ROWS
from monitoring.records import LOSS_FAMILIES, SUBGROUP_WATCH, CauseRow, IncidentRecord, Watch, WatchKey, WindowRecord
from monitoring.sources.read_scope import ReadScope
from monitoring.store.store import Store
from monitoring.subgroups.subgroup_incidents import SubgroupSearch, advance_subgroup_incident, open_subgroup_incidents
from monitoring.subgroups.subgroup_rows import MOST_COMPARED, reference_rows, scored_sides, window_length_us
from monitoring.subgroups.subgroups import ERROR_RATE, ScoredSide, meeting
from monitoring.tasks.output_names import split_output
from monitoring.tasks.task import Task
from monitoring.timestamps import as_datetime, duration_microseconds
from monitoring.tracing import span
from monitoring.traffic.id_keys import id_keys, is_member, mixed
from monitoring.traffic.windows import Window
from monitoring.watches.catalogue import Catalogue, labelled_rows

#: Windows between two searches.
SEARCHED_WINDOWS = 30

#: The share of the budget of false notices that searches have.
BUDGET_SHARE = 0.05


def search_error_rate(budget: Budget) -> float:
    """How many subgroups a search names for nothing on average, at most.

    Returns:
        Such that searches have `BUDGET_SHARE` of the false notices of the budget, and at most `ERROR_RATE`.

    >>> round(search_error_rate(Budget.parse("1 per 30 windows")), 6)
    0.05
    >>> round(search_error_rate(Budget.parse("1 per 365 windows")), 6)
    0.00411
    """
    return min(ERROR_RATE, BUDGET_SHARE * SEARCHED_WINDOWS / budget.threshold)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSchedule:
    """When the next search is due: once `SEARCHED_WINDOWS` more windows have all of their labels.

    Attributes:
        since: Windows that begin then or later were not searched; None before the first one.
        due_at: The search is due after the window that ends then or later; None while too few windows wait.

    >>> SearchSchedule.from_text(SearchSchedule().to_text()) == SearchSchedule.from_text("") == SearchSchedule()
    True
    """

    since: datetime | None = None
    waiting: int = 0
    due_at: datetime | None = None

    def with_window(self, window: Window, horizon: timedelta) -> SearchSchedule:
        """With one more window that was judged."""
        waiting = self.waiting + 1
        due_at = window.end + horizon if waiting == SEARCHED_WINDOWS else self.due_at
        return SearchSchedule(since=self.since or window.start, waiting=waiting, due_at=due_at)

    def is_due(self, now: datetime) -> bool:
        """Whether a search is due at the end of a window."""
        return self.due_at is not None and now >= self.due_at

    def after_search(self, until: datetime, windows: Iterable[Window], horizon: timedelta) -> SearchSchedule:
        """After a search."""
        schedule = SearchSchedule(since=until)
        for window in windows:
            schedule = replace(schedule.with_window(window, horizon), since=until)
        return schedule

    def to_text(self) -> str:
        """The state as text, for `from_text`."""
        times = [None if time is None else time.isoformat() for time in (self.since, self.due_at)]
        return json.dumps({"since": times[0], "waiting": self.waiting, "due_at": times[1]})

    @classmethod
    def from_text(cls, text: str) -> SearchSchedule:
        """The inverse of `to_text`; the initial schedule of an empty text."""
        if not text:
            return cls()
        document = json.loads(text)
        since, due_at = (
            None if time is None else datetime.fromisoformat(time) for time in (document["since"], document["due_at"])
        )
        return cls(since=since, waiting=int(document["waiting"]), due_at=due_at)


class JudgedRows:
    """Rows of the windows that a run has judged last, for its next search: the last ones, of at most `HELD_BYTES`."""

    def __init__(self) -> None:
        """Holds nothing yet."""
        self._windows: dict[datetime, Sequence[Batch]] = {}
        self._sizes: dict[datetime, int] = {}

    def add(self, record: WindowRecord, rows: Sequence[Batch] | None) -> None:
        """Hold the rows of a window, if they are in memory still."""
        if rows is not None:
            self._windows[record.start] = rows
            self._sizes[record.start] = sum(batch.nbytes for batch in rows)
        while sum(self._sizes.values()) > HELD_BYTES:
            first = min(self._windows)
            del self._windows[first], self._sizes[first]

    def of(self, record: WindowRecord) -> Sequence[Batch] | None:
        """The rows of a window; None where they have to be read."""
        return self._windows.get(record.start)

    def forget(self, until: datetime) -> None:
        """Drop windows that begin before a time."""
        self._windows = {start: rows for start, rows in self._windows.items() if start >= until}
        self._sizes = {start: self._sizes[start] for start in self._windows}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSearch:
    """Searches the windows of a deployment for subgroups, whenever that is due."""

    deployment: Deployment
    store: Store
    number: int
    reopen: Callable[[Deployment, ReadScope], TrafficSource]
    rows: JudgedRows = field(default_factory=JudgedRows)

    def after(
        self,
        judgement: Judgement,
        schedule: SearchSchedule,
        traffic: TrafficSource,
        labels: LabelJoin,
        rows: Sequence[Batch] | None = None,
    ) -> tuple[Judgement, SearchSchedule]:
        """What a judged window becomes by a search, if one is due after it.

        Args:
            traffic: What the run reads; it keeps no rows beside those of the search.
            labels: All labels of the run. A log's are read anew, as they may go by other ids of older rows.
            rows: Those of the window, if they are in memory; rows that come for it later are not searched then.

        Returns:
            The judgement with the notices of a search, and the schedule after it; a burn-in is not searched. Cost where
            a search is due: a pass over its windows and over the reference, and all labels where they are read.
        """
        record, horizon = judgement.window, self.deployment.horizon
        watches = searched_watches(self.deployment.catalogue)
        if not self.deployment.searches or not watches or judgement.state.burn_in.covers(record.start):
            return judgement, schedule
        schedule = schedule.with_window(_window(record), horizon)
        self.rows.add(record, rows if self.deployment.baseline.spec.embedding is None else None)
        if not schedule.is_due(record.end):
            return judgement, schedule
        waiting = self._waiting(schedule, record)
        complete = [window for window in waiting if window.end + horizon <= record.end]
        searched = [window for window in complete if window.expected is None]
        known = labels if traffic.labels_by_id else None
        with span("search subgroups"):
            traffic.forget()
            incidents = self._incidents(judgement, searched, watches, known) if searched else ()
        self.rows.forget(complete[-1].end)
        rest = (_window(window) for window in waiting[len(complete) :])
        return with_incidents(judgement, incidents), schedule.after_search(complete[-1].end, rest, horizon)

    def _waiting(self, schedule: SearchSchedule, record: WindowRecord) -> list[WindowRecord]:
        """The windows that were not searched, in order of time; the last is being judged."""
        since = schedule.since or record.start
        stored = self.store.windows.read(self.number, scores=False, since=since, before=record.start)
        return [*(window for window in stored if window.start >= since), record]

    def _incidents(
        self, judgement: Judgement, searched: Sequence[WindowRecord], watches: Sequence[Watch], labels: LabelJoin | None
    ) -> tuple[IncidentRecord, ...]:
        """The incidents that a search changes or opens."""
        deployment, state = self.deployment, judgement.state
        before, live = reference_rows(deployment.baseline), self._live_rows(judgement.window, searched, labels)
        if not len(before) or not len(live):
            return ()
        windows = [_window(window) for window in searched]
        length_us = window_length_us(windows)
        sides = [scored_sides(deployment.catalogue, rows, length_us, is_live=rows is live) for rows in (before, live)]
        losses = {watch.name for watch in deployment.catalogue.watches.values() if watch.family in LOSS_FAMILIES}
        current = {incident.number: incident for incident in state.incidents}
        number = state.next_number
        for watch in watches:
            search = SubgroupSearch(
                baseline=sides[0][watch.name],
                live=sides[1][watch.name],
                watch=watch,
                searched=Window(start=windows[0].start, end=windows[-1].end),
                windows=len(windows),
                now=_window(judgement.window),
                error_rate=search_error_rate(deployment.reference_fit.tests["notice"].budget) / len(watches),
                slices=tuple(deployment.catalogue.slices),
                timezone=deployment.timezone,
            )
            for incident in tuple(current.values()):
                if incident.watch == SUBGROUP_WATCH:
                    current[incident.number] = advance_subgroup_incident(incident, search)
            alive = [incident for incident in current.values() if incident.state != "closed"]
            for incident in open_subgroup_incidents(search, alive, losses, first_number=number):
                previous = state.closed.get(WatchKey(watch=incident.watch, slice=incident.slice))
                current[incident.number] = _with_rows(replace(incident, previous=previous), live, search.live)
                number += 1
        earlier = {incident.number: incident for incident in state.incidents}
        return tuple(incident for incident in current.values() if incident != earlier.get(incident.number))

    def _live_rows(
        self, record: WindowRecord, windows: Sequence[WindowRecord], labels: LabelJoin | None
    ) -> Predictions:
        """A sample of the rows of some windows whose labels have come within the horizon, by the end of a window."""
        spec = replace(self.deployment.baseline.spec, embedding=None)
        narrow = replace(self.deployment, baseline=replace(self.deployment.baseline, spec=spec))
        traffic = cache(lambda: self.reopen(narrow, ReadScope(since=windows[0].start)))
        share = MOST_COMPARED / max(sum(window.rows for window in windows), 1)
        batches = (
            batch for window in windows for batch in self.rows.of(window) or traffic().rows(_window(window)).batches()
        )
        rows = joined([_sample(batch, share) for batch in batches if len(batch)] or [no_predictions(spec)])
        horizon_us = duration_microseconds(self.deployment.horizon)
        if labels is None:
            labels = _labels_of(rows, traffic().label_parts(), spec.task, horizon_us)
        labelled = labels.labelled(Batch.of(rows), before=record.end)
        rows = rows.labelled(labelled.labels, labelled.label_times)
        return rows.take(labelled_rows(rows) & (rows.label_times <= rows.event_times + horizon_us))


def _labels_of(rows: Predictions, parts: Iterable[pa.Table], task: Task, horizon_us: int) -> LabelJoin:
    """The labels of some rows: of all labels those of other rows would be held beside the run's own."""
    keys = np.unique(id_keys(rows.ids))
    of_rows = (
        part.filter(pa.array(is_member(id_keys(part["prediction_id"].combine_chunks()), keys))) for part in parts
    )
    return LabelJoin(of_rows, task=task, read=0, horizon_us=horizon_us)


def searched_watches(watches: Catalogue) -> tuple[Watch, ...]:
    """The watches whose values are compared: the first surprise, or that of each output of several; none without one.

    A loss that is not compared with the expected one rises where the traffic becomes harder: it is not searched.
    """
    by_loss: dict[str, Watch] = {}
    for watch in watches.losses.watches:
        if watch.family == "surprise":
            by_loss.setdefault(split_output(watch.name)[0], watch)
    return tuple(by_loss.values())


def _window(record: WindowRecord) -> Window:
    return Window(start=record.start, end=record.end)


def _sample(batch: Batch, share: float) -> Predictions:
    """About so large a share of some rows, chosen by their ids alone."""
    places = np.arange(len(batch))
    if share < 1.0:
        keys = mixed(id_keys(batch.ids(places).cast(pa.string())).view(np.uint64))
        places = np.flatnonzero(keys < np.uint64(share * 2.0**64))
    return batch.take(places)


def _with_rows(incident: IncidentRecord, rows: Predictions, side: ScoredSide) -> IncidentRecord:
    """A notice with the worst rows of its subgroup."""
    subgroup = incident.detail.subgroup
    if subgroup is None:
        return incident
    indices = np.flatnonzero(meeting(subgroup.conditions, side.inputs))
    ids = rows.ids.take(pa.array(indices)).to_pylist()
    order = [(-float(side.excess[at]), int(rows.event_times[at]), id_) for at, id_ in zip(indices, ids, strict=True)]
    worst = sorted(range(indices.size), key=order.__getitem__)[:MAX_ROWS]
    named = tuple(
        CauseRow(
            prediction_id=ids[at],
            event_time=as_datetime(int(rows.event_times[indices[at]])),
            score=float(side.excess[indices[at]]),
        )
        for at in worst
    )
    return replace(incident, detail=replace(incident.detail, rows=named))


def with_incidents(judgement: Judgement, updates: Iterable[IncidentRecord]) -> Judgement:
    """The judgement with the incidents that a search changed or opened, and the window's status after them."""
    changed = {incident.number: incident for incident in updates}
    if not changed:
        return judgement
    state, record = judgement.state, judgement.window
    incidents = {incident.number: incident for incident in state.incidents} | changed
    alive = tuple(incident for incident in incidents.values() if incident.state != "closed")
    if record.status in ("ok", "notice"):
        record = replace(record, status="notice" if alive else "ok")
    return replace(
        judgement,
        state=replace(
            state,
            incidents=alive,
            next_number=max(state.next_number, 1 + max(changed)),
            closed=last_closed(tuple(changed.values()), state.closed),
            history=(*state.history[:-1], record),
        ),
        window=record,
        changed=(*(incident for incident in judgement.changed if incident.number not in changed), *changed.values()),
    )
