"""Monitors in the store: of each config how its last run ended, whether or not it has ever judged a window."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from monitoring.records import RunRecord, WindowAttempt
from monitoring.store import checkpoints
from monitoring.store.tables import deployment as deployment_table
from monitoring.store.tables import monitor, run, window_attempt
from monitoring.store.transactions import Transactions, upserts

#: Characters of an error that are kept.
LONGEST_ERROR = 4_000


_BEGIN = upserts(window_attempt, counted="attempts")
_END = update(window_attempt).where(
    (window_attempt.c.deployment == bindparam("of")) & (window_attempt.c.start == bindparam("since"))
)


def end(connection: Connection, deployment: int, start: datetime, *, at: datetime, error: str = "") -> None:
    """Record how the last attempt at a window ended; arguments as of `AttemptTable.end`."""
    values = {"judged_at": None if error else at, "error": error[:LONGEST_ERROR]}
    connection.execute(_END, {"of": deployment, "since": start, **values})


class AttemptTable:
    """The attempts at judging windows of a store."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def begin(self, deployment: int, attempt: WindowAttempt, *, checkpoint: bool) -> None:
        """Count one more attempt at a window; with a checkpoint, the window can be judged again later."""
        with self._transactions.writing(deployment) as connection:
            values = {"end": attempt.end, "started_at": attempt.started_at, "judged_at": None, "error": ""}
            row = {"deployment": deployment, "start": attempt.start, "attempts": 1, **values}
            connection.execute(_BEGIN[connection.dialect.name], row)
            if checkpoint:
                checkpoints.keep(connection, deployment, attempt.start)

    def end(self, deployment: int, start: datetime, *, at: datetime, error: str = "") -> None:
        """Record how the last attempt at a window ended.

        Args:
            error: The error that ended it; empty: the window was judged.
        """
        with self._transactions.writing(deployment) as connection:
            end(connection, deployment, start, at=at, error=error)

    def read(self, deployment: int, since: datetime | None = None) -> tuple[WindowAttempt, ...]:
        """The attempts at windows that begin at a time or later, or at all, in order of time."""
        with self._transactions.reading() as connection:
            columns = [column for column in window_attempt.c if column.name != "deployment"]
            query = select(*columns).where(window_attempt.c.deployment == deployment).order_by(window_attempt.c.start)
            if since is not None:
                query = query.where(window_attempt.c.start >= since)
            return tuple(WindowAttempt(**row) for row in connection.execute(query).mappings())


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorRecord:
    """The runs of one config.

    Attributes:
        succeeded_at: When a run last judged all that was due; None: no run ever has.
        error: The error of the last run; empty: it had none.
    """

    name: str
    config: str
    first_run_at: datetime
    last_run_at: datetime
    succeeded_at: datetime | None = None
    failures: int = 0
    error: str = ""


class MonitorTable:
    """The monitors of a store."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def ended(self, name: str, at: datetime, *, error: str = "", config: str = "") -> MonitorRecord:
        """Record how a run of a config ended.

        Args:
            error: The error that ended it; empty: it judged all that was due.
            config: The path of the config; empty: as it was.
        """
        with self._transactions.writing() as connection:
            row = connection.execute(select(monitor).where(monitor.c.name == name)).mappings().first()
            before = MonitorRecord(name=name, config=config, first_run_at=at, last_run_at=at)
            if row is not None:
                before = MonitorRecord(**row)
            after = MonitorRecord(
                name=name,
                config=config or before.config,
                first_run_at=before.first_run_at,
                last_run_at=at,
                succeeded_at=before.succeeded_at if error else at,
                failures=before.failures + 1 if error else 0,
                error=error[:LONGEST_ERROR],
            )
            values = {column.name: getattr(after, column.name) for column in monitor.c}
            if row is None:
                connection.execute(insert(monitor).values(**values))
            else:
                connection.execute(update(monitor).where(monitor.c.name == name).values(**values))
            return after

    def all(self) -> tuple[MonitorRecord, ...]:
        """The monitors by name. Cost: a row for each config that was run."""
        with self._transactions.reading() as connection:
            rows = connection.execute(select(monitor).order_by(monitor.c.name)).mappings()
            return tuple(MonitorRecord(**row) for row in rows)

    def failing(self) -> tuple[MonitorRecord, ...]:
        """The monitors whose last run failed, by name."""
        return tuple(monitor for monitor in self.all() if monitor.error)

    def get(self, name: str) -> MonitorRecord | None:
        """A monitor; None before its first run."""
        with self._transactions.reading() as connection:
            row = connection.execute(select(monitor).where(monitor.c.name == name)).mappings().first()
            return None if row is None else MonitorRecord(**row)


#: Runs that are kept of each deployment, the last ones.
KEPT = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    """A run, and the number, the name and the version of its deployment."""

    deployment: int
    name: str
    version: int
    run: RunRecord


class RunTable:
    """The runs of the monitor in a store."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def begin(self, deployment: int, record: RunRecord) -> int:
        """Add a run, and delete those of the deployment that are older than the last `KEPT`."""
        with self._transactions.writing(deployment) as connection:
            number = connection.execute(
                insert(run).values(deployment=deployment, **asdict(record)).returning(run.c.id)
            ).scalar_one()
            of_deployment = select(run.c.id).where(run.c.deployment == deployment).order_by(run.c.id.desc())
            oldest = connection.execute(of_deployment.limit(1).offset(KEPT)).scalar()
            if oldest is not None:
                connection.execute(delete(run).where((run.c.deployment == deployment) & (run.c.id <= oldest)))
            return int(number)

    def save(self, number: int, record: RunRecord) -> None:
        """Replace a run, by its number in the store."""
        with self._transactions.writing() as connection:
            connection.execute(update(run).where(run.c.id == number).values(**asdict(record)))

    def latest(self, deployment: int, *, latest: int = KEPT) -> tuple[RunRecord, ...]:
        """The last runs of a deployment, at most so many, the newest first."""
        with self._transactions.reading() as connection:
            columns = [column for column in run.c if column.name not in ("id", "deployment")]
            query = select(*columns).where(run.c.deployment == deployment).order_by(run.c.id.desc()).limit(latest)
            return tuple(RunRecord(**row) for row in connection.execute(query).mappings())

    def recent(self, latest: int, *, failed: bool = False) -> tuple[StoredRun, ...]:
        """The last runs of all deployments."""
        with self._transactions.reading() as connection:
            recent = select(run).order_by(run.c.id.desc()).limit(KEPT if failed else latest).subquery()
            of = deployment_table.c
            query = (
                select(recent, of.name, of.version.label("of_version"))
                .join(deployment_table, of.id == recent.c.deployment)
                .order_by(recent.c.id.desc())
                .limit(latest)
            )
            if failed:
                query = query.where(recent.c.error != "")
            names = [column.name for column in run.c if column.name not in ("id", "deployment")]
            return tuple(
                StoredRun(
                    deployment=row["deployment"],
                    name=row["name"],
                    version=row["of_version"],
                    run=RunRecord(**{name: row[name] for name in names}),
                )
                for row in connection.execute(query).mappings()
            )
