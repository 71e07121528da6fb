"""The store: deployments, windows, evidence and incidents, kept between runs."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy.exc import IntegrityError

from monitoring.errors import CannotRun
from monitoring.records import (
    WHOLE,
    BaselineScore,
    IncidentAction,
    IncidentRecord,
    Level,
    MeasuredMetric,
    RunRecord,
    ScoreHistory,
    ScoreSeries,
    Sensitivity,
    WindowRecord,
)
from monitoring.store import (
    deployments,
    identity,
    incidents,
    leases,
    overview,
    runs,
    windows,
)
from monitoring.store.added_labels import AddedLabelStore
from monitoring.store.backfills import BackfillStore
from monitoring.store.checks import Check
from monitoring.store.deployments import DeploymentRecord, StateName
from monitoring.store.drill_results import DrillStore
from monitoring.store.erasing_store import ErasingStore
from monitoring.store.incidents import write as write_incidents
from monitoring.store.leases import LeaseStore
from monitoring.store.notifications import OutboxStore
from monitoring.store.overview import DeploymentOutline, DeploymentSummary, RecentHistory
from monitoring.store.rebaselines import RebaselineStore
from monitoring.store.runs import StoredRun
from monitoring.store.windows import StoredWindow


class Store(RebaselineStore, BackfillStore, OutboxStore, LeaseStore, ErasingStore, AddedLabelStore, DrillStore):
    """A database of deployments, windows, evidence and incidents. Open it with `Store.open`; close it when done.

    Every method is one transaction. Threads and processes may share a store. Values come back exactly: floats to the
    last bit (NaN is refused with ValueError), times in UTC to the microsecond. Any method raises CannotRun if the
    database fails. An unknown deployment is BadInput where it would be changed, and has no windows, states and
    incidents.
    """

    def deployment(self, record: DeploymentRecord, *, moved: bool = False, holder: str = "") -> int:
        """Find the deployment of this name, version, evidence and traffic, or create it.

        A new one follows the deployment of that name and version that was used last: incidents of the time that that
        one had judged are not told again, and keep its acknowledgements.

        Args:
            record: The deployment; `created_at` is the time it is used now. An existing one keeps its own.
            moved: Whether the traffic may be elsewhere than it was.
            holder: Who has the deployment's lease for giving it a new baseline; empty: nobody may have it then.

        Returns:
            The deployment's number.

        Raises:
            BadInput: The deployment of this name is of other traffic.
            CannotRun: The database fails, or refuses the deployment.
        """
        with self._writing() as connection:
            found = identity.find(connection, record, moved=moved, holder=holder)
        if found is not None:
            return found
        try:
            with self._writing() as connection:
                before = identity.predecessor(connection, record, moved=moved)
                return deployments.create(
                    connection,
                    record,
                    follows=None if before is None else before.number,
                    quiet_until=None if before is None else before.judged_until,
                )
        except IntegrityError as error:  # another process created it first
            with self._writing() as connection:
                found = identity.find(connection, record, moved=moved)
            if found is None:
                raise CannotRun(
                    "The deployment cannot be created.",
                    got=f"{record.model} version {record.version} ({error.orig})",
                    expected="a new deployment",
                    fix="Nothing was changed; run the command again.",
                ) from error
            return found

    def deployment_record(self, deployment: int) -> DeploymentRecord:
        """Read one deployment. Raises BadInput if there is none of this number."""
        with self._reading() as connection:
            return deployments.read(connection, deployment)

    def deployments(self) -> tuple[DeploymentRecord, ...]:
        """Every deployment, in order of creation."""
        with self._reading() as connection:
            return deployments.read_all(connection)

    def latest(self, name: str | None = None) -> int | None:
        """The number of the deployment used last, of one name or of any; None if there is none."""
        with self._reading() as connection:
            return deployments.latest(connection, name)

    def find(self, model: str, version: int, settings_digest: str) -> int | None:
        """The number of the deployment of that model, version and settings; None if there is none."""
        with self._reading() as connection:
            return deployments.same(connection, model, version, settings_digest)

    def last_window(self, deployment: int) -> StoredWindow | None:
        """The last judged window and its label cursor; None before the first."""
        with self._reading() as connection:
            return windows.read_last(connection, deployment)

    def level_states(self, deployment: int) -> dict[StateName, str]:
        """Everything that passes from the last window to the next, by name, as text."""
        with self._reading() as connection:
            return deployments.read_states(connection, deployment)

    def commit_window(
        self,
        deployment: int,
        window: WindowRecord,
        *,
        states: Mapping[StateName, str],
        label_cursor: Mapping[str, int],
        incidents: Sequence[IncidentRecord],
    ) -> None:
        """Write everything that judging a window changed.

        Args:
            deployment: The deployment's number.
            window: The window; it begins at or after the end of the last one.
            states: The states to replace, by name.
            label_cursor: Rows read of each label segment so far.
            incidents: Incidents to add, or to replace by number; an acknowledgement is never undone.

        Raises:
            CannotRun: The window, or a later one, is in the store already; nothing was changed.
        """
        try:
            with self._writing(deployment) as connection:
                windows.write(connection, deployment, window, label_cursor)
                deployments.write_states(connection, deployment, states)
                write_incidents(connection, deployment, incidents)
        except IntegrityError:
            windows.reject_judged(window)

    def windows(
        self,
        deployment: int,
        *,
        scores: bool = True,
        since: datetime | None = None,
        before: datetime | None = None,
        latest: int | None = None,
    ) -> tuple[WindowRecord, ...]:
        """Windows in order of time; without their scores it is much faster.

        Args:
            deployment: The deployment's number.
            scores: Whether to read their scores.
            since: Only windows that end after that time; None: all.
            before: Only windows that begin before that time; None: all.
            latest: At most so many, the last; None: all.

        Returns:
            The windows.
        """
        with self._reading() as connection:
            return windows.read(connection, deployment, scores=scores, since=since, before=before, latest=latest)

    def forget_details(self, deployment: int, before: datetime, *, around: int) -> int:
        """Delete scores, estimates and findings of windows that end before a time, as `windows.forget_details` says."""
        with self._writing(deployment) as connection:
            return windows.forget_details(connection, deployment, before, around=around)

    def judged(self, deployment: int, since: datetime | None = None) -> int:
        """The number of judged windows, or of those that end after a time."""
        with self._reading() as connection:
            return windows.count(connection, deployment, since)

    def score_history(
        self,
        deployment: int,
        level: Level,
        *,
        latest: int,
        before: datetime | None = None,
        watches: Collection[str] | None = None,
    ) -> ScoreHistory:
        """One level's scores in the latest windows, at most so many.

        Cost: some 2 µs for each score that is read.

        Args:
            deployment: The deployment's number.
            level: The level.
            latest: How many windows at most.
            before: Only windows that begin before that time; None: the last ones.
            watches: The watches that are read; None: all.

        Returns:
            The scores.
        """
        with self._reading() as connection:
            return windows.read_scores(connection, deployment, level, latest=latest, before=before, watches=watches)

    def series(
        self,
        deployment: int,
        watches: Collection[str],
        *,
        latest: int,
        before: datetime | None = None,
        part: str = WHOLE,
    ) -> ScoreSeries:
        """Scores of some watches in the latest windows before a time, as `windows.read_series` reads them."""
        with self._reading() as connection:
            return windows.read_series(connection, deployment, watches, latest=latest, before=before, part=part)

    def window(self, deployment: int, start: datetime) -> WindowRecord | None:
        """The window that begins at a time, with everything that is stored of it; None if there is none."""
        with self._reading() as connection:
            return windows.read_one(connection, deployment, start)

    def recent_windows(
        self, deployment: int, *, latest: int, before: datetime | None = None
    ) -> tuple[WindowRecord, ...]:
        """The latest windows that begin before a time, at most so many; without scores, findings and estimates."""
        with self._reading() as connection:
            return overview.read_windows(connection, deployment, latest=latest, before=before)

    def summaries(self, model: str | None = None) -> tuple[DeploymentSummary, ...]:
        """Every deployment, or those of a model, with open incidents, as created. Cost: some 20 µs a deployment."""
        with self._reading() as connection:
            return overview.summaries(connection, model=model)

    def some_summaries(self, numbers: Collection[int]) -> tuple[DeploymentSummary, ...]:
        """The deployments of these numbers, as created."""
        with self._reading() as connection:
            found = (overview.summaries(connection, some) for some in overview.batches(numbers))
            return tuple(itertools.chain.from_iterable(found))

    def summary(self, deployment: int) -> DeploymentSummary | None:
        """One deployment with its open incidents; None if there is none of this number."""
        return next(iter(self.some_summaries([deployment])), None)

    def outlines(self) -> tuple[DeploymentOutline, ...]:
        """Of each name the deployment that was run last, with what decides its place among the others."""
        with self._reading() as connection:
            return overview.outlines(connection)

    def mentioning(self, text: str) -> frozenset[int]:
        """The deployments with an open incident whose cause, slice or message has a text."""
        with self._reading() as connection:
            return overview.mentioning(connection, text)

    def recent_histories(
        self, numbers: Collection[int], *, latest: int, watches: Collection[str], scored: int
    ) -> Mapping[int, RecentHistory]:
        """The last windows of several deployments, as `overview.read_recent` reads them."""
        with self._reading() as connection:
            return overview.read_recent(connection, numbers, latest=latest, watches=watches, scored=scored)

    def last_windows(self, numbers: Collection[int]) -> Mapping[int, WindowRecord]:
        """The last windows of several deployments, as `overview.last_windows` reads them."""
        with self._reading() as connection:
            found = (overview.last_windows(connection, some) for some in overview.batches(numbers))
            return dict(itertools.chain.from_iterable(one.items() for one in found))

    def fingerprint(self) -> str:
        """A text that changes with every run, window and action on an incident."""
        with self._reading() as connection:
            return overview.fingerprint(connection)

    def incidents(self, deployment: int) -> tuple[IncidentRecord, ...]:
        """All incidents in the order of their numbers, with what people did."""
        with self._reading() as connection:
            return incidents.read(connection, deployment)

    def recent_incidents(
        self, deployment: int, *, latest: int, before: int | None, closed: bool
    ) -> tuple[IncidentRecord, ...]:
        """The latest incidents below a number, the newest first, with what people did."""
        with self._reading() as connection:
            return incidents.read_recent(connection, deployment, latest=latest, before=before, closed=closed)

    def incident(self, deployment: int, number: int) -> IncidentRecord:
        """One incident, with what people did. Raises BadInput if there is none of this number."""
        with self._reading() as connection:
            return incidents.read_one(connection, deployment, number)

    def tracked_incidents(self, deployment: int) -> tuple[IncidentRecord, ...]:
        """Incidents that are not closed, or that a person closed since the last window; without people's actions."""
        with self._reading() as connection:
            return incidents.read_tracked(connection, deployment)

    def begin_run(self, deployment: int, run: RunRecord) -> int:
        """Add a run of a deployment; of all of them the last `runs.KEPT` are kept. Returns its number."""
        with self._writing(deployment) as connection:
            return runs.begin(connection, deployment, run)

    def save_run(self, number: int, run: RunRecord) -> None:
        """Replace a run, by its number."""
        with self._writing() as connection:
            runs.replace(connection, number, run)

    def runs(self, deployment: int, *, latest: int = runs.KEPT) -> tuple[RunRecord, ...]:
        """The last runs of a deployment that had something to judge or failed, the newest first."""
        with self._reading() as connection:
            return runs.read(connection, deployment, latest)

    def recent_runs(self, latest: int, *, failed: bool = False) -> tuple[StoredRun, ...]:
        """The last runs of all deployments, or those that failed, the newest first."""
        with self._reading() as connection:
            return runs.read_recent(connection, latest, failed=failed)

    def save_check(self, deployment: int, check: Check) -> None:
        """Replace what the last complete run of a deployment left."""
        with self._writing(deployment) as connection:
            deployments.write_check(connection, deployment, check)

    def check(self, deployment: int) -> Check:
        """What the last complete run of a deployment left."""
        with self._reading() as connection:
            return deployments.read_check(connection, deployment)

    def act(self, deployment: int, number: int, action: IncidentAction) -> IncidentRecord:
        """Act on an incident, by its number.

        Args:
            deployment: The deployment's number.
            number: The incident's number.
            action: What a person does with it.

        Returns:
            The incident afterwards.

        Raises:
            BadInput: There is no such incident, or the action does not fit it.
            CannotRun: It is to be reopened while a run is judging, which takes account of its closing.
        """
        with self._writing(deployment) as connection:
            if action.kind == "reopen":
                leases.check_free(connection, deployment, action.at)
            return incidents.act(connection, deployment, number, action)

    def save_sensitivity(self, deployment: int, sensitivity: tuple[Sensitivity, ...]) -> None:
        """Replace the smallest detectable harms of a deployment."""
        with self._writing(deployment) as connection:
            deployments.write_sensitivity(connection, deployment, sensitivity)

    def sensitivity(self, deployment: int) -> tuple[Sensitivity, ...]:
        """The smallest detectable harms; empty until they are saved."""
        with self._reading() as connection:
            return deployments.read_sensitivity(connection, deployment)

    def save_baseline(
        self, deployment: int, baseline: tuple[BaselineScore, ...], measured: tuple[MeasuredMetric, ...] = ()
    ) -> None:
        """Replace the baseline scores of a deployment, and the metrics that are shown of its baseline."""
        with self._writing(deployment) as connection:
            deployments.write_baseline(connection, deployment, baseline, measured)

    def baseline(self, deployment: int) -> tuple[BaselineScore, ...]:
        """The baseline scores of the watches; empty until they are saved."""
        with self._reading() as connection:
            return deployments.read_baseline(connection, deployment)

    def measured(self, deployment: int) -> tuple[MeasuredMetric, ...]:
        """The metrics that are shown, over the baseline's windows; empty until they are saved."""
        with self._reading() as connection:
            return deployments.read_measured(connection, deployment)
