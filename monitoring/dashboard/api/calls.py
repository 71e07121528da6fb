"""The calls of the HTTP API as functions of the stores: each reads a bounded number of rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from monitoring.dashboard.api.change_documents import (
    DeploymentPageDocument,
    FailureDocument,
    LabelRequestsDocument,
    entry_document,
    label_requests_document,
)
from monitoring.dashboard.stores.roster import entry_of, failures, missing_configs, read_entries, read_roster
from monitoring.dashboard.stores.stores import Stores
from monitoring.dashboard.stores.telling import tell
from monitoring.documents.deployment import DeploymentDocument, RunsDocument, run_document
from monitoring.documents.incident import IncidentDocument, IncidentsDocument, incident_document
from monitoring.documents.rollout import RolloutDocument, RolloutsDocument, rollout_document
from monitoring.documents.window import WindowsDocument, WindowStateDocument, WindowStatesDocument, window_document
from monitoring.errors import BadInput
from monitoring.records import IncidentAction, IncidentRecord
from monitoring.rollout.status import as_of
from monitoring.runs.backfill import list_windows
from monitoring.store.overview import DeploymentSummary
from monitoring.store.store import Store
from monitoring.timestamps import parse_moment
from monitoring.watches.descriptions import printable


class NotFound(BadInput):
    """What is asked for is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCalls:
    """What the API answers, out of some stores."""

    stores: Stores

    def deployments(self, limit: int, after: str) -> DeploymentPageDocument:
        """The deployments in use: of each name the one that was run last.

        Args:
            after: `STORE/NUMBER` of the last deployment of the page before; empty for the first page.

        Returns:
            Deployments in the order of stores and numbers. Cost: two searches of an index for each of a store.
        """
        now = self.stores.clock()
        roster = read_roster(self.stores.stores, now, self.stores.files)
        candidates = sorted(roster.candidates, key=lambda candidate: candidate.place)
        if after:
            store, _, number = after.rpartition("/")
            last = (store, _whole("after", number))
            candidates = [candidate for candidate in candidates if candidate.place > last]
        shown = candidates[:limit]
        more = len(candidates) > limit
        return DeploymentPageDocument(
            deployments=[entry_document(entry) for entry in read_entries(roster, shown, now)],
            failures=[
                FailureDocument(store=failure.store, config=failure.config, reason=failure.reason)
                for failure in failures(self.stores.files, roster)
            ],
            next=f"{shown[-1].store}/{shown[-1].outline.number}" if more else None,
        )

    def deployment(self, store: str, number: int) -> DeploymentDocument:
        """One deployment, by its store's name and its number. Raises NotFound if there is none."""
        _, summary = self.find(store, number)
        missing = missing_configs(self.stores.files).get((self.stores.store(store).url, summary.record.called), "")
        return entry_document(entry_of(store, summary, self.stores.clock(), unread=missing))

    def windows(self, store: str, number: int, limit: int, before: str) -> WindowsDocument:
        """The windows of a deployment, the latest first.

        Args:
            before: Only those that begin before that time; empty: the latest.
        """
        opened, _ = self.find(store, number)
        until = _moment(before) if before else None
        records = opened.windows.read(number, latest=limit + 1, before=until, scores=False)[::-1]
        benchmark = {metric.metric: metric.value for metric in opened.deployments.measured(number)}
        shown = [window_document(record, benchmark) for record in records[:limit]]
        return WindowsDocument(windows=shown, next=shown[-1].start if len(records) > limit else None)

    def window_states(self, store: str, number: int, limit: int) -> WindowStatesDocument:
        """The last windows of a deployment with their states, judged and due, so many at most."""
        opened, summary = self.find(store, number)
        config = self.stores.store(store).config_of(summary.record.called)
        states = list_windows(config, opened, number, latest=limit, now=self.stores.clock())[-limit:]
        return WindowStatesDocument(windows=[WindowStateDocument.of(state) for state in states])

    def incidents(self, store: str, number: int, limit: int, before: str, *, closed: bool) -> IncidentsDocument:
        """The incidents of a deployment, the latest first.

        Args:
            before: Only those with a smaller number; empty: the latest.
        """
        opened, _ = self.find(store, number)
        most = _whole("before", before) if before else None
        incidents = opened.incidents.recent(number, latest=limit + 1, before=most, closed=closed)
        shown = [incident_document(incident) for incident in incidents[:limit]]
        return IncidentsDocument(incidents=shown, next=shown[-1].number if len(incidents) > limit else None)

    def incident(self, store: str, number: int, incident: int) -> IncidentDocument:
        """One incident. Raises NotFound if there is none."""
        opened, _ = self.find(store, number)
        return incident_document(_incident(opened, number, incident))

    def runs(self, store: str, number: int, limit: int) -> RunsDocument:
        """The last runs of a deployment, so many at most."""
        opened, _ = self.find(store, number)
        return RunsDocument(runs=[run_document(run) for run in opened.runs.latest(number, latest=limit)])

    def rollouts(self, store: str, number: int, limit: int) -> RolloutsDocument:
        """The last rollouts of a deployment, so many at most."""
        opened, summary = self.find(store, number)
        now = self.stores.clock()
        records = [as_of(record, now) for record in opened.rollouts.latest(summary.record.called, most=limit)]
        return RolloutsDocument(
            rollouts=[rollout_document(record, opened.rollouts.events(record.number)) for record in records]
        )

    def rollout(self, store: str, number: int, rollout: int) -> RolloutDocument:
        """One rollout of a deployment. Raises NotFound if there is none."""
        opened, summary = self.find(store, number)
        records = opened.rollouts.latest(summary.record.called)
        record = next((record for record in records if record.number == rollout), None)
        if record is None:
            raise NotFound(
                "There is no such rollout.",
                got=str(rollout),
                expected="the number of a rollout of this deployment",
                fix="List them: GET /deployments/STORE/NUMBER/rollouts.",
            )
        return rollout_document(as_of(record, self.stores.clock()), opened.rollouts.events(rollout))

    def label_requests(self, store: str, number: int, limit: int) -> LabelRequestsDocument:
        """The last requests that added labels to a deployment's traffic log, so many at most."""
        opened, _ = self.find(store, number)
        return label_requests_document(opened.added_labels.latest(number, latest=limit))

    def act(self, store: str, number: int, incident: int, action: IncidentAction) -> IncidentDocument:
        """Act on an incident, and tell. Raises NotFound if there is none, BadInput if the action does not fit it."""
        opened, summary = self.find(store, number)
        _incident(opened, number, incident)
        done = opened.incidents.act(number, incident, action)
        file = self.stores.store(store).file_of(summary.record.called)
        tell(None if file is None else file.config, opened, number, self.stores.clock)
        return incident_document(done)

    def find(self, name: str, number: int) -> tuple[Store, DeploymentSummary]:
        """A store by its name, and a deployment of it. Raises NotFound if there is none."""
        named = next((named for named in self.stores.stores if named.name == name), None)
        store = None if named is None else named.store()
        summary = None if store is None else store.overview.summary(number)
        if store is None or summary is None:
            raise NotFound(
                "There is no such deployment.",
                got=printable(f"{name}/{number}"),
                expected="the store and number of one",
                fix="/api/v1/deployments lists them.",
            )
        return store, summary


def _incident(store: Store, number: int, incident: int) -> IncidentRecord:
    try:
        return store.incidents.get(number, incident)
    except BadInput as error:
        raise NotFound(error.what, got=error.got, expected=error.expected, fix=error.fix) from error


def _whole(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadInput(
            f"{name} is not the end of a page.",
            got=printable(text),
            expected="what `next` of the page before says",
            fix="Leave it out for the first page.",
        )
    return int(text)


def _moment(text: str) -> datetime:
    try:
        return parse_moment(text)
    except ValueError as error:
        raise BadInput(
            "before is not a time.",
            got=f"{printable(text)}: {printable(str(error))}",
            expected="ISO 8601 with an offset, or Z",
            fix="Leave it out for the latest windows.",
        ) from None
