"""The store: deployments, windows, evidence and incidents, kept between runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self

from sqlalchemy.exc import IntegrityError

from monitoring.errors import CannotRun
from monitoring.records import DeploymentRecord, FleetEntry, IncidentRecord, WindowRecord
from monitoring.records.state_names import StateName
from monitoring.store import deployments, fleets, identity, runs, windows
from monitoring.store.added_labels import AddedLabelTable
from monitoring.store.backfills import BackfillTable
from monitoring.store.deployments import DeploymentTable
from monitoring.store.drill_results import DrillTable
from monitoring.store.fleets import FleetTable
from monitoring.store.incidents import IncidentTable
from monitoring.store.incidents import write as _write_incidents
from monitoring.store.leases import LeaseTable
from monitoring.store.notifications import OutboxTable
from monitoring.store.opening import open_engine
from monitoring.store.overview import OverviewQueries
from monitoring.store.rebaselines import RebaselineTable
from monitoring.store.rollouts import RolloutTable
from monitoring.store.runs import AttemptTable, MonitorTable, RunTable
from monitoring.store.transactions import Transactions
from monitoring.store.windows import WindowTable


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowEnd:
    """What a judged window ends.

    Attributes:
        fleet: The deployment in its team after the window; None where it is in none.
        judged_at: When the attempt at the window ended; None where none was begun.
    """

    fleet: FleetEntry | None = None
    judged_at: datetime | None = None


NOTHING_ENDS = WindowEnd()


class Store:
    """A database of deployments, windows, evidence and incidents. Open it with `Store.open`; close it when done.

    Every method of it and of its parts is one transaction. Threads and processes may share a store. Values come back
    exactly: floats to the last bit (NaN is refused with ValueError), times in UTC to the microsecond. Any method raises
    CannotRun if the database fails. An unknown deployment is BadInput where it would be changed, and has no windows,
    states and incidents.
    """

    def __init__(self, transactions: Transactions) -> None:
        self.transactions = transactions
        self.deployments = DeploymentTable(transactions)
        self.windows = WindowTable(transactions)
        self.incidents = IncidentTable(transactions)
        self.runs = RunTable(transactions)
        self.attempts = AttemptTable(transactions)
        self.backfills = BackfillTable(transactions)
        self.rebaselines = RebaselineTable(transactions)
        self.outbox = OutboxTable(transactions)
        self.leases = LeaseTable(transactions)
        self.monitors = MonitorTable(transactions)
        self.added_labels = AddedLabelTable(transactions)
        self.drills = DrillTable(transactions)
        self.rollouts = RolloutTable(transactions)
        self.fleets = FleetTable(transactions)
        self.overview = OverviewQueries(transactions)

    @classmethod
    def open(cls, url: str, *, make: bool = True) -> Self:
        """Open the store at a URL; one of an earlier release is migrated where a store may be made.

        Cost: about 0.2 s the first time in a process.

        Args:
            url: ``sqlite:///FILE``, or the URL of a PostgreSQL database.
            make: Whether to create a store that does not exist, and to migrate one of an earlier release. Without it,
                opening changes nothing.

        Raises:
            BadInput: There is no store, and none is to be made.
            CannotRun: The folder cannot be written, the driver is missing, the server cannot be reached, the file is
                something else, or the store was written by a newer release.
        """
        return cls(Transactions(open_engine(url, make=make)))

    def close(self) -> None:
        """Close every connection; a second time does nothing."""
        self.transactions.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def find_or_create(self, record: DeploymentRecord, *, moved: bool = False, holder: str = "") -> int:
        """Find the deployment of this name, version, evidence and traffic, or create it.

        A new one follows the deployment of that name and version that was used last: incidents of the time that that
        one had judged are not told again, and keep its acknowledgements.

        Args:
            record: The deployment; `created_at` is the time it is used now. An existing one keeps its own.
            holder: Who has the deployment's lease for giving it a new baseline; empty: nobody may have it then.

        Raises:
            BadInput: The deployment of this name is of other traffic.
        """
        with self.transactions.writing() as connection:
            existing = identity.find(connection, record, moved=moved, holder=holder)
        if existing is not None:
            return existing
        try:
            with self.transactions.writing() as connection:
                before = identity.predecessor(connection, record, moved=moved)
                number = deployments.create(
                    connection,
                    record,
                    follows=None if before is None else before.number,
                    quiet_until=None if before is None else before.judged_until,
                )
                identity.take_place(connection, number, record)
                return number
        except IntegrityError as error:  # another process created it first
            with self.transactions.writing() as connection:
                existing = identity.find(connection, record, moved=moved)
            if existing is None:
                raise CannotRun(
                    "The deployment cannot be created.",
                    got=f"{record.model} version {record.version} ({error.orig})",
                    expected="a new deployment",
                    fix="Nothing was changed; run the command again.",
                ) from error
            return existing

    def commit_window(
        self,
        deployment: int,
        window: WindowRecord,
        *,
        states: Mapping[StateName, str],
        label_cursor: Mapping[str, int],
        incidents: Sequence[IncidentRecord],
        end: WindowEnd = NOTHING_ENDS,
    ) -> None:
        """Write everything that judging a window changed.

        Args:
            window: The window; it begins at or after the end of the last one.
            incidents: Incidents to add, or to replace by number; an acknowledgement is never undone.
            end: What the window ends.
        """
        try:
            with self.transactions.writing(deployment) as connection:
                windows.write(connection, deployment, window, label_cursor)
                deployments.write_states(connection, deployment, states)
                _write_incidents(connection, deployment, incidents)
                if end.fleet is not None:
                    fleets.write(connection, deployment, end.fleet)
                if end.judged_at is not None:
                    runs.end(connection, deployment, window.start, at=end.judged_at)
        except IntegrityError:
            windows.reject_judged(window)
