"""The store: everything that the monitor remembers between runs, behind one door."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError

from monitoring.records import BaselineScore, IncidentRecord, Level, ScoreHistory, Sensitivity, WindowRecord
from monitoring.store import deployments, incidents, leases, notifications, windows
from monitoring.store.deployments import StateName
from monitoring.store.incidents import write as write_incidents
from monitoring.store.lease import Lease
from monitoring.store.notifications import OwedTelling
from monitoring.store.opening import cannot_use, open_engine, writing
from monitoring.store.records import DeploymentRecord, StoredWindow

_FIX = "Nothing was changed; run again once the database can be reached and written."


class Store:
    """A database of deployments, windows, evidence and incidents. Open it with `Store.open`; close it when done.

    Every method is one transaction: all of it is kept, or nothing. Threads and processes may share a store. What goes
    in comes out the same: floats to the last bit (NaN is refused with ValueError), times in UTC to the microsecond.
    Any method raises CannotRun if the database fails. A deployment that the store does not know is BadInput where it
    would be changed, and has no windows, states and incidents.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, url: str, *, make: bool = True) -> Store:
        """The store at a URL, made if there is none, migrated if it is of an earlier release.

        Without `make` a file that is not there is BadInput, and no folder is made for it. Raises CannotRun if the
        folder cannot be written, the driver is missing, the server cannot be reached, the file is something else, or
        the store was written by a newer release. Cost: about .2 s the first time in a process.
        """
        return cls(open_engine(url, make=make))

    def deployment(self, record: DeploymentRecord) -> int:
        """The number of the deployment of this model, version and settings: found, or made.

        One that is found keeps the `created_at` of its first time; the record's counts as the time it was used last.
        """
        with self._writing() as connection:
            found = deployments.find(connection, record)
            if found is not None:
                return found
        try:
            with self._writing() as connection:
                return deployments.create(connection, record)
        except IntegrityError:  # another process was faster
            with self._writing() as connection:
                found = deployments.find(connection, record)
            if found is None:
                raise
            return found

    def deployment_record(self, deployment: int) -> DeploymentRecord:
        """One deployment. Raises BadInput if there is none of this number."""
        with self._reading() as connection:
            return deployments.read(connection, deployment)

    def deployments(self) -> tuple[DeploymentRecord, ...]:
        """Every deployment, in order of creation."""
        with self._reading() as connection:
            return deployments.read_all(connection)

    def latest(self, model: str | None = None) -> int | None:
        """The number of the deployment used last, of one model or of any; None if there is none."""
        with self._reading() as connection:
            return deployments.latest(connection, model)

    def find(self, model: str, version: int, settings_digest: str) -> int | None:
        """The number of the deployment of that model, version and settings; None if there is none."""
        with self._reading() as connection:
            return deployments.same(connection, model, version, settings_digest)

    def last_window(self, deployment: int) -> StoredWindow | None:
        """The last window judged, with its label cursor; None before the first."""
        with self._reading() as connection:
            return windows.read_last(connection, deployment)

    def level_states(self, deployment: int) -> dict[StateName, str]:
        """The state of each level's test and of the joint watch after the last window, as text."""
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
        """Everything that judging a window changed, at once.

        Windows come in order of time: one that is there already, or begins before the end of the last one, raises
        CannotRun and changes nothing. Incidents are added or replaced by number; an acknowledgement is never undone.
        """
        try:
            with self._writing(deployment) as connection:
                windows.write(connection, deployment, window, label_cursor)
                deployments.write_states(connection, deployment, states)
                write_incidents(connection, deployment, incidents)
        except IntegrityError as error:
            raise windows.already_judged(window) from error

    def windows(self, deployment: int, *, scores: bool = True) -> tuple[WindowRecord, ...]:
        """Every window in order of time; without their scores it is much faster."""
        with self._reading() as connection:
            return windows.read(connection, deployment, scores=scores)

    def judged(self, deployment: int) -> int:
        """How many windows were judged."""
        with self._reading() as connection:
            return windows.count(connection, deployment)

    def score_history(self, deployment: int, level: Level, *, latest: int) -> ScoreHistory:
        """One level's scores in the latest windows, at most so many. Cost: some 2 µs a score."""
        with self._reading() as connection:
            return windows.read_scores(connection, deployment, level, latest)

    def incidents(self, deployment: int) -> tuple[IncidentRecord, ...]:
        """Every incident, in order of its number."""
        with self._reading() as connection:
            return incidents.read(connection, deployment)

    def owed_tellings(self, deployment: int) -> tuple[OwedTelling, ...]:
        """The incidents that somebody has still to be told of: each is, from the moment it is in the store."""
        with self._reading() as connection:
            return notifications.read(connection, deployment)

    def save_telling(self, deployment: int, number: int, told: AbstractSet[str], at: datetime | None) -> None:
        """One attempt made: the receivers reached by now, and, once none is owed anything more, when that was."""
        with self._writing(deployment) as connection:
            notifications.write(connection, deployment, number, told, at)

    def acknowledge(self, deployment: int, number: int, at: datetime) -> IncidentRecord:
        """Somebody has seen the incident. Raises BadInput if there is none, or if it is closed."""
        with self._writing(deployment) as connection:
            return incidents.acknowledge(connection, deployment, number, at)

    def save_sensitivity(self, deployment: int, sensitivity: tuple[Sensitivity, ...]) -> None:
        """Keep the smallest harm that the deployment would notice, in place of what was kept before."""
        with self._writing(deployment) as connection:
            deployments.write_sensitivity(connection, deployment, sensitivity)

    def sensitivity(self, deployment: int) -> tuple[Sensitivity, ...]:
        """The smallest harm that the deployment would notice; empty until it was saved."""
        with self._reading() as connection:
            return deployments.read_sensitivity(connection, deployment)

    def save_baseline(self, deployment: int, baseline: tuple[BaselineScore, ...]) -> None:
        """Keep what the watches are held against, in place of what was kept before."""
        with self._writing(deployment) as connection:
            deployments.write_baseline(connection, deployment, baseline)

    def baseline(self, deployment: int) -> tuple[BaselineScore, ...]:
        """What the watches are held against; empty until it was saved."""
        with self._reading() as connection:
            return deployments.read_baseline(connection, deployment)

    def lease(self, deployment: int, owner: str, now: datetime, seconds: int) -> Lease:
        """The right to judge this deployment's windows, for so many seconds from now, to be renewed between windows.

        `owner` names the run, no other run alike. Raises CannotRun while another run holds it.
        """
        length = timedelta(seconds=seconds)

        def renew(later: datetime) -> None:
            with self._writing(deployment) as connection:
                leases.renew(connection, deployment, owner, later + length)

        def free() -> None:
            with self._writing(deployment) as connection:
                leases.free(connection, deployment, owner)

        with self._writing(deployment) as connection:
            leases.take(connection, deployment, owner, now, length)
        return Lease(owner=owner, renewal=renew, ending=free)

    def close(self) -> None:
        """Let go of every connection; idempotent."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._failing_clearly(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _writing(self, deployment: int | None = None) -> Iterator[Connection]:
        with self._failing_clearly(), writing(self._engine).begin() as connection:
            if deployment is not None:
                deployments.lock(connection, deployment)
            yield connection

    @contextmanager
    def _failing_clearly(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise
        except DBAPIError as error:
            raise cannot_use(error, self._engine.url.render_as_string(hide_password=True), _FIX) from error
